/** Our output, whose readers may be slow, or go away before we have finished: `grid runs | head -1`. */
import { GridError } from "../core/errors.ts";
import { refusalOf, thrownWords } from "../core/refusal.ts";

interface SyncWriter {
  writeSync(bytes: Uint8Array): number;
}

/** 128 + SIGPIPE: what a shell expects of a program that nobody listens to any more. */
const CLOSED_PIPE_EXIT = 141;
/** How long to leave a reader alone whose pipe is full. */
const FULL_PIPE_MS = 5;

export interface PipesHandler {
  /** The reader went away. */
  readonly closed: () => void;
  /** What was written did not get there, such as on a disk that is full; told once. */
  readonly lost: (error: GridError) => void;
}

export class Pipes {
  readonly #handlers = new Set<PipesHandler>();
  readonly #closed = new Set<SyncWriter>();
  /** Why some of it did not get where it should; the first reason. */
  lost: GridError | undefined;

  /**
   * Into the void where the reader is gone. Ends the process quietly where nobody wants to know.
   *
   * @param name of the stream, for people
   * @throws {GridError} `output-lost` where it cannot be written, and nobody wants to know
   */
  write(writer: SyncWriter, bytes: Uint8Array, name = "standard output"): void {
    if (this.#closed.has(writer)) return;
    try {
      for (let offset = 0; offset < bytes.length;) {
        offset += writeSome(writer, bytes.subarray(offset));
      }
    } catch (error) {
      this.#closed.add(writer);
      // Whoever let the run outlive its terminal wants it to go on.
      if (isLostTerminal(error)) return;
      if (error instanceof Deno.errors.BrokenPipe) {
        if (this.#handlers.size === 0) Deno.exit(CLOSED_PIPE_EXIT);
        for (const handler of this.#handlers) handler.closed();
        return;
      }
      const lost = lostError(error, name);
      this.lost ??= lost;
      if (this.#handlers.size === 0) throw lost;
      for (const handler of this.#handlers) handler.lost(lost);
    }
  }

  onProblem(handler: PipesHandler): Disposable {
    this.#handlers.add(handler);
    return { [Symbol.dispose]: () => void this.#handlers.delete(handler) };
  }
}

/** EIO: the terminal was closed, and nobody ended us for it. Deno has no class for it. */
function isLostTerminal(error: unknown): boolean {
  return error instanceof Error && error.message.includes("(os error 5)");
}

function lostError(cause: unknown, name: string): GridError {
  const why = thrownWords(cause);
  return new GridError({
    code: "output-lost",
    message: `Cannot write to ${name}: ${refusalOf(cause)?.state ?? why}`,
    hint: "what is missing there is lost; write it elsewhere, or make room",
    cause,
  });
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
