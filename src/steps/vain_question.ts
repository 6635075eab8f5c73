/** Telling a command that asked somebody, who was not there, from one that failed. */

/** Bytes that the end of a question is looked for in. */
const LOOKED_AT = 400;
/** A prompt waits behind its question, on the same line. */
const PROMPT = /[?:\]>)] ?$/;
/** What Python's `input` says where there is nothing to read. */
const NOTHING_TO_READ = /\bEOF when reading a line\b/;

const HINT =
  "it seems to have asked something, and nobody can answer a step: give it its answer by an " +
  "option such as --yes, or by a pipe: echo y | command";

/** The last of what a command printed. */
export class VainQuestion {
  readonly #last: Record<"stdout" | "stderr", string> = { stdout: "", stderr: "" };

  push(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    const text = new TextDecoder().decode(bytes.subarray(-LOOKED_AT));
    this.#last[stream] = (this.#last[stream] + text).slice(-LOOKED_AT);
  }

  /** What to do about it; nothing where the last words are no question. */
  get hint(): { readonly hint: string } | undefined {
    const { stdout, stderr } = this.#last;
    const asked = NOTHING_TO_READ.test(stderr) ||
      [stdout, stderr].some((text) => PROMPT.test(text));
    return asked ? { hint: HINT } : undefined;
  }
}
