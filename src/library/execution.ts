/** One command under way on a node: what it prints, and how it ended. */
import { GridError } from "../core/errors.ts";
import type { RunOutcome } from "./outcome.ts";
import type { Run } from "./run.ts";

/** How a command ended that could be started. */
export interface ExecOutcome {
  /** The command's own exit code; 128 + n where signal n ended it. */
  readonly code: number;
  /** Whether that is 0. */
  readonly ok: boolean;
  /** The node it ran on. */
  readonly node: string;
  /** The run's id, for `grid logs`. */
  readonly id: string;
}

/** Bytes that a command printed, as text. */
export interface ExecOutput {
  /** Where it was printed. */
  readonly stream: "stdout" | "stderr";
  /** Decoded as UTF-8; a character is never cut in two. */
  readonly text: string;
}

/**
 * A command under way. Iterate over it for what it prints; await it for how it ended.
 *
 * @example
 * ```ts
 * import { openGrid } from "@grid/grid";
 *
 * await using grid = await openGrid({ project: await Deno.makeTempDir() });
 * const command = grid.exec("echo hello from $GRID_NODE");
 * for await (const { text } of command) console.log(text.trimEnd());
 * const { ok, node } = await command;
 * console.log(ok, node);
 * ```
 */
export class Execution implements AsyncIterable<ExecOutput>, PromiseLike<ExecOutcome> {
  readonly #run: Run;
  readonly #outcome: Promise<ExecOutcome>;

  /** Made by `grid.exec`. */
  constructor(run: Run) {
    this.#run = run;
    this.#outcome = run.then(execOutcome);
    this.#outcome.catch(() => {});
  }

  /**
   * What it prints, as it comes; the command waits for whoever iterates. Of what it printed before,
   * the newest megabyte is kept.
   */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<ExecOutput> {
    const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
    for await (const { stream, bytes } of this.#run.output) {
      const text = decoders[stream].decode(bytes, { stream: true });
      if (text !== "") yield { stream, text };
    }
    await this.#outcome;
  }

  /**
   * Waits for the end. A command that fails has an outcome; what rejects is a `GridError` for one that
   * could not be started, was cancelled, or took too long.
   */
  then<Value = ExecOutcome, Instead = never>(
    onfulfilled?: ((outcome: ExecOutcome) => Value | PromiseLike<Value>) | null,
    onrejected?: ((error: unknown) => Instead | PromiseLike<Instead>) | null,
  ): Promise<Value | Instead> {
    return this.#outcome.then(onfulfilled, onrejected);
  }

  /** Everything that it prints on stdout, as text; rejects unless it exits with 0. */
  async text(): Promise<string> {
    const parts: string[] = [];
    for await (const { stream, text } of this) if (stream === "stdout") parts.push(text);
    const { ok, code, node } = await this.#outcome;
    if (ok) return parts.join("");
    throw new GridError({
      code: "exit",
      message: `Cannot take the text of the command: it exited with ${code}`,
      node,
    });
  }

  /** Ends it with everything it started. */
  cancel(reason?: unknown): void {
    this.#run.cancel(reason);
  }
}

function execOutcome({ ok, id, steps, error, exitCode }: RunOutcome): ExecOutcome {
  const { node, failure } = steps.get("command") ?? {};
  const ended = ok || failure?.code === "exit" || failure?.code === "signal";
  if (node === undefined || !ended) throw error;
  return { code: exitCode, ok, node, id };
}
