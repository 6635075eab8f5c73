/** A folder of our own for sockets and logs, with a path that is short enough for a socket. */
import { GridError } from "../../core/errors.ts";

/** 104 bytes on macOS and 108 on Linux, and ssh first adds a dot and 16 letters. */
const MOST_BYTES = 100 - 17;
const LONGEST_FILE = "/master";

export interface PrivateFolder extends Disposable {
  readonly path: string;
}

/** @throws {GridError} `usage` where no folder can be made */
export function makePrivateFolder(): PrivateFolder {
  const made = tryMake(undefined) ?? tryMake("/tmp");
  if (made === undefined) {
    throw new GridError({
      code: "usage",
      message:
        "Cannot make a folder for the sockets of ssh: the temporary folder's path is too long",
      hint: "name a short one: TMPDIR=/tmp",
    });
  }
  return { path: made, [Symbol.dispose]: () => remove(made) };
}

/** Mode 0700, as `makeTempDir` makes all. ssh expands some characters in the path of its socket. */
function tryMake(dir: string | undefined): string | undefined {
  const path = Deno.makeTempDirSync({ prefix: "grid-ssh-", ...(dir ? { dir } : {}) });
  if (/^[\w/.+@-]+$/.test(path) && path.length + LONGEST_FILE.length < MOST_BYTES) return path;
  remove(path);
  return undefined;
}

function remove(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
