/** One remote command: a child `ssh` that runs it over a master. */
import type { GridError } from "../../core/errors.ts";
import { randomWord } from "../../core/ids.ts";
import type { Channel, ChannelExit } from "../transport.ts";
import { passesInput, passInput } from "./passed_input.ts";
import { StatusFilter } from "./status_filter.ts";
import { supervisedCommand } from "./supervised_command.ts";

export interface MuxChannelOptions {
  readonly command: string;
  /** Starts ssh, which sends these words to the account's login shell. */
  readonly spawn: (line: string) => Deno.ChildProcess;
  readonly onBytes: (direction: "sent" | "received", count: number) => void;
  /** Given up while the command may still run. */
  readonly onAbandoned: () => void;
  /** Asked where ssh ended without a word about the command; undefined while the connection lives. */
  readonly lostError: () => Promise<GridError | undefined>;
  /** Made where the channel was closed before its command ended. */
  readonly closedError: () => GridError;
}

/** Bytes waiting for a reader before the server is asked to wait, as in the other transport. */
const BUFFER_BYTES = 2 * 1024 * 1024;
/** A server of one session ends the connection with it, and ssh may have the last bytes yet to hand over. */
const LAST_BYTES_MS = 500;
/** What a login shell that never comes to the command is quoted with. */
const PREVIEW_BYTES = 500;

export class MuxChannel implements Channel {
  readonly stdin: WritableStream<Uint8Array>;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  readonly exit: Promise<ChannelExit>;
  /** Settles when ssh has ended. */
  readonly closed: Promise<void>;
  /** Settles when the command has started; never where it does not. */
  readonly started: Promise<void>;
  /** What start-up files printed while the command had not started. */
  preview = "";
  /** Settles when both outputs have been read to their end. */
  readonly drained: Promise<void>;
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #options: MuxChannelOptions;
  readonly #exit = Promise.withResolvers<ChannelExit>();
  readonly #started = Promise.withResolvers<void>();
  readonly #drained = Promise.withResolvers<void>();
  readonly #sources: ReadableStreamDefaultReader<Uint8Array>[] = [];
  readonly #failures: ((reason: unknown) => void)[] = [];
  /** Rejects where the command's bytes may not be whole. */
  readonly #whole: Promise<void>;
  #hasStarted = false;
  #exited = false;
  #running = true;
  #openOutputs = 2;
  #disposed = false;
  #lost: GridError | undefined;

