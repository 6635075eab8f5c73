/** A forwarded connection of ssh2 as web streams, with back-pressure both ways. */
import type { Duplex } from "node:stream";
import type { Dialed } from "../transport.ts";

/** Bytes waiting for a reader before the other side is asked to wait. */
const BUFFER_BYTES = 512 * 1024;

export interface DialedStream extends Dialed {
  /** The connection that carries it broke: what comes to an end now is not whole. */
  lose(reason: unknown): void;
}

export function dialedStream(stream: Duplex, onOver: () => void): DialedStream {
  const closed = Promise.withResolvers<never>();
  closed.promise.catch(() => {});
  const failures: ((reason: unknown) => void)[] = [];
  stream.on("close", onOver);
  // Its connection was lost, or somebody on the way gave it up: what came before is told by `end`.
  stream.on("error", (error) => closed.reject(error));
  stream.on("close", () => closed.reject(new Error("the connection was closed")));
  return {
    readable: readableOf(stream, { closed: closed.promise, failures }),
    writable: writableOf(stream, closed.promise),
    lose(reason) {
      closed.reject(reason);
      for (const fail of failures) fail(reason);
    },
    // deno-lint-ignore require-await
    async [Symbol.asyncDispose]() {
      stream.removeAllListeners("data");
      stream.resume();
      stream.destroy();
    },
  };
}

interface Ending {
  readonly closed: Promise<never>;
  /** Called where the stream breaks, before it comes to its end as one that was closed. */
  readonly failures: ((reason: unknown) => void)[];
}

function readableOf(stream: Duplex, { closed, failures }: Ending): ReadableStream<Uint8Array> {
  let open = true;
  return new ReadableStream<Uint8Array>({
    start: (controller) => {
      const end = () => {
        if (open) controller.close();
        open = false;
      };
      stream.on("data", (chunk: Uint8Array) => {
        if (!open) return;
        controller.enqueue(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
        if ((controller.desiredSize ?? 0) <= 0) stream.pause();
      });
      stream.on("end", end);
      const fail = (error: unknown) => {
        if (open) controller.error(error);
        open = false;
      };
      failures.push(fail);
      closed.catch(fail);
    },
    pull: () => {
      stream.resume();
    },
    cancel: () => {
      open = false;
      stream.resume();
    },
  }, { highWaterMark: BUFFER_BYTES, size: (chunk) => chunk.byteLength });
}

function writableOf(stream: Duplex, closed: Promise<never>): WritableStream<Uint8Array> {
  return new WritableStream<Uint8Array>({
    start: (controller) => {
      closed.catch((error) => controller.error(error));
    },
    write: async (chunk) => {
      const written = Promise.withResolvers<void>();
      stream.write(chunk, () => written.resolve());
      if (stream.writableNeedDrain) await Promise.race([written.promise, closed]);
    },
    close: () => {
      stream.end();
    },
    abort: () => {
      stream.destroy();
    },
  });
}
