/** A way to a node that counts what it carries, and can be slow or break. */
import type { Channel, Transport } from "../../src/transport/transport.ts";

export interface Measures {
  /** The input of channels ends after so many bytes, as where a link breaks. */
  readonly cutAfter?: number;
  /** No faster than this. */
  readonly bytesPerMs?: number;
  /** Comes between what is said here and what is heard there. */
  readonly onWrite?: (piece: Uint8Array) => void | Promise<void>;
}

export interface MeasuredTransport extends Transport {
  /** Bytes that went to the node over channels. */
  sent: number;
  measures: Measures;
}

/** Closing it closes the transport behind it. */
export function measuredTransport(honest: Transport): MeasuredTransport {
  const measured: MeasuredTransport = {
    sent: 0,
    measures: {},
    endpoint: honest.endpoint,
    exec: (command, options) => honest.exec(command, options),
    wait: (command, options) => honest.wait(command, options),
    async open(command, options): Promise<Channel> {
      const channel = await honest.open(command, options);
      const writer = channel.stdin.getWriter();
      let taken = 0;
      const stdin = new WritableStream<Uint8Array>({
        async write(piece) {
          const { cutAfter = Infinity, bytesPerMs, onWrite } = measured.measures;
          if (taken >= cutAfter) throw new Error("the link broke");
          const part = piece.subarray(0, cutAfter - taken);
          taken += part.length;
          measured.sent += part.length;
          await onWrite?.(part);
          await writer.write(part);
          if (bytesPerMs !== undefined) {
            await new Promise((resolve) => setTimeout(resolve, part.length / bytesPerMs));
          }
          if (taken >= cutAfter) await writer.close();
        },
        close: () => taken >= (measured.measures.cutAfter ?? Infinity) ? undefined : writer.close(),
        abort: (reason) => writer.abort(reason),
      });
      return {
        stdin,
        stdout: channel.stdout,
        stderr: channel.stderr,
        exit: channel.exit,
        [Symbol.asyncDispose]: () => channel[Symbol.asyncDispose](),
      };
    },
    terminal: (screen, options) => honest.terminal(screen, options),
    dial: (target, options) => honest.dial(target, options),
    get stats() {
      return honest.stats;
    },
    [Symbol.asyncDispose]: () => honest[Symbol.asyncDispose](),
  };
  return measured;
}
