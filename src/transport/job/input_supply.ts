/** The bytes of a job's input: read ahead as far as there is room, and kept while they may be wanted again. */
import { raceAbort } from "../../core/deadline.ts";
import { fileReader, type InputFile, type InputReader, inputReader } from "./input_reader.ts";
import { InputRing } from "./input_ring.ts";

/** Bytes read at a time, where there are as many. */
const READ_BYTES = 2 ** 20;
/** As long as no more was read, all of it can be given once more. Less than the ring holds. */
const REPEATABLE_BYTES = 4 * 2 ** 20;
/** From here on it pays to start another program for them. */
const PASSED_BYTES = 16 * 2 ** 20;
/** What is passed is a whole number of these. */
const BLOCK_BYTES = 2 ** 20;
/** So much is passed at a time: a file may be cut meanwhile. */
const MOST_PASSED_BYTES = 2 ** 30;

export interface InputSource {
  readonly stream: ReadableStream<Uint8Array>;
  /** As many bytes will come, where that is known. */
  readonly size?: number | undefined;
  /** The stream is this process's own standard input, and a file, which is opened here once more. */
  readonly file?: InputFile | undefined;
}

/** Positions are counted from the first byte of the input. */
export class InputSupply {
  readonly size: number;
  readonly #given: InputReader;
  readonly #file: InputFile | undefined;
  readonly #ring = new InputRing();
  #source: InputReader;
  #isReading = false;
  #hasEnded = false;
  #fault: unknown;
  #news = Promise.withResolvers<void>();
  /** Before it lies nothing that the command has not got. */
  #arrived = 0;

  constructor({ stream, size = 0, file }: InputSource) {
    this.#given = this.#source = inputReader(stream, READ_BYTES);
    this.size = size;
    this.#file = file;
  }

  /** What reading the source threw. */
  get fault(): unknown {
    return this.#fault;
  }

  /** Whether it can no longer be given from the beginning. */
  get isSpent(): boolean {
    return this.#ring.from > 0;
  }

  /** Whether the command may be given what lies at `at` next. */
  has(at: number): boolean {
    return at >= (this.#canRewind ? 0 : this.#ring.from) && at <= this.#ring.end;
  }

  /** The command has got all before `at`. It is kept as long as all of it may be wanted again. */
  arrived(at: number): void {
    this.#arrived = at;
    if (this.#ring.end > REPEATABLE_BYTES) this.#ring.forget(at);
    this.#tell();
  }

  /** How many bytes from `at` on another program can pass; 0 where it is not worth it, or too late. */
  passable(at: number): number {
    if (!this.#canRewind || at !== this.#ring.end) return 0;
    const rest = this.size - at;
    if (rest < (at === 0 ? PASSED_BYTES : BLOCK_BYTES)) return 0;
    return Math.min(rest - rest % BLOCK_BYTES, MOST_PASSED_BYTES);
  }

  /** So many bytes are left to another program. */
  leave(bytes: number): void {
    this.#ring.restart(this.#ring.end + bytes);
  }

  /** Waits until all before `at` has arrived. */
  async allArrived(at: number, signal: AbortSignal): Promise<void> {
    while (this.#arrived < at) await raceAbort(this.#news.promise, signal);
  }

  /** Goes on from `at`, which it has, by reading itself. */
  readFrom(at: number): void {
    if (this.#canRewind && this.#file !== undefined && at !== this.#ring.end) {
      this.#source = fileReader(this.#file, { at, mostBytes: READ_BYTES });
      this.#ring.restart(at);
    }
    this.read();
  }

  /** Reading ahead begins. */
  read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    void (async () => {
      try {
        for (;;) {
          while (this.#ring.room < READ_BYTES) await this.#news.promise;
          const bytes = await this.#source.read();
          if (bytes === undefined) break;
          await this.#put(bytes);
        }
      } catch (error) {
        this.#fault = error;
      }
      this.#hasEnded = true;
      this.#tell();
    })();
  }

  /** What there is at `at`, as soon as there is something; empty at the end. Valid until it is forgotten. */
  async piece(at: number, { most, signal }: {
    readonly most: number;
    readonly signal: AbortSignal;
  }): Promise<Uint8Array> {
    while (this.#ring.end === at && !this.#hasEnded) await raceAbort(this.#news.promise, signal);
    return this.#ring.slice(at, most);
  }

  /** Nobody wants the rest. */
  async cancel(): Promise<void> {
    await this.#given.cancel().catch(() => {});
    this.#file?.file.close();
  }

  /** Nothing of it was read here: what was passed can be read in the file. */
  get #canRewind(): boolean {
    return this.#file !== undefined && !this.#isReading;
  }

  /** A source may give more at a time than it was asked for. */
  async #put(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += READ_BYTES) {
      while (this.#ring.room < READ_BYTES) await this.#news.promise;
      this.#ring.put(bytes.subarray(at, at + READ_BYTES));
      this.#tell();
    }
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}
