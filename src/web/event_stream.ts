/** Server-sent events to one browser, bounded: whoever does not read is let go, and comes again. */

/** Waiting to be read; a browser that is awake has read it long before. */
const MOST_WAITING_BYTES = 1024 * 1024;
/** After a stream broke off, the browser asks again. */
const RETRY_MS = 2000;

const encoder = new TextEncoder();
const BEAT = encoder.encode(":\n\n");

export interface EventStreamOptions {
  readonly onClose: () => void;
  readonly mostBytes?: number;
}

export class EventStream {
  readonly body: ReadableStream<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  readonly #onClose: () => void;

  constructor({ onClose, mostBytes = MOST_WAITING_BYTES }: EventStreamOptions) {
    this.#onClose = onClose;
    this.body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
        controller.enqueue(encoder.encode(`retry: ${RETRY_MS}\n\n`));
      },
      cancel: () => this.#end(),
    }, { highWaterMark: mostBytes, size: (chunk) => chunk.byteLength });
  }

  get isOpen(): boolean {
    return this.#controller !== undefined;
  }

  send(event: string, data: unknown, id?: string): void {
    this.push(eventBytes(event, data, id));
  }

  /** So that the way to a browser that is gone is found broken. */
  beat(): void {
    this.push(BEAT);
  }

  /** One event for many is encoded once. */
  push(bytes: Uint8Array): void {
    const controller = this.#controller;
    if (controller === undefined) return;
    if ((controller.desiredSize ?? 0) <= 0) return this.close();
    controller.enqueue(bytes);
  }

  /** What waits is still read. */
  close(): void {
    const controller = this.#controller;
    this.#end();
    controller?.close();
  }

  #end(): void {
    if (this.#controller === undefined) return;
    this.#controller = undefined;
    this.#onClose();
  }
}

/** @param id what the browser brings along when it asks again */
export function eventBytes(event: string, data: unknown, id?: string): Uint8Array {
  const lines = [`event: ${event}`, ...(id === undefined ? [] : [`id: ${id}`])];
  return encoder.encode(`${lines.join("\n")}\ndata: ${JSON.stringify(data)}\n\n`);
}
