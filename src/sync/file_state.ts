/**
 * What tells one state of a file from another. The runtime gives times in milliseconds (of the last
 * content change) and in seconds (of the last change at all); the hash cache's rule about young files
 * is what makes that enough.
 */
export type FileState = Deno.FileInfo;

/** Undefined where there is nothing. */
export function readState(path: string, followSymlinks = false): FileState | undefined {
  try {
    return followSymlinks ? Deno.statSync(path) : Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}

export function isExecutable(state: FileState): boolean {
  return state.isFile && ((state.mode ?? 0) & 0o100) !== 0;
}

/** Whether nothing has written to the file between two looks at it. */
export function isSameState(a: FileState, b: FileState): boolean {
  return describeState(a) === describeState(b);
}

/** Everything that changes when the file does, as one text without NUL. */
export function describeState(state: FileState): string {
  const { size, mtime, ctime, ino, dev, mode } = state;
  return `${size} ${mtime?.getTime()} ${ctime?.getTime()} ${ino} ${dev} ${(mode ?? 0) & 0o100}`;
}

/** Milliseconds since the Unix epoch of the last change of any kind. */
export function changedAtMs(state: FileState): number {
  return Math.max(state.mtime?.getTime() ?? Infinity, state.ctime?.getTime() ?? Infinity);
}
