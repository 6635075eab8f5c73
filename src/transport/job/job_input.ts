/** What a runner reads from its own standard input becomes that of a job, over links that may break. */
import { raceAbort } from "../../core/deadline.ts";
import { concatBytes } from "../../core/bytes.ts";
import { GridError } from "../../core/errors.ts";
import { randomWord } from "../../core/ids.ts";
import { ByteReader } from "../byte_reader.ts";
import { nodePrelude, programOverStdin } from "../node_program.ts";
import type { Channel } from "../transport.ts";
import type { JobLink } from "./job_link.ts";
import { jobProgram } from "./job_script.ts";

/** Bytes of one piece; small ones go at once while few are on their way. */
const PIECE_BYTES = 2 * 2 ** 20;
/** Bytes handed to the channel at a time: what it makes of them is garbage soon. */
const SLICE_BYTES = 128 * 1024;
/** Pieces that may lie on the node before the command reads them. */
const WAITING_PIECES = 4;
/** As long as no more was sent, another try of the command can be given the same. */
const REPEATABLE_BYTES = 4 * 2 ** 20;
const MOST_LINE_BYTES = 64 * 1024;
/** What start-up files print before the program speaks. */
const MOST_GREETING_LINES = 10_000;

interface Piece {
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** One input, read once; given to the jobs of a step's tries, one after the other. */
export class JobInput {
  readonly #source: ReadableStreamDefaultReader<Uint8Array>;
  /** In order; the node has told of none of them, or all of them could be given once more. */
  readonly #pieces: Piece[] = [];
  #next = 0;
  #sent = 0;
  #hasEnded = false;
  #fault: unknown;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** What the node has not told to have. */
  #open = 0;
  #news = Promise.withResolvers<void>();
  #isReading = false;
  #givenTo: string | undefined;

  constructor(source: ReadableStream<Uint8Array>) {
    this.#source = source.getReader();
  }

  /** Whether another job than this can no longer be given all of it. */
  isSpentFor(job: string): boolean {
    return this.#givenTo !== undefined && this.#givenTo !== job && this.#sent > REPEATABLE_BYTES;
  }

  /**
   * Gives the job all that comes, as fast as it takes it; returns when there is no more or it takes no more.
   *
   * @throws {GridError} `workspace` where the node has no room; `lost` when it stays away for the lease; the
   * signal's reason; what reading the source threw
   */
  async feed(link: JobLink, signal: AbortSignal): Promise<void> {
    if (this.#givenTo !== link.identity.id) this.#startOver(link.identity.id);
    this.#read();
    await link.persist(() => this.#converse(link, signal), signal);
  }

  /** Nobody wants the rest. */
  async cancel(): Promise<void> {
    await this.#source.cancel().catch(() => {});
  }

  #startOver(job: string): void {
    this.#givenTo = job;
    this.#open = 0;
  }

  /** Reads ahead a little, so that small pieces become few. */
  #read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    void (async () => {
      try {
        for (;;) {
          while (this.#waitingBytes >= PIECE_BYTES) await this.#somethingNew();
          const { value, done } = await this.#source.read();
          if (done) break;
          this.#waiting.push(value);
          this.#waitingBytes += value.length;
          this.#tell();
        }
      } catch (error) {
        this.#fault = error;
      }
      this.#hasEnded = true;
      this.#tell();
    })();
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  #somethingNew(): Promise<void> {
    return this.#news.promise;
  }

