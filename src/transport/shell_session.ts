/** One long-lived POSIX `sh`, fed with commands over its stdin, one at a time. */
import { GridError } from "../core/errors.ts";
import { randomWord } from "../core/ids.ts";
import { Frame } from "./shell_frame.ts";
import { decodeOutput, framedScript, frameMarkers } from "./shell_script.ts";
import { quote } from "../core/shell.ts";
import type { Channel, ExecOptions, ExecResult } from "./transport.ts";

/** What a login shell of any kind is asked to become. */
export const SHELL_COMMAND = "exec /bin/sh";

const DEFAULT_MAX_BYTES = 4 * 2 ** 20;
const encoder = new TextEncoder();

interface Pending {
  readonly stdout: Frame;
  readonly stderr: Frame;
  resolve(): void;
  reject(reason: unknown): void;
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

  /** How the shell itself ended, where it did while the way to it stood. */
  get left(): string | undefined {
    return this.#left;
  }

  /** Rejects where the shell ends first. The caller sets the deadline, and then drops the session. */
  async run(command: string, options: ExecOptions): Promise<ExecResult> {
    const word = randomWord(20);
    const script = this.#newLibrary(options.library) +
      framedScript(command, { word, stdin: options.stdin });
    const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    const frame = () => new Frame({ ...frameMarkers(word), maxBytes });
    const [stdout, stderr] = [frame(), frame()];
    await this.#exchange(script, { stdout, stderr });
    const encoding = options.encoding ?? "utf-8";
    return {
      code: Number(stdout.output().trailer),
      stdout: decodeOutput(stdout.output(), encoding),
      stderr: decodeOutput(stderr.output(), encoding),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop(this.#endedBy("it was closed"));
    // An idle shell leaves at the end of its input; a busy one, which may not even read it, goes
    // with its channel.
    const closed = this.#writer.close().catch(() => {});
    await Promise.all(this.#readers.map((reader) => reader.cancel().catch(() => {})));
    await this.#channel[Symbol.asyncDispose]();
    await Promise.race([closed, this.#channel.exit.catch(() => {})]);
    await this.#pumps;
  }

  #newLibrary(library: string | undefined): string {
    if (library === undefined || this.#libraries.has(library)) return "";
    this.#libraries.add(library);
    return `eval ${quote(library)}\n`;
  }

  async #exchange(script: string, frames: Pick<Pending, "stdout" | "stderr">): Promise<void> {
    if (this.#end) throw this.#end.reason;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#pending = { ...frames, resolve, reject };
    this.#writer.write(encoder.encode(script)).catch((reason) => this.#stop(reason));
    await promise;
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
    const pending = this.#pending;
    if (!pending || pending[stream].done) return;
    pending[stream].push(bytes);
    if (!pending.stdout.done || !pending.stderr.done) return;
    this.#pending = undefined;
    pending.resolve();
  }

  #stop(reason: unknown): void {
    this.#end ??= { reason };
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.reject(this.#end.reason);
  }

  #endedBy(state: string): GridError {
    return new GridError({
      code: "lost",
      message: `Cannot finish a command on "${this.#node}": its shell ended (${state})`,
      node: this.#node,
    });
  }
}
