/** Server-sent events to one browser, bounded: whoever does not read is let go, and comes again. */

/** Waiting to be read; a browser that is awake has read it long before. */
const MOST_WAITING_BYTES = 1024 * 1024;
/** After a stream broke off, the browser asks again. */
const RETRY_MS = 2000;

const encoder = new TextEncoder();

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

  /** `id` is what the browser brings along when it asks again. */
  send(event: string, data: unknown, id?: string): void {
    const lines = [`event: ${event}`, ...(id === undefined ? [] : [`id: ${id}`])];
    this.#push(`${lines.join("\n")}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** So that the way to a browser that is gone is found broken. */
  beat(): void {
    this.#push(":\n\n");
  }

  #push(text: string): void {
    const controller = this.#controller;
    if (controller === undefined) return;
    if ((controller.desiredSize ?? 0) <= 0) return this.close();
    controller.enqueue(encoder.encode(text));
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
