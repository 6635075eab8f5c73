/** One long-lived POSIX `sh`, fed with commands over its stdin, one at a time. */
import { monotonic } from "../../core/clock.ts";
import { GridError } from "../../core/errors.ts";
import { randomWord } from "../../core/ids.ts";
import { answerTooLong, LONGEST_ANSWER } from "../bounded_text.ts";
import { Frame } from "./shell_frame.ts";
import {
  answeringScript,
  decodeOutput,
  framedScript,
  frameMarkers,
  waitingScript,
} from "./shell_script.ts";
import { quote } from "../../core/shell.ts";
import type { Channel, ExecOptions, ExecResult } from "../transport.ts";

const GREETING_CHARACTERS = 1000;
/** How long an idle shell may take to leave by itself. */
const LEAVING_MS = 1500;
/** What `job_turn.sh` leaves with where the shell wakes again and again for nothing. */
const SLEEPLESS = 121;
const encoder = new TextEncoder();

interface Pending {
  readonly frames: { readonly stdout: Frame; readonly stderr?: Frame };
  /** Called once what the command prints has begun to arrive: it runs. */
  readonly onBegun: () => void;
  /** An answer that is longer is given up at once, and the shell with it. */
  readonly maxBytes?: number;
  resolve(): void;
  reject(reason: unknown): void;
}

export interface ShellWaitOptions {
  /** Default 4 MiB. */
  readonly maxBytes?: number | undefined;
  readonly library?: string | undefined;
  /** Asks the command to end now. */
  readonly stop: AbortSignal;
}

export interface Farewell {
  readonly left: string;
  readonly words: string;
}

export class ShellSession implements AsyncDisposable {
  readonly #node: string;
  readonly #channel: Channel;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #readers: readonly ReadableStreamDefaultReader<Uint8Array>[];
  readonly #pumps: Promise<unknown>;
  readonly #libraries = new Set<string>();
  #pending: Pending | undefined;
  #left: string | undefined;
  /** Why no more commands can be sent. */
  #end: { readonly reason: unknown } | undefined;
  /** When bytes last came, on the monotonic clock. */
  heardAt = monotonic();
  /** The end of what was printed before any command could be. */
  #greeting = "";
  #hasAnswered = false;

  constructor(node: string, channel: Channel) {
    this.#node = node;
    this.#channel = channel;
    this.#writer = channel.stdin.getWriter();
    const stdout = channel.stdout.getReader();
    const stderr = channel.stderr.getReader();
    this.#readers = [stdout, stderr];
    this.#pumps = Promise.all([this.#pump(stdout, "stdout"), this.#pump(stderr, "stderr")]);
    channel.exit.then(
      (exit) => {
        this.#left = exit.kind === "code" ? `exit ${exit.code}` : exit.signal;
        this.#stop(this.#endedBy(this.#left));
      },
      (reason) => this.#stop(reason),
    );
  }

  get usable(): boolean {
    return this.#end === undefined && this.#pending === undefined;
  }

