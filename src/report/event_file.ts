import { dirname } from "node:path";
import { clearImmediate, setImmediate } from "node:timers";
import { PRIVATE_FILE, PRIVATE_FOLDER } from "../core/private_modes.ts";
import { thrownWords } from "../core/refusal.ts";
import type { Event } from "../engine/event.ts";

export interface EventFileOptions {
  readonly warn: (message: string) => void;
}

/**
 * `events.jsonl`: one event per line, there for other programs at the end of the turn of the event
 * loop in which it happened.
 */
export class EventFile implements Disposable {
  readonly #path: string;
  readonly #warn: (message: string) => void;
  readonly #encoder = new TextEncoder();
  #file: Deno.FsFile | undefined;
  #lines = "";
  #endOfTurn: NodeJS.Immediate | undefined;
  #broken = false;

  constructor(path: string, options: EventFileOptions) {
    this.#path = path;
    this.#warn = options.warn;
  }

  append(event: Event): void {
    if (this.#broken) return;
    this.#lines += `${JSON.stringify(event)}\n`;
    this.#endOfTurn ??= setImmediate(() => this.#flush());
  }

  #flush(): void {
    clearImmediate(this.#endOfTurn);
    this.#endOfTurn = undefined;
    const bytes = this.#encoder.encode(this.#lines);
    this.#lines = "";
    if (this.#broken || bytes.length === 0) return;
    try {
      this.#file ??= openForAppend(this.#path);
      for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
    } catch (error) {
      this.#broken = true;
      const why = thrownWords(error);
      this.#warn(`Cannot write "${this.#path}": ${why}; the run's events are still in the store`);
    }
  }

  [Symbol.dispose](): void {
    this.#flush();
    this.#file?.close();
    this.#file = undefined;
    this.#broken = true;
  }
}

function openForAppend(path: string): Deno.FsFile {
  Deno.mkdirSync(dirname(path), { recursive: true, mode: PRIVATE_FOLDER });
  return Deno.openSync(path, { create: true, append: true, mode: PRIVATE_FILE });
}
