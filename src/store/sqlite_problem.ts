import { dirname } from "node:path";
import { type ErrorCode, GridError, refusedError } from "../core/errors.ts";
import { quote } from "../core/shell.ts";

const CANNOT_OPEN = /unable to open/;

/** What SQLite says, and what it means for the person at the keyboard. Deno gives no error codes. */
const MEANINGS: readonly {
  readonly said: RegExp;
  readonly error: (path: string) => { readonly state: string; readonly hint: string };
  readonly code: ErrorCode;
}[] = [
  {
    said: /not a database|malformed|disk image/,
    code: "usage",
    error: (path) => ({
      state: "the file is damaged or is no Grid database",
      hint: `move it away and Grid starts a new one: mv ${quote(path)} ${quote(`${path}.broken`)}`,
    }),
  },
  {
    said: /locked|busy/,
    code: "conflict",
    error: (path) => ({
      state: "another process keeps it locked",
      hint: `see who holds it: fuser ${quote(path)}`,
    }),
  },
  {
    said: CANNOT_OPEN,
    code: "usage",
    error: () => ({
      state: "the file or its folder cannot be opened",
      hint: "check that the folder exists and belongs to you",
    }),
  },
  {
    said: /EEXIST|ENOTDIR|\(os error (?:17|20)\)/,
    code: "usage",
    error: (path) => ({
      state: "a file stands where its folder should be",
      hint: `move it away: ls -ld ${quote(dirname(path))}`,
    }),
  },
  {
    said: /readonly|read-only/,
    code: "permission",
    error: () => ({
      state: "it is read-only",
      hint: "check the rights of the file and its folder",
    }),
  },
  {
    said: /is full|disk I\/O error/,
    code: "disk-full",
    error: () => ({
      state: "no room is left on the disk of this machine",
      hint: "make room there: df -h",
    }),
  },
];

/** Runs `work` on the database at `path`, with SQLite's complaints in Grid's words. */
export function explaining<T>(
  { path, action }: { readonly path: string; readonly action: string },
  work: () => T,
): T {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof GridError || !(thrown instanceof Error)) throw thrown;
    // SQLite says only that it cannot open the file; the system says why.
    const reason = CANNOT_OPEN.test(thrown.message) ? whyNotOpened(path) : thrown;
    const known = refusedError(reason, `${action} the run database ${path}`);
    if (known) throw known;
    const meaning = MEANINGS.find(({ said }) => said.test(thrown.message));
    if (!meaning) throw thrown;
    const { state, hint } = meaning.error(path);
    throw new GridError({
      code: meaning.code,
      message: `Cannot ${action} the run database ${path}: ${state}`,
      hint,
      cause: thrown,
    });
  }
}

/** What the system says to the same wish; undefined where it has nothing against it. */
function whyNotOpened(path: string): unknown {
  try {
    Deno.openSync(path, { read: true, write: true, create: true }).close();
    return undefined;
  } catch (error) {
    return error;
  }
}

export function newerError(path: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot open the run database ${path}: a newer Grid wrote it`,
    hint: `use that version, or move the file away: mv ${quote(path)} ${quote(`${path}.newer`)}`,
  });
}

export function foreignError(path: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot open the run database ${path}: it belongs to another program`,
    hint: `move it away and Grid starts a new one: mv ${quote(path)} ${quote(`${path}.other`)}`,
  });
}

export function movedError(path: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot read the run database ${path}: it was moved, removed or replaced meanwhile`,
    hint: "start this command again",
  });
}
