/** One local `sh` and its three streams. */
import type { Channel, ChannelExit } from "./transport.ts";

export interface LocalChannelOptions {
  /** Arguments of `/bin/sh`. */
  readonly args: readonly string[];
  readonly cwd: string;
  /** Beside what this process has. */
  readonly env: Readonly<Record<string, string>>;
  /** What disposing ends: the shell alone, or everything in its session that did not leave it. */
  readonly ends: "process" | "group";
}

export class LocalChannel implements Channel {
  readonly stdin: WritableStream<Uint8Array>;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  readonly exit: Promise<ChannelExit>;
  readonly #child: Deno.ChildProcess;
  readonly #ends: "process" | "group";
  #running = true;

  constructor({ args, cwd, env, ends }: LocalChannelOptions) {
    // A session of its own keeps a terminal's Ctrl-C and hang-up away from jobs.
    const child = spawn(
      sessionLeader ? [sessionLeader, "/bin/sh", ...args] : ["/bin/sh", ...args],
      { cwd, env },
    );
    this.#child = child;
    this.#ends = sessionLeader ? ends : "process";
    this.stdin = child.stdin;
    this.stdout = inSmallPieces(child.stdout);
    this.stderr = inSmallPieces(child.stderr);
    this.exit = child.status.then((status) => {
      this.#running = false;
      return status.signal
        ? { kind: "signal", signal: status.signal }
        : { kind: "code", code: status.code };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await cancel(this.stdout);
    await cancel(this.stderr);
    if (!this.stdin.locked) await this.stdin.abort().catch(() => {});
    if (this.#running) this.#kill();
    await this.exit;
  }

  #kill(): void {
    const { pid } = this.#child;
    try {
      Deno.kill(this.#ends === "group" ? -pid : pid, "SIGKILL");
    } catch (error) {
      // It ended between the look and the signal.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

const sessionLeader = ["/usr/bin/setsid", "/bin/setsid"].find(isFile);

function spawn(
  [program = "", ...args]: readonly string[],
  place: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Deno.ChildProcess {
  // Exported, they change what every bash does: with `noexec` nothing would run, and nothing would fail.
  const reset = ["SHELLOPTS", "BASHOPTS"].filter((name) => Deno.env.has(name));
  const env = { ...place.env, ...Object.fromEntries(reset.map((name) => [name, ""])) };
  const pipes = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
  return new Deno.Command(program, { args, cwd: place.cwd, env, ...pipes }).spawn();
}

/** Bytes read at a time, until they come faster than that. */
const SMALL_BYTES = 8 * 1024;
const LARGE_BYTES = 256 * 1024;

/** A plain read takes 64 KiB of fresh memory for every answer of a few bytes. */
function inSmallPieces(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): ReadableStream<Uint8Array> {
  const reader = stream.getReader({ mode: "byob" });
  let buffer = new ArrayBuffer(SMALL_BYTES);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await reader.read(new Uint8Array(buffer));
      if (done) return controller.close();
      controller.enqueue(value.slice());
      buffer = value.length < value.buffer.byteLength ? value.buffer : new ArrayBuffer(LARGE_BYTES);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

async function cancel(stream: ReadableStream<Uint8Array>): Promise<void> {
  // A locked stream is cancelled by whoever reads it.
  if (!stream.locked) await stream.cancel().catch(() => {});
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
