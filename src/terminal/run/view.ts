import type { Event } from "../../engine/event.ts";
import type { OutputChunk } from "../../engine/reader.ts";
import type { RunState } from "../../engine/reduce.ts";

/** One way to show a run while it goes on; the state is kept by the terminal. */
export interface View {
  /** @param state the state after the event */
  event(event: Event, state: RunState): void;
  output?(chunk: OutputChunk): void;
  /** Words from elsewhere, such as Grid's diary, ending in a newline. */
  print(text: string): void;
  /** Before the summary is written. */
  end?(): void | Promise<void>;
}
