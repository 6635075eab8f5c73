/** What a runner reads from its own standard input becomes that of a job, over links that may break. */
import { raceAbort } from "../../core/deadline.ts";
import { GridError } from "../../core/errors.ts";
import { randomWord } from "../../core/ids.ts";
import { quote } from "../../core/shell.ts";
import { ByteReader } from "../byte_reader.ts";
import { nodePrelude, programOverStdin } from "../node_program.ts";
import type { Channel } from "../transport.ts";
import { type InputReader, inputReader } from "./input_reader.ts";
import { InputRing } from "./input_ring.ts";
import { InputWay } from "./input_way.ts";
import type { JobLink } from "./job_link.ts";
import { jobProgram } from "./job_script.ts";

/** Bytes read at a time, where there are as many. */
const READ_BYTES = 2 ** 20;
/** Bytes of one piece: as many as there are, so that small ones go at once and large ones cost little. */
const PIECE_BYTES = 2 ** 20;
/** As long as no more was read, another try of the command can be given the same. Less than the ring holds. */
const REPEATABLE_BYTES = 4 * 2 ** 20;
const MOST_LINE_BYTES = 64 * 1024;
/** What start-up files print before the program speaks. */
const MOST_GREETING_LINES = 10_000;
const NUMBER = /^\d{1,15}$/;
const encoder = new TextEncoder();

export interface InputSource {
  readonly stream: ReadableStream<Uint8Array>;
  /** As many bytes will come, where that is known. */
  readonly size?: number | undefined;
}

/** One input, read once; given to the jobs of a step's tries, one after the other. */
export class JobInput {
  readonly #source: InputReader;
  readonly #size: number;
  readonly #ring = new InputRing();
  #hasEnded = false;
  #fault: unknown;
  #news = Promise.withResolvers<void>();
  #isReading = false;
  #givenTo: string | undefined;
  /** Links that brought this job some of it. */
  #turns = 0;

  constructor({ stream, size = 0 }: InputSource) {
    this.#source = inputReader(stream, READ_BYTES);
    this.#size = size;
  }

  /** Whether another job than this can no longer be given all of it. */
  isSpentFor(job: string): boolean {
    return this.#givenTo !== undefined && this.#givenTo !== job && this.#ring.from > 0;
  }

