/** Changes to trees in which anything may stand anywhere. */

/** Also a whole folder, and what is not there. */
export function removeAny(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!isBlocked(error)) throw error;
  }
}

/** False where nothing is, or where a file or a link stands above it. */
export function isFile(path: string): boolean {
  try {
    return Deno.lstatSync(path).isFile;
  } catch (error) {
    if (isBlocked(error)) return false;
    throw error;
  }
}

/** Whether it says that something else stands there, or above it, or nothing does. */
export function isBlocked(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.AlreadyExists || error instanceof Deno.errors.FilesystemLoop ||
    error instanceof Deno.errors.IsADirectory;
}
