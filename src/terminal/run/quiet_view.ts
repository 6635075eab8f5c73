import type { View } from "./view.ts";

/** Shows nothing while the run goes on; the terminal tells of a failure at the end. */
export class QuietView implements View {
  readonly #write: (text: string) => void;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  event(): void {}

  print(text: string): void {
    this.#write(text);
  }
}
