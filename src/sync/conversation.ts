/**
 * A shell script on a channel of its own, talked to in both directions. Script and words travel over
 * stdin, so that nothing the user named ever stands on a command line.
 */
import { GridError } from "../core/errors.ts";
import { raceAbort } from "../core/deadline.ts";
import { formatDuration } from "../core/duration.ts";
import { randomWord } from "../core/ids.ts";
import { formatSize } from "../core/size.ts";
import { missingEnv } from "../transport/missing_env.ts";
import type { Channel, Transport } from "../transport/transport.ts";
import { ByteReader } from "../transport/byte_reader.ts";
import { programOverStdin } from "../transport/node_program.ts";

export interface PreparationOptions {
  /**
   * POSIX shell text, ASCII only. Its first line of input is the marker, then come the words. Where the
   * input ends before, it ends too, and has done nothing.
   */
  readonly script: string;
  readonly signal: AbortSignal;
  /** Ends it where nothing came, or nothing was taken, for this long; default 2 minutes. */
  readonly silenceMs?: number;
  /** Much may be sent, see `Transport.expectBulk`. */
  readonly isBulk?: boolean;
}

export interface ConversationOptions extends PreparationOptions {
  /** One line each. */
  readonly words: readonly string[];
}

/** Scripts that work on something for long say `busy` every five seconds. */
const SILENCE_MS = 120_000;
/** A day of them: one that says so without a pause is at nothing. */
const MOST_BUSY_LINES = 24 * 60 * 60 / 5;
const MOST_LINE_BYTES = 64 * 1024;
/** What start-up files print before the script speaks. */
const MOST_GREETING_BYTES = 2 ** 20;
/** How long a script may take to clean up once its input has ended. */
const FAREWELL_MS = 2000;
const MOST_WORDS_BYTES = 64 * 1024;

const encoder = new TextEncoder();

export class Conversation implements AsyncDisposable {
  readonly #channel: Channel;
  readonly #reader: ByteReader;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #signal: AbortSignal;
  readonly #node: string;
  readonly #silenceMs: number;
  readonly #complaints: Promise<string>;
  #isClosed = false;

  private constructor(
    channel: Channel,
    options: { signal: AbortSignal; node: string; silenceMs: number },
  ) {
    this.#channel = channel;
    this.#silenceMs = options.silenceMs;
    this.#reader = new ByteReader(channel.stdout, (piece) => this.#patiently(piece));
    this.#writer = channel.stdin.getWriter();
    this.#signal = options.signal;
    this.#node = options.node;
    this.#complaints = collect(channel.stderr);
    // A lost link shows in what is read and written too.
    channel.exit.catch(() => {});
  }

  /** @throws {GridError} a transport code, or `shell` where the node does not run the script */
  static start(transport: Transport, options: ConversationOptions): Promise<Conversation> {
    return new Preparation(transport, options).begin(options.words);
  }

  /** The script is on its way, and has no words yet. */
  static async prepare(transport: Transport, options: PreparationOptions): Promise<Conversation> {
    const { command, script } = programOverStdin(options.script);
    const channel = await transport.open(command, options);
    const talk = new Conversation(channel, {
      signal: options.signal,
      node: transport.endpoint.name,
      silenceMs: options.silenceMs ?? SILENCE_MS,
    });
    try {
      await talk.write(encoder.encode(script));
    } catch (error) {
      await talk[Symbol.asyncDispose]();
      throw error;
    }
    return talk;
  }

  /** Says the words, and hears that the script has them. */
  async begin(words: readonly string[]): Promise<void> {
    const marker = `grid:${randomWord(12)}`;
    await this.write(encoder.encode([marker, ...words, ""].join("\n")));
    await this.#skipTo(marker);
  }

  /**
   * The next line of the answer.
   *
   * @throws {GridError} `shell` where there is none, `sync` for an endless one or no end of "busy", `timed-out` for
   * silence
   */
  async line(): Promise<string> {
    for (let room = MOST_BUSY_LINES; room > 0; room--) {
      const line = await this.#line() ?? await this.#fail();
      if (line !== "busy") return line;
    }
    throw this.tooMuch(`"busy" ${MOST_BUSY_LINES} times, and no answer`);
  }

  /** @throws {GridError} as `line`; `sync` where the node says that more than `most` are coming */
  async bytes(count: number, most: { readonly bytes: number; readonly what: string }) {
    if (!(count <= most.bytes)) {
      throw this.tooMuch(`more than ${formatSize(most.bytes)} of ${most.what}`);
    }
    return await this.#until(this.#reader.bytes(count)) ?? await this.#fail();
  }

