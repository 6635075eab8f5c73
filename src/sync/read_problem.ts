/** What is left out of a sync through no fault of Grid's, and why. */
export interface Skipped {
  readonly path: string;
  readonly reason: string;
}

/** Why something could not be read; what is not the file's own fault is thrown on. */
export function readProblem(path: string, error: unknown): Skipped {
  if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
    return { path, reason: "it went away while it was being read" };
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return { path, reason: "it cannot be read: permission denied" };
  }
  throw error;
}