  async #converse(link: JobLink, signal: AbortSignal): Promise<void> {
    const { command, script } = programOverStdin(nodePrelude() + jobProgram("job_pour.sh"));
    const marker = `grid:${randomWord(12)}`;
    const { root, id } = link.identity;
    await using channel = await link.transport.open(command, { signal });
    channel.exit.catch(() => {});
    const ended = new AbortController();
    const either = AbortSignal.any([signal, ended.signal]);
    const writer = channel.stdin.getWriter();
    const words = [marker, root, id, WAITING_PIECES].join("\n");
    const send = async (bytes: Uint8Array) => {
      await raceAbort(writer.ready, either);
      writer.write(bytes).catch(() => {});
    };
    try {
      await send(new TextEncoder().encode(`${script}${words}\n`));
      const heard = this.#hear(channel, { link, marker, signal }).finally(() => ended.abort());
      heard.catch(() => {});
      await this.#pour(send, either).catch((error) => {
        if (!ended.signal.aborted || signal.aborted) throw error;
      });
      await heard;
    } finally {
      await writer.abort().catch(() => {});
    }
  }

  /** Sends what the node has not told to have, then what comes; up to the end. */
  async #pour(send: (bytes: Uint8Array) => Promise<void>, signal: AbortSignal): Promise<void> {
    const encoder = new TextEncoder();
    for (let at = this.#open;; at++) {
      const piece = this.#pieceAt(at) ?? await this.#cut(signal);
      if (piece === undefined) break;
      await send(encoder.encode(`${piece.number} ${piece.bytes.length}\n`));
      for (let start = 0; start < piece.bytes.length; start += SLICE_BYTES) {
        await send(piece.bytes.subarray(start, start + SLICE_BYTES));
      }
    }
    await send(encoder.encode(`${this.#next} end\n`));
  }

  #pieceAt(number: number): Piece | undefined {
    return this.#pieces[number - (this.#pieces[0]?.number ?? 0)];
  }

  /** The next piece, as large as what has come, once there is anything and the node takes more. */
  async #cut(signal: AbortSignal): Promise<Piece | undefined> {
    while (this.#waitingBytes === 0 || this.#next - this.#open >= WAITING_PIECES) {
      if (this.#hasEnded && this.#waitingBytes === 0) {
        if (this.#fault !== undefined) throw this.#fault;
        return undefined;
      }
      await raceAbort(this.#somethingNew(), signal);
    }
    const piece = { number: this.#next++, bytes: concatBytes(this.#waiting) };
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#pieces.push(piece);
    this.#sent += piece.bytes.length;
    this.#tell();
    return piece;
  }

  /** What the node has told to have goes, unless all of it may be wanted again. */
  #forget(number: number): void {
    this.#open = number + 1;
    if (this.#sent > REPEATABLE_BYTES) {
      while ((this.#pieces[0]?.number ?? Infinity) < this.#open) this.#pieces.shift();
    }
    this.#tell();
  }

  async #hear(
    channel: Channel,
    { link, marker, signal }: { link: JobLink; marker: string; signal: AbortSignal },
  ): Promise<void> {
    const reader = new ByteReader(channel.stdout);
    const line = async () =>
      await raceAbort(
        reader.line(MOST_LINE_BYTES, () => strange(link, "a line without end")),
        signal,
      );
    try {
      for (let greetings = 0;; greetings++) {
        const word = await line();
        if (word === undefined) throw gone(link);
        if (word === marker) break;
        if (greetings > MOST_GREETING_LINES) throw strange(link, "no answer");
      }
      for (;;) {
        const word = await line();
        if (word === "over") return;
        if (word === undefined) throw gone(link);
        if (word.startsWith("room ")) throw noRoom(link);
        const number = Number(word);
        if (!Number.isInteger(number) || number < 0 || number > this.#next) {
          throw strange(link, `"${word.slice(0, 80)}"`);
        }
        if (number === this.#next) return; // the end, which comes behind the last piece
        this.#forget(number);
      }
    } finally {
      await reader.cancel();
    }
  }
}

/** The link, or the program, ended: worth another try. */
function gone(link: JobLink): GridError {
  return new GridError({
    code: "channel",
    message: `Cannot give the command on "${link.node}" its input: the connection ended`,
    node: link.node,
  });
}

function noRoom(link: JobLink): GridError {
  return new GridError({
    code: "workspace",
    message: `Cannot give the command on "${link.node}" its input: the node could not keep a piece`,
    hint: `is the disk of remote_root full? grid run --node ${link.node} --no-stdin "df -h"`,
    node: link.node,
  });
}

function strange(link: JobLink, what: string): GridError {
  return new GridError({
    code: "answer-invalid",
    message: `Cannot give the command on "${link.node}" its input: the node answered ${what}`,
    hint: `what do its start-up files print? grid run --node ${link.node} --no-stdin "true"`,
    node: link.node,
  });
}
