/** What is said of a text that is no glob. */
import { type ErrorCode, GridError } from "./errors.ts";

/** The message follows a colon. */
export class GlobFault extends Error {
  override readonly name = "GlobFault";
  constructor(
    message: string,
    /** What to write instead. */
    readonly hint: string,
  ) {
    super(message);
  }
}

/** Characters of a pattern that are shown. */
const MOST_SHOWN = 200;

export function shownGlob(pattern: string): string {
  return pattern.length > MOST_SHOWN ? `${pattern.slice(0, MOST_SHOWN)}…` : pattern;
}

/** Reads a pattern that became known during a run; @throws {GridError} with this code for what is none */
export function readGlob<T>(code: ErrorCode, pattern: string, read: (pattern: string) => T): T {
  try {
    return read(pattern);
  } catch (error) {
    if (!(error instanceof GlobFault)) throw error;
    throw new GridError({
      code,
      message: `Cannot read the glob "${shownGlob(pattern)}": ${error.message}`,
      hint: error.hint,
      cause: error,
    });
  }
}
