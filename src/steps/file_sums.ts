/**
 * SHA-256 of files that steps depend on. Expressions cannot wait, and much of such files would keep signals,
 * heartbeats and output waiting for as long as it takes to read them: that much is read before.
 */
import { type Clock, systemClock } from "../core/clock.ts";
import { GridError, toGridError } from "../core/errors.ts";
import { getLogger } from "../core/log.ts";
import { nodeCrypto, nodeFs } from "../core/node_builtins.ts";
import { formatSize } from "../core/size.ts";
import { Turns } from "../core/turns.ts";
import type { Attempted, ReadFirst } from "../engine/ports.ts";
import {
  changedAtMs,
  type FileState,
  GRANULE_MS,
  isSameState,
  readState,
} from "../sync/file_state.ts";
import { sumInTurns } from "../sync/hash.ts";

const log = getLogger("steps");

/** Bytes that are read at once: about a tenth of a second. */
const AT_ONCE_BYTES = 64 * 1024 * 1024;
/** Bytes; who waits for more would like to know what for. */
const TOLD_BYTES = 1024 ** 3;

interface Known {
  readonly state: FileState;
  /** In hex. */
  readonly sum: string;
}

export class FileSums implements ReadFirst {
  readonly #clock: Clock;
  readonly #atOnceBytes: number;
  /** By absolute path: what was read before it was asked for. */
  readonly #known = new Map<string, Known>();
  /** While somebody can wait: path → its state, of what must be read before. */
  #unread: Map<string, FileState> | undefined;

  constructor({ clock = systemClock, atOnceBytes = AT_ONCE_BYTES }: {
    readonly clock?: Clock;
    readonly atOnceBytes?: number;
  } = {}) {
    this.#clock = clock;
    this.#atOnceBytes = atOnceBytes;
  }

  /** @throws {GridError} `step-failed`, naming a file that cannot be read; `Unread` within `attempt` */
  of(path: string): string {
    const known = this.#known.get(path);
    if (known !== undefined && isCurrent(path, known)) return known.sum;
    return sumNow(path);
  }

  /**
   * To be told before the first of them is asked for.
   *
   * @param paths absolute
   * @throws {Unread} within `attempt`, where it would take long to read them
   */
  announce(paths: readonly string[]): void {
    if (this.#unread === undefined) return;
    const unread = new Map<string, FileState>();
    let bytes = 0;
    for (const path of paths) {
      const state = stateAt(path);
      if (state === undefined || this.#isKnown(path, state)) continue;
      unread.set(path, state);
      bytes += state.size;
    }
    if (bytes < this.#atOnceBytes) return;
    for (const [path, state] of unread) this.#unread.set(path, state);
    throw new Unread();
  }

  attempt<T>(work: () => T): Attempted<T> {
    const unread = new Map<string, FileState>();
    this.#unread = unread;
    try {
      const value = work();
      // An expression may have caught what was thrown; what it made of that is worth nothing.
      if (unread.size === 0) return { value };
    } catch (thrown) {
      if (unread.size === 0) throw thrown;
    } finally {
      this.#unread = undefined;
    }
    return { read: (signal) => this.#read(unread, signal) };
  }

  /** What cannot be read says so when it is asked for. */
  async #read(files: ReadonlyMap<string, FileState>, signal: AbortSignal): Promise<void> {
    const bytes = [...files.values()].reduce((sum, { size }) => sum + size, 0);
    if (bytes >= TOLD_BYTES) {
      const [first = ""] = files.keys();
      const more = files.size > 1 ? ` and ${files.size - 1} more` : "";
      log.warn(
        `reading ${formatSize(bytes)} that a step depends on, as every run does: ${first}${more}`,
      );
    }
    const turns = new Turns({ signal });
    for (const [path, state] of files) {
      await this.#settled(state, signal);
      const sum = await readableSum(path, { turns, signal });
      if (sum !== undefined) this.#known.set(path, { state, sum });
    }
  }

  /** By the next change its times are others, however coarse the file system's clock is. */
  async #settled(state: FileState, signal: AbortSignal): Promise<void> {
    const age = this.#clock.now() - changedAtMs(state);
    if (age > GRANULE_MS) return;
    await this.#clock.sleep(Math.min(GRANULE_MS, GRANULE_MS - age), { signal });
  }

  #isKnown(path: string, state: FileState): boolean {
    const known = this.#known.get(path);
    return known !== undefined && isSameState(known.state, state);
  }
}

/** Only ever thrown within `attempt`, which takes no notice of what it does on its way. */
export class Unread extends Error {
  override readonly name = "Unread";

  constructor() {
    super("files must be read before");
  }
}

function isCurrent(path: string, { state }: Known): boolean {
  const now = stateAt(path);
  return now !== undefined && isSameState(now, state);
}

/** Undefined where there is no file that can be asked about. */
function stateAt(path: string): FileState | undefined {
  try {
    const state = readState(path, true);
    return state?.kind === "file" ? state : undefined;
  } catch {
    return undefined;
  }
}

const PIECE_BYTES = 256 * 1024;

/** In pieces: a list of tasks may be larger than memory. */
function sumNow(path: string): string {
  const { closeSync, openSync, readSync } = nodeFs();
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    const digest = nodeCrypto().createHash("sha256");
    const piece = new Uint8Array(PIECE_BYTES);
    for (let read = readSync(file, piece); read > 0; read = readSync(file, piece)) {
      digest.update(piece.subarray(0, read));
    }
    return digest.digest("hex");
  } catch (error) {
    throw new GridError({
      code: "step-failed",
      message: `Cannot read "${path}", which the step depends on: ${toGridError(error).message}`,
      hint: "make it readable, or name narrower globs",
      cause: error,
    });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Undefined where it cannot be read. @throws the signal's reason */
async function readableSum(
  path: string,
  { turns, signal }: { readonly turns: Turns; readonly signal: AbortSignal },
): Promise<string | undefined> {
  try {
    return await sumInTurns(path, turns);
  } catch (error) {
    // Its reason may have a code, too.
    signal.throwIfAborted();
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  }
}
