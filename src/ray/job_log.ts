/** The log of a Ray job, followed over connections that may break or end early. */
import { systemClock } from "../core/clock.ts";
import type { JobsApi } from "./jobs_api.ts";

/** A server that is gone never answers the closing. */
const CLOSE_TIMEOUT_MS = 5000;

/** Hands on every character once, whatever order the connections come and go in. */
export class JobLog {
  #passed = 0;
  readonly #onText: (text: string) => void;

  constructor(onText: (text: string) => void) {
    this.#onText = onText;
  }

  /** `text` stands at `offset` of the log; what was handed on before is dropped. */
  push(text: string, offset: number): void {
    const fresh = text.slice(Math.max(0, this.#passed - offset));
    if (fresh === "" || offset > this.#passed) return;
    this.#passed += fresh.length;
    this.#onText(fresh);
  }
}

/** Follows until disposed; connects again when the server has closed. */
export class JobLogTail implements AsyncDisposable {
  #socket: WebSocket | undefined;
  #closed: Promise<void> = Promise.resolve();

  constructor(
    readonly api: Pick<JobsApi, "tail">,
    readonly id: string,
    readonly log: JobLog,
  ) {}

  /** Opens a connection where there is none; called once per look at the job. */
  ensure(): void {
    if (this.#socket !== undefined) return;
    const socket = this.api.tail(this.id);
    this.#socket = socket;
    let offset = 0;
    socket.onmessage = ({ data }) => {
      if (typeof data !== "string") return;
      this.log.push(data, offset);
      offset += data.length;
    };
    // A failure shows as a close; the status of the job decides what it means.
    socket.onerror = () => {};
    this.#closed = new Promise((resolve) => {
      socket.onclose = () => {
        this.#socket = undefined;
        resolve();
      };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket?.close();
    const patience = new AbortController();
    const { signal } = patience;
    const bored = systemClock.sleep(CLOSE_TIMEOUT_MS, { signal }).catch(() => undefined);
    await Promise.race([this.#closed, bored]);
    patience.abort();
  }
}