  constructor(options: MuxChannelOptions) {
    this.#options = options;
    const word = randomWord(20);
    this.#child = options.spawn(supervisedCommand(options.command, word));
    this.#stdin = this.#child.stdin.getWriter();
    this.drained = this.#drained.promise;
    this.exit = this.#exit.promise;
    // Whoever only reads the output need not look at `exit` as well.
    this.exit.catch(() => {});
    this.started = this.#started.promise;
    this.#whole = this.#child.status.then((status) => this.#end(status));
    this.#whole.catch((reason) => this.#exit.reject(reason));
    this.closed = this.#child.status.then(() => {});
    const filter = new StatusFilter(word, {
      onStart: () => {
        this.#hasStarted = true;
        this.#started.resolve();
      },
      onExit: (exit) => {
        this.#exited = true;
        this.#exit.resolve(exit);
      },
    });
    this.stdout = this.#readable(this.#child.stdout, { push: (chunk) => chunk });
    this.stderr = this.#readable(this.#child.stderr, {
      push: (chunk) => filter.push(chunk),
      end: () => filter.end(),
    });
    this.stdin = this.#writable();
  }

  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  /** Whether it takes one of the server's sessions, as far as we know. */
  get isOpen(): boolean {
    return (this.#hasStarted || this.#disposed) && this.#running && !this.#exited;
  }

  /** Its command has ended; the server may not yet have forgotten it. */
  get isEnding(): boolean {
    return this.#exited && this.#running;
  }

  get isDisposed(): boolean {
    return this.#disposed;
  }

  /** How ssh itself ended. */
  get status(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  /** The connection broke: what was not read yet is given up, because nobody can say if it is whole. */
  lose(reason: GridError): void {
    this.#lost = reason;
    this.#exit.reject(reason);
    for (const fail of this.#failures) fail(reason);
    this.#kill();
  }

  /** The connection ended: what ssh then brings to its end by itself is whole all the same. */
  async outlive(reason: GridError): Promise<void> {
    const timeUp = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => timeUp.resolve(undefined), LAST_BYTES_MS);
    const status = await Promise.race([this.#child.status, timeUp.promise]);
    clearTimeout(timer);
    if (status?.code !== 0 || status.signal !== null) this.lose(reason);
  }

  get passInput(): Channel["passInput"] {
    const { pid } = this.#child;
    if (!passesInput(pid)) return undefined;
    return async (bytes, signal) => {
      const isAll = await passInput(pid, { bytes, signal });
      if (isAll) this.#options.onBytes("sent", bytes);
      return isAll;
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    // Once both ends of output are closed the exit code is only a moment away.
    const isOver = this.#exited || this.#openOutputs === 0 || !this.#running;
    const reason = this.#options.closedError();
    this.#exit.reject(reason);
    for (const fail of this.#failures) fail(reason);
    this.#stdin.abort().catch(() => {});
    await Promise.all(this.#sources.map((source) => source.cancel().catch(() => {})));
    // A command that goes on takes its session with it until it is ended, and so does this ssh.
    if (!isOver) this.#options.onAbandoned();
  }

  #kill(): void {
    if (!this.#running) return;
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      // It ended between the look and the signal.
      if (!(error instanceof Deno.errors.NotFound || error instanceof TypeError)) throw error;
    }
  }

  /** Says whether all is there: ssh ends with 0 only after the words about the end. */
  async #end(status: Deno.CommandStatus): Promise<void> {
    this.#running = false;
    this.#stdin.abort().catch(() => {});
    if (this.#lost) throw this.#lost;
    if (this.#disposed) throw this.#options.closedError();
    if (status.code === 0 && status.signal === null) return;
    const lost = await this.#options.lostError();
    if (lost) throw lost;
    // The connection lives, so something has ended the shell that tells how the command ended.
    this.#exit.resolve({ kind: "signal", signal: "SIGKILL" });
  }

  #readable(
    source: ReadableStream<Uint8Array>,
    filter: { push(chunk: Uint8Array): Uint8Array; end?(): Uint8Array },
  ): ReadableStream<Uint8Array> {
    const reader = source.getReader();
    this.#sources.push(reader);
    let open = true;
    /** Returns the command's own bytes; undefined at the end. */
    const read = async (): Promise<Uint8Array | undefined> => {
      const { value } = await reader.read();
      if (value) this.#receive(value);
      return value && filter.push(value);
    };
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#failures.push((reason) => {
          if (open) controller.error(reason);
          open = false;
        });
      },
      pull: async (controller) => {
        let bytes: Uint8Array | undefined = new Uint8Array();
        while (open && bytes?.length === 0) bytes = await read();
        if (open && bytes) return controller.enqueue(bytes);
        this.#endOutput();
        const rest = filter.end?.() ?? new Uint8Array();
        await this.#whole;
        if (!open) return;
        open = false;
        if (rest.length > 0) controller.enqueue(rest);
        controller.close();
      },
      cancel: () => {
        open = false;
        // Read and dropped, or the command would never get to write its last.
        void (async () => {
          while (await read());
          this.#endOutput();
        })().catch(() => {});
      },
    }, { highWaterMark: BUFFER_BYTES, size: (chunk) => chunk.byteLength });
  }

  #endOutput(): void {
    this.#openOutputs--;
    if (this.#openOutputs === 0) this.#drained.resolve();
  }

  #receive(chunk: Uint8Array): void {
    this.#options.onBytes("received", chunk.length);
    if (this.#hasStarted || this.preview.length >= PREVIEW_BYTES) return;
    this.preview += new TextDecoder().decode(chunk.subarray(0, PREVIEW_BYTES));
  }

  #writable(): WritableStream<Uint8Array> {
    const writer = this.#stdin;
    return new WritableStream<Uint8Array>({
      write: async (chunk) => {
        this.#options.onBytes("sent", chunk.length);
        try {
          await writer.write(chunk);
        } catch (error) {
          await this.#whole;
          throw new Error("the command has ended", { cause: error });
        }
      },
      close: () => writer.close(),
      abort: () => writer.abort(),
    });
  }
}
