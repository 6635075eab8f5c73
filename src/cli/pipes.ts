/** Our output, whose readers may be slow, or go away before we have finished: `grid runs | head -1`. */

interface SyncWriter {
  writeSync(bytes: Uint8Array): number;
}

/** 128 + SIGPIPE: what a shell expects of a program that nobody listens to any more. */
const CLOSED_PIPE_EXIT = 141;
/** How long to leave a reader alone whose pipe is full. */
const FULL_PIPE_MS = 5;

export class Pipes {
  readonly #handlers = new Set<() => void>();
  readonly #closed = new Set<SyncWriter>();

  /** Into the void where the reader is gone. Ends the process quietly where nobody wants to know. */
  write(writer: SyncWriter, bytes: Uint8Array): void {
    if (this.#closed.has(writer)) return;
    try {
      for (let offset = 0; offset < bytes.length;) {
        offset += writeSome(writer, bytes.subarray(offset));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      if (this.#handlers.size === 0) Deno.exit(CLOSED_PIPE_EXIT);
      this.#closed.add(writer);
      for (const handler of this.#handlers) handler();
    }
  }

  onClosed(handler: () => void): Disposable {
    this.#handlers.add(handler);
    return { [Symbol.dispose]: () => void this.#handlers.delete(handler) };
  }
}

/** Whoever started us may have made the pipe one that refuses bytes when it is full. */
function writeSome(writer: SyncWriter, bytes: Uint8Array): number {
  for (;;) {
    try {
      return writer.writeSync(bytes);
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PIPE_MS);
    }
  }
}
