/** The last of what a command printed, and what it says of why it failed. */
import { imageIn } from "../core/image_line.ts";
import type { StepHost } from "../engine/ports.ts";
import type { RunAction } from "../pipeline/pipeline.ts";
import type { JobExit } from "../transport/job/job.ts";
import { commandHint, containedHint } from "./command_hint.ts";
import { TextTail } from "./text_tail.ts";
import { VainQuestion } from "./vain_question.ts";

/** Characters of stderr that may say what a command did not find. */
const STDERR_CHARACTERS = 4000;

export class LastWords {
  readonly #question = new VainQuestion();
  readonly #stderr = new TextTail(STDERR_CHARACTERS);
  #ended: string | undefined;

  push(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    this.#question.push(stream, bytes);
    if (stream === "stderr") this.#stderr.push(bytes);
  }

  /** Of stderr; nothing is pushed any more. */
  get stderr(): string {
    return this.#ended ??= this.#stderr.end();
  }

  /** The job's own shell names it behind all that the command prints. */
  get #image(): string | undefined {
    return imageIn(this.stderr.replace(/\n$/, "").split("\n").at(-1) ?? "");
  }

  /** Of a command in a container: the image that it ran in, where its engine says it. */
  tellImage(
    { container }: Pick<RunAction<string>, "container">,
    host: Pick<StepHost, "ranIn">,
  ): void {
    const image = container && this.#image;
    if (image) host.ranIn?.(image);
  }

  /** What to do about a command that ended like this; nothing where nothing is known. */
  hint(exit: JobExit, { canAnswer }: { readonly canAnswer: boolean }): { readonly hint?: string } {
    const find = this.#image === undefined ? commandHint : containedHint;
    const cure = exit.kind === "code" ? find(exit.code, this.stderr) : undefined;
    if (cure !== undefined) return { hint: cure };
    return canAnswer ? {} : this.#question.hint ?? {};
  }
}
