/** When the lines of a run's logs came: where a time begins in a log, and the time before each line. */
import { GridError } from "../core/errors.ts";
import { offsetSince, readLogTimes, timeAt } from "../report/log_times.ts";
import { STAMP_LENGTH, StampedLines } from "./stamped_lines.ts";

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

export interface LogClockOptions {
  readonly run: string;
  /** Absolute, of the logs. */
  readonly folder: string;
  /** Only what came from then on, in milliseconds since the epoch. */
  readonly since: number | undefined;
  readonly timestamps: boolean;
}

export class LogClock {
  readonly #options: LogClockOptions;
  readonly #stamped = new Map<string, StampedLines>();
  #times: ReturnType<typeof readLogTimes>;

  constructor(options: LogClockOptions) {
    this.#options = options;
  }

  /** Bytes before each line that are none of it. */
  get stampLength(): number {
    return this.#options.timestamps ? STAMP_LENGTH : 0;
  }

  /** Whether anybody wants to know a time. */
  get isAsked(): boolean {
    return this.#options.since !== undefined || this.#options.timestamps;
  }

  /** Before logs are read that are there: the times of what stands in them must be known. */
  look(): void {
    const { run, folder } = this.#options;
    this.#times = readLogTimes(folder);
    if (this.#times === undefined) throw timeless(run);
  }

  /** Where what is wanted of a log begins; undefined where nothing of it has come yet. */
  async beginning(file: Deno.FsFile, name: string): Promise<number | undefined> {
    const { since } = this.#options;
    if (since === undefined) return 0;
    const offset = offsetSince(this.#times?.get(name) ?? [], since);
    return offset === undefined || offset === 0 ? offset : await nextLine(file, offset);
  }

  /** Takes the bytes of a log from that offset on, in order, and gives what is to be shown. */
  linesOf(name: string, offset: number): (bytes: Uint8Array) => Uint8Array {
    if (!this.#options.timestamps) return (bytes) => bytes;
    const lines = this.#stamped.get(name) ??
      new StampedLines(offset, (at) => timeAt(this.#times?.get(name) ?? [], at));
    this.#stamped.set(name, lines);
    return (bytes) => lines.push(bytes);
  }
}

/** The first line that begins at this offset or after it. */
async function nextLine(file: Deno.FsFile, offset: number): Promise<number> {
  // What stands before may have ended its line.
  await file.seek(offset - 1, Deno.SeekMode.Start);
  const buffer = new Uint8Array(CHUNK_BYTES);
  let at = offset - 1;
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
    const end = buffer.subarray(0, count).indexOf(NEWLINE);
    if (end >= 0) return at + end + 1;
    at += count;
  }
  return at;
}

function timeless(run: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot tell when the lines of run ${run} came: an older Grid kept no times`,
    hint: "leave out --since and --timestamps",
  });
}