  /**
   * How the shell itself ended, and the last line that was printed before any command came to anything;
   * undefined where it lives, or where the way to it is gone.
   */
  async farewell(): Promise<Farewell | undefined> {
    if (this.#end === undefined) return undefined;
    // The end may be known before the words.
    const left = this.#channel.exit.then(() => {}, () => {});
    await within(LEAVING_MS, Promise.all([left, this.#pumps]));
    if (this.#left === undefined) return undefined;
    const lines = this.#greeting.split("\n").map((line) => line.trim());
    return { left: this.#left, words: lines.findLast((line) => line !== "") ?? "" };
  }

  /** Rejects where the shell ends first. The caller sets the deadline, and then drops the session. */
  async run(command: string, options: ExecOptions): Promise<ExecResult> {
    const word = randomWord(20);
    const { stdin, answers = false, dropsStderr = answers } = options;
    const script = this.#newLibrary(options.library) +
      (answers
        ? answeringScript(command, word)
        : framedScript(command, { word, stdin, dropsStderr }));
    const maxBytes = options.maxBytes ?? LONGEST_ANSWER;
    const frame = () => new Frame({ ...frameMarkers(word), maxBytes });
    const frames = { stdout: frame(), ...(!dropsStderr && { stderr: frame() }) };
    await this.#exchange(script, { frames, onBegun: () => {} });
    const [stdout, stderr] = [frames.stdout.output(), frames.stderr?.output()];
    if (stdout.dropped > 0 && !options.mayBeCut) {
      throw answerTooLong(this.#node, { bytes: maxBytes + stdout.dropped, maxBytes });
    }
    const encoding = options.encoding ?? "utf-8";
    return {
      code: Number(stdout.trailer),
      stdout: decodeOutput(stdout, encoding),
      stderr: stderr === undefined ? "" : decodeOutput(stderr, encoding),
      cut: stdout.dropped > 0,
    };
  }

  /**
   * Runs a command in the shell itself, not in a subshell, and returns what it printed. It must end at
   * once when it reads a line from stdin; a line that comes too late is an empty command to the shell.
   */
  async wait(
    command: string,
    { library, stop, maxBytes = LONGEST_ANSWER }: ShellWaitOptions,
  ): Promise<Uint8Array> {
    const word = randomWord(20);
    const script = this.#newLibrary(library) + waitingScript(command, word);
    const stdout = new Frame({ ...frameMarkers(word), maxBytes });
    // Sent before the command runs, the line would be read by the shell.
    const ask = () => this.#write("\n");
    const onBegun = () => {
      if (stop.aborted) ask();
      else stop.addEventListener("abort", ask, { once: true });
    };
    try {
      await this.#exchange(script, { frames: { stdout }, onBegun, maxBytes });
    } finally {
      stop.removeEventListener("abort", ask);
    }
    return stdout.output().bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const wasIdle = this.usable;
    this.#stop(this.#endedBy("it was closed"));
    // An idle shell leaves at the end of its input, and takes its helpers along; a busy one, which may
    // not even read it, goes with its channel.
    const closed = this.#writer.close().catch(() => {});
    const left = this.#channel.exit.then(() => {}, () => {});
    if (wasIdle) await within(LEAVING_MS, left);
    await Promise.all(this.#readers.map((reader) => reader.cancel().catch(() => {})));
    await this.#channel[Symbol.asyncDispose]();
    await Promise.race([closed, left]);
    await this.#pumps;
  }

  #newLibrary(library: string | undefined): string {
    if (library === undefined || this.#libraries.has(library)) return "";
    this.#libraries.add(library);
    return `eval ${quote(library)}\n`;
  }

  async #exchange(
    script: string,
    rest: Pick<Pending, "frames" | "onBegun" | "maxBytes">,
  ): Promise<void> {
    if (this.#end) throw this.#end.reason;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#pending = { ...rest, resolve, reject };
    this.#write(script);
    await promise;
  }

  #write(text: string): void {
    // That nobody reads any more may be known before how the shell ended.
    this.#writer.write(encoder.encode(text)).catch((reason) =>
      this.#stop(reason instanceof GridError ? reason : this.#endedBy("it takes no more input"))
    );
  }

  async #pump(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    stream: "stdout" | "stderr",
  ): Promise<void> {
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        this.#receive(stream, value);
      }
    } catch (reason) {
      this.#stop(reason);
    }
  }

  /** Bytes outside a frame are junk of start-up files and background processes. */
  #receive(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    this.heardAt = monotonic();
    if (!this.#hasAnswered) this.#greet(bytes);
    const pending = this.#pending;
    const frame = pending?.frames[stream];
    if (!pending || !frame || frame.done) return;
    const wasBegun = frame.begun;
    frame.push(bytes);
    if (pending.maxBytes !== undefined && frame.dropped > 0) {
      const { maxBytes } = pending;
      return this.#stop(answerTooLong(this.#node, { bytes: `more than ${maxBytes}`, maxBytes }));
    }
    const { stdout, stderr } = pending.frames;
    if (stdout.done && (stderr?.done ?? true)) {
      this.#pending = undefined;
      this.#hasAnswered = true;
      pending.resolve();
    } else if (stream === "stdout" && !wasBegun && frame.begun) {
      pending.onBegun();
    }
  }

  #greet(bytes: Uint8Array): void {
    this.#greeting = (this.#greeting + new TextDecoder().decode(bytes)).slice(-GREETING_CHARACTERS);
  }

  #stop(reason: unknown): void {
    this.#end ??= { reason };
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.reject(this.#end.reason);
  }

  #endedBy(state: string): GridError {
    if (state === `exit ${SLEEPLESS}`) return sleepless(this.#node);
    return new GridError({
      code: "lost",
      message: `Cannot finish a command on "${this.#node}": its shell ended (${state})`,
      node: this.#node,
    });
  }
}

/** Not a loss that may pass: another shell there would be the same. */
function sleepless(node: string): GridError {
  return new GridError({
    code: "answer-invalid",
    message: `Cannot wait for jobs on "${node}": its /bin/sh does not sleep while it waits`,
    hint: "busybox 1.38 is known for it: make /bin/sh dash, bash or another busybox there",
    node,
  });
}

async function within(ms: number, settled: Promise<unknown>): Promise<void> {
  const timeUp = Promise.withResolvers<void>();
  const timer = setTimeout(timeUp.resolve, ms);
  await Promise.race([settled, timeUp.promise]);
  clearTimeout(timer);
}
