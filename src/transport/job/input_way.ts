/** By which way a job's input goes: once it proves to be much, by the one that is made for that. */
import type { Transport } from "../transport.ts";

/** Sent so far when another login begins to pay; see `Transport.expectBulk`. */
const BULK_BYTES = 16 * 2 ** 20;

export class InputWay {
  readonly #transport: Pick<Transport, "expectBulk">;
  #sent = 0;
  #isAsked = false;
  #isBetter = false;

  constructor(transport: Pick<Transport, "expectBulk">) {
    this.#transport = transport;
  }

  /** A channel that is opened now goes by a better way than the one before. */
  get isBetter(): boolean {
    return this.#isBetter;
  }

  /** A channel is opened: whether it is to go by that way. Where it breaks, the next one has to be earned anew. */
  take(): boolean {
    const isBetter = this.#isBetter;
    this.#isBetter = false;
    this.#sent = 0;
    this.#isAsked = isBetter;
    return isBetter;
  }

  /** So many bytes more have gone. */
  sent(bytes: number): void {
    this.#sent += bytes;
    if (this.#isAsked || this.#sent < BULK_BYTES) return;
    this.#isAsked = true;
    void this.#transport.expectBulk?.().then((isOpen) => this.#isBetter = isOpen);
  }
}
