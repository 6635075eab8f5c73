/** What a runner on a node cannot reach: told before it starts, or a reason not to start it. */
import { GridError } from "../../core/errors.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import type { OtherConfig } from "./other_config.ts";
import type { CheckAnswer } from "./request.ts";

/** Takes a line for people. */
export type Tell = (text: string) => void;

interface Limits {
  readonly on: string;
  readonly config: OtherConfig;
  readonly pipeline: Pick<Pipeline, "concurrency"> | undefined;
  readonly tell: Tell;
}

export function tellLimits(
  { unreached, findings }: CheckAnswer,
  { on, config, pipeline, tell }: Limits,
): void {
  const reached = config.others.filter((name) => !unreached.some(({ node }) => node === name));
  tell(
    `${on} runs it, with the keys, known hosts and tools of its account; it reaches ` +
      (reached.length === 0 ? "itself alone" : `itself and ${reached.join(", ")}`),
  );
  for (const { node, why } of unreached) tell(`not from there: ${node}: ${why}`);
  for (const node of config.here) tell(`not from there: ${node}: it is this machine`);
  if (pipeline?.concurrency !== undefined) {
    tell(
      "warning: concurrency: counts the runs of this submission alone there; it keeps back no " +
        "other submission, and no run of here",
    );
  }
  for (const { about, words, ok, warning, exitCode } of findings) {
    if (warning || (!ok && exitCode === 3)) tell(`warning: ${about}: ${words}`);
  }
}

/** What a step would fail for, and has to be mended here; nodes that are busy now may be free in time. */
export function refuse(
  { findings, problem }: CheckAnswer,
  { on, target, tell }: { readonly on: string; readonly target: string; readonly tell: Tell },
): void {
  if (problem !== undefined) {
    tell(
      `cannot submit ${target} to ${on}: only the project and nodes that it reaches are known there`,
    );
    throw problem;
  }
  const missing = findings.filter(({ ok, exitCode }) => !ok && exitCode !== 3);
  if (missing.length === 0) return;
  throw new GridError({
    code: "input-invalid",
    message: `Cannot submit ${target} to "${on}": ${
      missing.map(({ about, words }) => `${about}: ${words}`).join("; ")
    }`,
    hint: "what git ignores is not brought there; bring it by a data: step, or fetch it there",
    node: on,
  });
}
