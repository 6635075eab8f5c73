/** For `grid run "command"`: the command's bytes as they are, and nothing of Grid's on stdout. */
import type { Event } from "../../engine/event.ts";
import type { OutputChunk } from "../../engine/reader.ts";
import type { RunState } from "../../engine/reduce.ts";
import { oneLine } from "../harmless.ts";
import { failureWords } from "../step_words.ts";
import type { Paint } from "../style.ts";
import { chosenWords } from "./event_lines.ts";
import type { View } from "./view.ts";

export interface StreamViewOptions {
  readonly write: (text: string) => void;
  readonly stdout: (bytes: Uint8Array) => void;
  readonly stderr: (bytes: Uint8Array) => void;
  readonly paint: Paint;
}

const NEWLINE = 0x0a;

export class StreamView implements View {
  readonly #options: StreamViewOptions;
  #lineIsOpen = false;

  constructor(options: StreamViewOptions) {
    this.#options = options;
  }

  event(event: Event, state: RunState): void {
    if (event.type === "warned") {
      this.print(this.#options.paint.yellow(`warning: ${oneLine(event.message)}\n`));
    }
    // Silence is right for a choice that surprises nobody; a node that was left out is news.
    if (event.type === "node.chosen" && (event.passedOver?.length ?? 0) > 0) {
      this.print(this.#options.paint.dim(`grid: ${chosenWords(event, state)}\n`));
    }
    if (event.type === "attempt.finished" && event.retryInMs !== undefined) {
      const why = event.failure ? failureWords(event.failure) : event.result;
      this.print(this.#options.paint.yellow(`grid: ${why}; trying again\n`));
    }
  }

  output({ stream, bytes }: OutputChunk): void {
    this.#options[stream](bytes);
    this.#lineIsOpen = bytes.length > 0 ? bytes.at(-1) !== NEWLINE : this.#lineIsOpen;
  }

  /** Starts on a line of its own. */
  print(text: string): void {
    this.#options.write(this.#lineIsOpen ? `\n${text}` : text);
    this.#lineIsOpen = false;
  }
}