  /**
   * Gives the job all that comes, as fast as it takes it; returns when there is no more or it takes no more.
   *
   * @throws {GridError} `workspace` where the node has no room; `lost` when it stays away for the lease;
   * `step-failed` where nobody knows how much the command has got; the signal's reason; what reading the
   * source threw
   */
  async feed(link: JobLink, signal: AbortSignal): Promise<void> {
    if (this.#givenTo !== link.identity.id) {
      this.#givenTo = link.identity.id;
      this.#turns = 0;
    }
    this.#read();
    const way = new InputWay(link.transport);
    await way.expect(this.#size, signal);
    const turn = () => this.#converse(link, { way, signal });
    while (await link.persist(turn, signal) === "another way");
  }

  /** Nobody wants the rest. */
  async cancel(): Promise<void> {
    await this.#source.cancel().catch(() => {});
  }

  #read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    void (async () => {
      try {
        for (;;) {
          while (this.#ring.room < READ_BYTES) await this.#somethingNew();
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

  /** A source may give more at a time than it was asked for. */
  async #put(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += READ_BYTES) {
      while (this.#ring.room < READ_BYTES) await this.#somethingNew();
      this.#ring.put(bytes.subarray(at, at + READ_BYTES));
      this.#tell();
    }
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  #somethingNew(): Promise<void> {
    return this.#news.promise;
  }

  async #converse(
    link: JobLink,
    { way, signal }: { readonly way: InputWay; readonly signal: AbortSignal },
  ): Promise<"over" | "another way"> {
    const { command, script } = programOverStdin(pourProgram());
    const marker = `grid:${randomWord(12)}`;
    const { root, id } = link.identity;
    const isBulk = way.take();
    await using channel = await link.transport.open(command, { signal, isBulk });
    channel.exit.catch(() => {});
    const ended = new AbortController();
    const either = AbortSignal.any([signal, ended.signal]);
    const writer = channel.stdin.getWriter();
    const send = async (bytes: Uint8Array) => {
      await raceAbort(writer.ready, either);
      writer.write(bytes).catch(() => {});
    };
    try {
      const words = [marker, root, id, ++this.#turns].join("\n");
      await send(encoder.encode(`${script}${words}\n`));
      const begun = Promise.withResolvers<number>();
      const heard = this.#hear(channel, { link, marker, signal, begin: begun.resolve })
        .finally(() => ended.abort());
      heard.catch(() => {});
      const poured = raceAbort(begun.promise, either)
        .then((at) => this.#pour(send, { at, way, isBulk, signal: either }));
      const isAll = await poured.catch((error) => {
        if (signal.aborted || error === this.#fault) throw error;
        // Nothing can be sent any more; why not is for the node to say, or for its silence.
        return true;
      });
      // What was sent is handed on first: the next turn begins behind it.
      if (!isAll) writer.close().catch(() => {});
      if (await heard === "over") return "over";
      if (isAll) throw gone(link);
      await raceAbort(channel.exit.catch(() => {}), signal);
      return "another way";
    } finally {
      // Not waited for: what is under way may be stuck until the channel is closed.
      writer.abort().catch(() => {});
    }
  }

  /** Sends what is there from `at` on, then what comes; up to the end, or false where a better way is open. */
  async #pour(
    send: (bytes: Uint8Array) => Promise<void>,
    { at, way, isBulk, signal }: {
      at: number;
      readonly way: InputWay;
      readonly isBulk: boolean;
      readonly signal: AbortSignal;
    },
  ): Promise<boolean> {
    for (;;) {
      if (way.isBetter) return false;
      while (this.#ring.end === at && !this.#hasEnded) {
        await raceAbort(this.#somethingNew(), signal);
      }
      const piece = this.#ring.slice(at, PIECE_BYTES);
      if (piece.length === 0) break;
      await send(encoder.encode(`${piece.length}\n`));
      await send(piece);
      at += piece.length;
      way.sent(piece.length, { isBulk });
    }
    if (this.#fault !== undefined) throw this.#fault;
    await send(encoder.encode("end\n"));
    return true;
  }

  /** What the command has got goes, unless all of it may be wanted again. */
  #forget(at: number): void {
    if (this.#ring.end <= REPEATABLE_BYTES) return;
    this.#ring.forget(at);
    this.#tell();
  }

  /** Whether the command wants no more; or what was listened to has ended. */
  async #hear(
    channel: Channel,
    { link, marker, signal, begin }: {
      link: JobLink;
      marker: string;
      signal: AbortSignal;
      begin: (at: number) => void;
    },
  ): Promise<"over" | "ended"> {
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
        if (word === "over" || word === "end") return "over";
        if (word === undefined) return "ended";
        if (word === "room") throw noRoom(link);
        if (word === "torn") throw torn(link);
        const isFirst = word.startsWith("at ");
        const number = isFirst ? word.slice(3) : word;
        const at = NUMBER.test(number) ? Number(number) : -1;
        if (at < this.#ring.from || at > this.#ring.end) {
          throw strange(link, `"${word.slice(0, 80)}"`);
        }
        this.#forget(at);
        if (isFirst) begin(at);
      }
    } finally {
      await reader.cancel();
    }
  }
}

function pourProgram(): string {
  const relay = `grid_pour_program=${quote(jobProgram("pour.pl"))}\n`;
  return [nodePrelude(), relay, jobProgram("job_pour.sh")].join("\n");
}

/** The link, or the program, ended: worth another try. */
function gone(link: JobLink): GridError {
  return new GridError({
    code: "channel",
    message: `Cannot give the command on "${link.node}" its input: the connection ended`,
    node: link.node,
  });
}

/** Whatever was sent now could be missed, or come twice. */
function torn(link: JobLink): GridError {
  return new GridError({
    code: "step-failed",
    message:
      `Cannot give the command on "${link.node}" the rest of its input: what handed it on was ` +
      "killed there in the midst, so nobody knows how much has arrived",
    hint: `end it, and run it once more: grid kill ${link.identity.id}`,
    node: link.node,
  });
}

function noRoom(link: JobLink): GridError {
  return new GridError({
    code: "workspace",
    message:
      `Cannot give the command on "${link.node}" its input: the node has no room to note how far it is`,
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
