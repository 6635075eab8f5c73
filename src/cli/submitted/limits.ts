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
  { findings, problem, unreached }: CheckAnswer,
  { on, target }: { readonly on: string; readonly target: string },
): void {
  if (problem !== undefined) throw notThere(withReasons(problem, unreached), { on, target });
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

/** A node that is left out there is unknown there; here it is not, and the reason is of more use than another name. */
function withReasons(problem: string, unreached: CheckAnswer["unreached"]): string {
  return problem.split("\n\n").map((block) => {
    const name = /: unknown node "([^"]+)" \[unknown-node\]$/m.exec(block)?.[1];
    const left = unreached.find(({ node }) => node === name);
    if (left === undefined) return block;
    return block.replace(
      `unknown node "${name}"`,
      () => `node "${name}" is not reached: ${left.why}`,
    )
      .replace(/\n *= hint: did you mean .*$/m, "");
  }).join("\n\n");
}

function notThere(
  problem: string,
  { on, target }: { readonly on: string; readonly target: string },
) {
  const lines = problem.trim().split("\n");
  return new GridError({
    code: "pipeline-invalid",
    message: `Cannot submit ${target} to "${on}": there it says\n${lines.join("\n")}`,
    hint: "only the project and nodes that it reaches are known there",
    node: on,
  });
}
