/** Telling a command that asked somebody, who was not there, from one that failed. */

/** Bytes that the end of a question is looked for in. */
const LOOKED_AT = 1000;
/** A prompt waits behind its question, on the same line. */
const PROMPT = /[?:\]>)] ?$/;
/** What tools say that wanted an answer, and found neither one nor a terminal. */
const UNANSWERED: readonly RegExp[] = [
  /\bEOF when reading a line\b/, // Python's input
  /\bgetpass\b[^]*\bEOFError\s*$/, // Python's getpass
  /\bsudo: (?:a terminal is required|a password is required|no tty present)/,
  /\bcould not read (?:Username|Password) for /, // git
  /\[[Yy]\/[Nn]\] Abort\.\s*$/, // apt
  /\bfrom a non[- ]TTY device\b/i, // docker login
];
/** OpenSSH would have asked about a key that it does not know. */
const UNKNOWN_HOST_KEY = /\bHost key verification failed\b/;

const HINT =
  "it seems to have asked something, and nobody can answer a step: give it its answer by an " +
  "option such as --yes, or by a pipe: echo y | command";

/** The last of what a command printed. */
const HOST_KEY_HINT =
  "ssh did not know the other side's key, and nobody can answer it: add the key on the node first, " +
  "ssh-keyscan HOST >> ~/.ssh/known_hosts, and compare it with what its owner says";

export class VainQuestion {
  readonly #last: Record<"stdout" | "stderr", string> = { stdout: "", stderr: "" };

  push(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    const text = new TextDecoder().decode(bytes.subarray(-LOOKED_AT));
    this.#last[stream] = (this.#last[stream] + text).slice(-LOOKED_AT);
  }

  /** What to do about it; nothing where the last words are no question. */
  get hint(): { readonly hint: string } | undefined {
    const { stdout, stderr } = this.#last;
    if (UNKNOWN_HOST_KEY.test(stderr)) return { hint: HOST_KEY_HINT };
    const asked = [stdout, stderr].some((text) =>
      PROMPT.test(text) || UNANSWERED.some((words) => words.test(text))
    );
    return asked ? { hint: HINT } : undefined;
  }
}
