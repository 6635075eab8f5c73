/**
 * What tells one state of a file from another. The runtime gives times in milliseconds (of the last
 * content change) and in seconds (of the last change at all); the hash cache's rule about young files
 * is what makes that enough.
 */
/**
 * A file may change again within the same tick of its clock, unseen. Two seconds cover the coarsest
 * clock in use (FAT); git calls the same rule "racy": git-scm.com/docs/racy-git.
 */
export const GRANULE_MS = 2000;

export interface FileState {
  readonly kind: "file" | "folder" | "link" | "socket" | "pipe" | "device";
  readonly size: number;
  /** Milliseconds since the Unix epoch; of the content. */
  readonly mtimeMs: number;
  /** Of anything about the file. */
  readonly ctimeMs: number;
  readonly ino: number;
  readonly dev: number;
  readonly mode: number;
}

/** Undefined where there is nothing. */
export function readState(path: string, followSymlinks = false): FileState | undefined {
  try {
    return stateOf(followSymlinks ? Deno.statSync(path) : Deno.lstatSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}

/** A quarter of what the runtime's own answer takes, of which there is one for each file. */
function stateOf(info: Deno.FileInfo): FileState {
  return {
    kind: kindOf(info),
    size: info.size,
    mtimeMs: info.mtime?.getTime() ?? Infinity,
    ctimeMs: info.ctime?.getTime() ?? Infinity,
    ino: info.ino ?? 0,
    dev: info.dev,
    mode: info.mode ?? 0,
  };
}

function kindOf(info: Deno.FileInfo): FileState["kind"] {
  if (info.isFile) return "file";
  if (info.isDirectory) return "folder";
  if (info.isSymlink) return "link";
  if (info.isSocket) return "socket";
  return info.isFifo ? "pipe" : "device";
}

export function isExecutable(state: FileState): boolean {
  return state.kind === "file" && (state.mode & 0o100) !== 0;
}

/** Whole seconds since the Unix epoch, as archives have them. */
export function mtimeSeconds(state: FileState): number {
  return Number.isFinite(state.mtimeMs) ? Math.floor(state.mtimeMs / 1000) : 0;
}

/** Whether nothing has written to the file between two looks at it. */
export function isSameState(a: FileState, b: FileState): boolean {
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs &&
    a.ino === b.ino && a.dev === b.dev && (a.mode & 0o100) === (b.mode & 0o100);
}

/** Everything that changes when the file does, as one text without NUL. */
export function describeState(state: FileState): string {
  const { size, mtimeMs, ctimeMs, ino, dev, mode } = state;
  return `${size} ${mtimeMs} ${ctimeMs} ${ino} ${dev} ${mode & 0o100}`;
}

/** Milliseconds since the Unix epoch of the last change of any kind. */
export function changedAtMs(state: Pick<FileState, "mtimeMs" | "ctimeMs">): number {
  return Math.max(state.mtimeMs, state.ctimeMs);
}
