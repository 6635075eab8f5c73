/** How a gang that did not end well is told: the rank that was first, and what became of the others. */
import { isImageLine } from "../core/image_line.ts";
import { formatDuration } from "../core/duration.ts";
import { GridError } from "../core/errors.ts";
import type { Failure } from "../engine/event.ts";
import type { StepOutcome } from "../engine/ports.ts";
import type { Rank, RankKill } from "./gang_rank.ts";
import { failed, failedExit } from "./run_failure.ts";
import type { JobExit } from "../transport/job/job.ts";

/** Why a gang ends before all of its ranks have ended well. */
export type Verdict =
  | { readonly kind: "exit"; readonly rank: Rank; readonly exit: JobExit }
  | { readonly kind: "said"; readonly rank: Rank; readonly words: string }
  | { readonly kind: "idle"; readonly rank: Rank; readonly ms: number }
  | { readonly kind: "late"; readonly rank: Rank; readonly ms: number }
  | { readonly kind: "error"; readonly rank: Rank; readonly error: GridError };

/** Characters of a last line that are shown. */
const LONGEST_LINE = 200;

/** Why it is blamed that has not ended; one clause. */
export function blameWords(verdict: Verdict): string {
  switch (verdict.kind) {
    case "said":
      return "wrote to $GRID_FAIL";
    case "idle":
      return `printed nothing for ${formatDuration(verdict.ms)}`;
    case "late":
      return `still ran ${formatDuration(verdict.ms)} after another`;
    case "error":
      return verdict.error.code === "lost" ? "out of reach" : "nobody knows how it went on";
    case "exit":
      return "failed";
  }
}

/** @param said what a rank that has ended wrote to $GRID_FAIL */
export function verdictFailure(verdict: Verdict, said?: string): Failure {
  return { ...plainFailure(verdict, said), rank: verdict.rank.index };
}

function plainFailure(verdict: Verdict, said: string | undefined): Failure {
  const { rank } = verdict;
  const { node } = rank;
  switch (verdict.kind) {
    case "exit":
      return exitFailure(rank, verdict.exit, said);
    case "said":
      return failureOf(rank, {
        code: "step-failed",
        message: `Cannot finish the command: ${rank.name} wrote to $GRID_FAIL: ${verdict.words}`,
      });
    case "idle":
      return failureOf(rank, {
        code: "timed-out",
        message: `Cannot finish the command: ${rank.name} printed nothing for ${
          formatDuration(verdict.ms)
        } (nodes.idle)`,
        hint:
          "it may hang, or wait for another; a rank that is silent by design prints now and then",
      });
    case "late":
      return failureOf(rank, {
        code: "timed-out",
        message: `Cannot finish the command: ${rank.name} still ran ${
          formatDuration(verdict.ms)
        } after another rank had ended well (nodes.exit-together)`,
      });
    case "error": {
      const { error } = verdict;
      const { failure } = failed(error, { node, started: true });
      return { ...failure, node: node.node.name, message: `${failure.message} (${rank.name})` };
    }
  }
}

function exitFailure(rank: Rank, exit: JobExit, own: string | undefined): Failure {
  if (exit.kind === "code" && exit.code === 0) throw new Error("a rank that ended well");
  const hint = rank.words.hint(exit, { canAnswer: true }).hint;
  const outcome = failedExit(exit as Exclude<JobExit, { code: 0 }>, {
    node: rank.node,
    ...(hint !== undefined && { hint }),
  });
  if (outcome.status !== "failed") throw new Error("a failure that is none");
  const { failure } = outcome;
  const how = failure.message.slice(failure.message.indexOf(": ") + 2).replace(/^it /, "");
  const last = lastLine(rank);
  const said = own !== undefined
    ? `; it wrote to $GRID_FAIL: ${own}`
    : last === ""
    ? ""
    : `; its last line: ${last}`;
  return { ...failure, message: `Cannot finish the command: ${rank.name} ${how}${said}` };
}

function lastLine({ words }: Rank): string {
  const line =
    words.stderr.split("\n").findLast((each) => each.trim() !== "" && !isImageLine(each)) ?? "";
  return line.trim().slice(0, LONGEST_LINE);
}

function failureOf(
  { node }: Rank,
  { code, message, hint }: Pick<Failure, "code" | "message" | "hint">,
): Failure {
  const more = hint === undefined ? {} : { hint };
  return { code, message, ...more, node: node.node.name, started: true };
}

/** `the other 3 ranks were ended: 0 survivors (processes)`, or rank by rank where they are not alike. */
export function aftermathWords(
  kills: readonly { readonly rank: Rank; readonly kill: RankKill }[],
  { first }: { readonly first: Rank | undefined },
): string {
  const told = kills.filter(({ rank, kill }) => rank !== first || !kill.isClear);
  const [one] = told;
  if (one === undefined) return "0 survivors (processes)";
  const others = told.filter(({ rank }) => rank !== first);
  const [other] = others;
  if (other === undefined) return `${one.rank.name} was ended: ${one.kill.words}`;
  const many = first === undefined
    ? `all ${others.length} ranks were ended`
    : others.length === 1
    ? "the other rank was ended"
    : `the other ${others.length} ranks were ended`;
  const isAlike = others.every(({ kill }) => kill.words === other.kill.words);
  const each = others.map(({ rank, kill }) => `${rank.name}: ${kill.words}`);
  const rest = isAlike ? other.kill.words : each.join("; ");
  const own = told.filter(({ rank }) => rank === first)
    .map(({ rank, kill }) => `${rank.name}: ${kill.words}`);
  return [`${many}: ${rest}`, ...own].join("; ");
}

/** Others fail as well when a node is gone, and are heard of sooner than its silence. */
export function lostInstead(
  failure: Failure,
  kills: readonly { readonly rank: Rank; readonly kill: RankKill }[],
): Failure {
  const lost = kills.find(({ kill }) => kill.error?.code === "lost");
  if (lost === undefined || failure.code === "lost") return failure;
  const node = lost.rank.node.node.name;
  const { exitCode: _code, signal: _signal, hint: _hint, ...rest } = failure;
  return {
    ...rest,
    code: "lost",
    node,
    rank: lost.rank.index,
    message: `Cannot reach "${node}" again, where rank ${lost.rank.index} ran; before that was ` +
      `known: ${failure.message}`,
    hint: "retry: { on: [node-lost], avoid-node: true } starts all ranks again, elsewhere",
  };
}

/** What held the start up, which nobody is to blame for but the time. */
export function notReady(ranks: readonly Rank[], ms: number): StepOutcome {
  const names = ranks.map(({ name }) => name).join(", ");
  const [first] = ranks;
  const error = new GridError({
    code: "no-node",
    message:
      `Cannot start on many nodes: ${names} ${ranks.length === 1 ? "was" : "were"} not ready ` +
      `after ${formatDuration(ms)}, so nothing was started`,
    hint: "nodes.start-within: 5m gives them more time",
    node: first?.node.node.name,
  });
  const failure: Failure = {
    code: error.code,
    message: error.message,
    ...(error.hint !== undefined && { hint: error.hint }),
    ...(error.node !== undefined && { node: error.node }),
    started: false,
  };
  return { status: "failed", failure };
}
