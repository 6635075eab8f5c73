/** By which way a job's input goes: where it is much, by the one that is made for that. */
import { raceAbort } from "../../core/deadline.ts";
import type { Transport } from "../transport.ts";

/** From here on another login pays; see `Transport.expectBulk`. */
const BULK_BYTES = 16 * 2 ** 20;
/** How long one that is worth it from the beginning is waited for. Later, input goes to it in its midst. */
const PATIENCE_MS = 500;

export class InputWay {
  readonly #transport: Pick<Transport, "expectBulk">;
  #sent = 0;
  #asked: Promise<void> | undefined;
  #isBetter = false;

  constructor(transport: Pick<Transport, "expectBulk">) {
    this.#transport = transport;
  }

  /** A channel that is opened now goes by a better way than the one before. */
  get isBetter(): boolean {
    return this.#isBetter;
  }

  /** So many bytes will come once a job has started. */
  announce(size: number): void {
    if (size >= BULK_BYTES) void this.#ask();
  }

  /** So many bytes are known to come. */
  async expect(size: number, signal: AbortSignal): Promise<void> {
    if (size < BULK_BYTES) return;
    const timeUp = Promise.withResolvers<void>();
    const timer = setTimeout(timeUp.resolve, PATIENCE_MS);
    try {
      await raceAbort(Promise.race([this.#ask(), timeUp.promise]), signal);
    } finally {
      clearTimeout(timer);
    }
  }

  /** A channel is opened: whether it is to go by that way. Where it breaks, the next one has to be earned anew. */
  take(): boolean {
    const isBetter = this.#isBetter;
    this.#isBetter = false;
    this.#sent = 0;
    return isBetter;
  }

  /** So many bytes more have gone by a channel. */
  sent(bytes: number, { isBulk }: { readonly isBulk: boolean }): void {
    this.#sent += bytes;
    if (!isBulk && this.#sent >= BULK_BYTES) void this.#ask();
  }

  #ask(): Promise<void> {
    this.#asked ??= (this.#transport.expectBulk?.() ?? Promise.resolve(false)).then((isOpen) => {
      this.#isBetter = isOpen;
      this.#asked = undefined;
    });
    return this.#asked;
  }
}