  /** What is left to say, as text. */
  async rest(): Promise<string> {
    return new TextDecoder().decode(await this.#until(this.#reader.rest(MOST_WORDS_BYTES)));
  }

  /** The rest of the answer as a stream. */
  pieces(): AsyncIterable<Uint8Array> {
    return this.#reader.pieces();
  }

  /** What the node printed on stderr, once it has ended. */
  async complaints(): Promise<string> {
    return await this.#until(this.#complaints);
  }

  /**
   * Waits until the channel has room; a broken channel shows at the next write or read.
   *
   * @param written hears when they have left, and nobody looks at them any more
   */
  async write(bytes: Uint8Array, written?: () => void): Promise<void> {
    await this.#patiently(this.#writer.ready);
    this.#writer.write(bytes).then(written, () => {});
  }

  /** No more input. */
  async end(): Promise<void> {
    this.#isClosed = true;
    // A channel that died says so at the next read, with what it knows of the reason.
    await this.#patiently(this.#writer.close().catch(() => {}));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closing = this.#isClosed ? undefined : this.#writer.close();
    closing?.catch(() => {});
    // The script sees the end of its input and removes what it staged.
    const timer = Promise.withResolvers<void>();
    const timeout = setTimeout(timer.resolve, FAREWELL_MS);
    await Promise.race([this.#channel.exit.catch(() => {}), timer.promise]);
    clearTimeout(timeout);
    await this.#reader.cancel();
    await this.#channel[Symbol.asyncDispose]();
    await this.#complaints;
  }

  #until<T>(work: Promise<T>): Promise<T> {
    return raceAbort(work, this.#signal);
  }

  /** A node that is silent for too long will not speak again. */
  #patiently<T>(work: Promise<T>): Promise<T> {
    const silence = Promise.withResolvers<never>();
    const timer = setTimeout(() => silence.reject(this.#silent()), this.#silenceMs);
    return this.#until(Promise.race([work, silence.promise])).finally(() => clearTimeout(timer));
  }

  #line(): Promise<string | undefined> {
    return this.#until(
      this.#reader.line(
        MOST_LINE_BYTES,
        () => this.tooMuch(`a line longer than ${formatSize(MOST_LINE_BYTES)}`),
      ),
    );
  }

  async #skipTo(marker: string): Promise<void> {
    for (let room = MOST_GREETING_BYTES; room > 0;) {
      const line = await this.#line();
      if (line === undefined) await this.#fail();
      if (line === marker) return;
      room -= (line?.length ?? 0) + 1;
    }
    throw this.tooMuch(`more than ${formatSize(MOST_GREETING_BYTES)} before its answer`);
  }

  /** The node sent `what`, which is more than it may; to be thrown. */
  tooMuch(what: string): GridError {
    return new GridError({
      code: "sync",
      message: `Cannot sync with "${this.#node}": it sent ${what}`,
      hint: `Nothing of it was believed. Try: grid run --node ${this.#node} "echo works"`,
      node: this.#node,
    });
  }

  #silent(): GridError {
    return new GridError({
      code: "timed-out",
      message: `Cannot sync with "${this.#node}": nothing moved for ${
        formatDuration(this.#silenceMs)
      }`,
      hint: `Look at its disk and its processes: grid run --node ${this.#node} "df -h; uptime"`,
      node: this.#node,
    });
  }

  async #fail(): Promise<never> {
    const exit = await this.#until(this.#channel.exit);
    const how = exit.kind === "code" ? `exit code ${exit.code}` : exit.signal;
    const complaint = (await this.#complaints).trim().split("\n").at(-1);
    const noEnv = missingEnv(complaint ?? "");
    const state = noEnv?.state ??
      `its shell ended early with ${how}${complaint ? ` (${complaint})` : ""}`;
    throw new GridError({
      code: "shell",
      message: `Cannot sync with "${this.#node}": ${state}`,
      hint: noEnv?.hint ?? `Try: grid run --node ${this.#node} "echo works"`,
      node: this.#node,
    });
  }
}

/** A script that is started before anybody knows its words. */
export class Preparation implements AsyncDisposable {
  readonly #talk: Promise<Conversation>;
  #isTaken = false;

  constructor(transport: Transport, options: PreparationOptions) {
    this.#talk = Conversation.prepare(transport, options);
    this.#talk.catch(() => {});
  }

  /** Whether it can begin yet. */
  get isFresh(): boolean {
    return !this.#isTaken;
  }

  /** Once; whoever gets the conversation ends it. @throws as `Conversation.start` */
  async begin(words: readonly string[]): Promise<Conversation> {
    this.#isTaken = true;
    const talk = await this.#talk;
    try {
      await talk.begin(words);
    } catch (error) {
      await talk[Symbol.asyncDispose]();
      throw error;
    }
    return talk;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isTaken) return;
    this.#isTaken = true;
    const talk = await this.#talk.catch(() => undefined);
    await talk?.[Symbol.asyncDispose]();
  }
}

async function collect(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const piece of stream) {
      if (text.length < MOST_WORDS_BYTES) text += decoder.decode(piece, { stream: true });
    }
  } catch {
    // The link is gone; what was read so far still helps.
  }
  return text;
}
