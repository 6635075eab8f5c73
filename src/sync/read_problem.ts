/** What is left out of a sync through no fault of Grid's, and why. */
import { foldersAbove } from "./entry.ts";

export interface Skipped {
  readonly path: string;
  readonly reason: string;
  /** Nobody saw what it holds: neither it nor anything below it may count as gone. */
  readonly isUnread?: true;
}

/** Why something could not be read; what no file system said is thrown on. */
export function readProblem(path: string, error: unknown): Skipped {
  return { path, reason: reasonOf(error), isUnread: true };
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
    return "it went away while it was being read";
  }
  if (error instanceof Deno.errors.PermissionDenied) return "it cannot be read: permission denied";
  const code = (error as { code?: unknown }).code;
  if (!(error instanceof Error) || typeof code !== "string" || !code.startsWith("E")) throw error;
  if (code === "ENAMETOOLONG") return "its path is longer than this machine can open";
  return `it cannot be read: ${error.message.replace(/ \(os error.*$/s, "")}`;
}

/** Whether a path is, or lies below, something that nobody saw. */
export function unreadTest(skipped: readonly Skipped[]): (path: string) => boolean {
  const unread = new Set(skipped.filter((it) => it.isUnread).map((it) => it.path));
  if (unread.size === 0) return () => false;
  return (path) => unread.has(path) || foldersAbove(path).some((above) => unread.has(above));
}
