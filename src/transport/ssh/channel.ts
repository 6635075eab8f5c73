/** One remote command: an ssh2 stream as web streams, with back-pressure both ways. */
import type { Readable } from "node:stream";
import type { ClientChannel } from "./ssh2_library.ts";
import type { GridError } from "../../core/errors.ts";
import type { ChannelExit } from "../transport.ts";
import type { LinkChannel } from "./link.ts";

export interface SshChannelOptions {
  readonly onBytes: (direction: "sent" | "received", count: number) => void;
  /** The server has let go of the channel. */
  readonly onClosed: () => void;
  /** Given up while the command may still run. */
  readonly onAbandoned: () => void;
  /** Made where the channel ends without an exit code. */
  readonly lostError: () => GridError;
}

/** Bytes waiting for a reader before the server is asked to wait: one window of ssh2. */
const BUFFER_BYTES = 2 * 1024 * 1024;
/** Bytes that ssh2 is handed at a time: what it makes of them is garbage soon. */
const SLICE_BYTES = 128 * 1024;

export class SshChannel implements LinkChannel {
  readonly stdin: WritableStream<Uint8Array>;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  readonly exit: Promise<ChannelExit>;
  /** Settles when the server has let go of the channel, or the connection is lost. */
  readonly closed: Promise<void>;
  readonly #stream: ClientChannel;
  readonly #onAbandoned: () => void;
  readonly #exit = Promise.withResolvers<ChannelExit>();
  readonly #failures: ((reason: GridError) => void)[] = [];
  readonly #closed = Promise.withResolvers<void>();
  #isClosed = false;
  #exited = false;
  #openOutputs = 2;
  #disposed = false;

  constructor(stream: ClientChannel, options: SshChannelOptions) {
    this.#stream = stream;
    this.#onAbandoned = options.onAbandoned;
    this.exit = this.#exit.promise;
    this.closed = this.#closed.promise;
    // Whoever only reads the output need not look at `exit` as well.
    this.exit.catch(() => {});
    stream.on("exit", (code: number | null, signal?: string) => {
      this.#exited = true;
      this.#exit.resolve(
        code === null ? { kind: "signal", signal: signal ?? "SIGKILL" } : { kind: "code", code },
      );
    });
    stream.on("close", () => {
      this.#exit.reject(options.lostError());
      this.#markClosed();
      options.onClosed();
    });
    const received = (count: number) => options.onBytes("received", count);
    this.stdout = this.#readable(stream, received);
    this.stderr = this.#readable(stream.stderr, received);
    this.stdin = this.#writable((count) => options.onBytes("sent", count));
  }

  /** The connection broke: what was not read yet is given up, because nobody can say if it is whole. */
  lose(reason: GridError): void {
    this.#exit.reject(reason);
    this.#markClosed();
    for (const fail of this.#failures) fail(reason);
  }

  // deno-lint-ignore require-await
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    // What still arrives is read and dropped, or the server would never get to close the channel.
    for (const stream of [this.#stream, this.#stream.stderr]) {
      stream.removeAllListeners("data");
      stream.resume();
    }
    if (this.#isClosed) return;
    // Once both ends of output are closed the exit code is only a moment away.
    const isOver = this.#exited || this.#openOutputs === 0;
    this.#stream.close();
    if (!isOver) this.#onAbandoned();
  }

  #markClosed(): void {
    this.#isClosed = true;
    this.#closed.resolve();
  }

  #readable(
    source: Readable,
    count: (bytes: number) => void,
  ): ReadableStream<Uint8Array> {
    let open = true;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        source.on("data", (chunk: Uint8Array) => {
          count(chunk.length);
          if (!open) return;
          controller.enqueue(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
          if ((controller.desiredSize ?? 0) <= 0) source.pause();
        });
        source.on("end", () => {
          this.#openOutputs--;
          if (!open) return;
          open = false;
          controller.close();
        });
        this.#failures.push((reason) => {
          if (!open) return;
          open = false;
          controller.error(reason);
        });
      },
      pull: () => {
        source.resume();
      },
      cancel: () => {
        open = false;
        source.resume();
      },
    }, { highWaterMark: BUFFER_BYTES, size: (chunk) => chunk.byteLength });
  }

  #writable(count: (bytes: number) => void): WritableStream<Uint8Array> {
    const stream = this.#stream;
    const ended = Promise.withResolvers<never>();
    ended.promise.catch(() => {});
    stream.on("close", () => ended.reject(hasEnded()));
    this.#failures.push((reason) => ended.reject(reason));
    return new WritableStream<Uint8Array>({
      start: (controller) => {
        ended.promise.catch((reason) => controller.error(reason));
      },
      write: async (chunk) => {
        // What waits for the server's window still is what was given; a small one is copied, the end of a large one
        // waited for.
        const bytes = chunk.length > SLICE_BYTES ? chunk : chunk.slice();
        for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
          // The server has closed the channel, of which `close` tells only once all output was read.
          if (stream.writableEnded) throw hasEnded();
          const slice = bytes.subarray(at, at + SLICE_BYTES);
          count(slice.length);
          const written = Promise.withResolvers<void>();
          stream.write(slice, () => written.resolve());
          const isLast = at > 0 && at + SLICE_BYTES >= bytes.length;
          if (isLast || stream.writableNeedDrain) {
            await Promise.race([written.promise, ended.promise]);
          }
        }
      },
      close: () => {
        stream.end();
      },
      abort: () => {
        stream.close();
      },
    });
  }
}

function hasEnded(): Error {
  return new Error("the command has ended");
}
