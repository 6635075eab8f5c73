/** One plain line per event worth telling, for pipes, files and CI. */
import { formatDuration } from "../../core/duration.ts";
import { isUncalledHook } from "../../engine/counted.ts";
import type { Event, NodeChosen, RunStarted } from "../../engine/event.ts";
import type { RunState } from "../../engine/reduce.ts";
import { oneLine } from "../harmless.ts";
import {
  batchWords,
  counted,
  dataWords,
  durationOf,
  earlierTeller,
  failureWords,
  fetchWords,
  lookOf,
  progressWords,
  resultWords,
  syncWords,
} from "../step_words.ts";

export interface EventLine {
  readonly step: string | undefined;
  readonly text: string;
  readonly tone: "plain" | "good" | "bad" | "warn";
}

/** Share of a batch that has to be done anew before it is told again. */
const PROGRESS_STEP = 0.1;

/** @param state the state after the event; undefined lines are not worth telling */
export function lineOf(event: Event, state: RunState): EventLine | undefined {
  switch (event.type) {
    case "run.started": {
      const resumed = event.resumes === undefined ? "" : `, resumes ${event.resumes}`;
      const steps = stepCounts(event.steps);
      return plain(undefined, `run ${event.run} of ${event.pipeline}: ${steps}${resumed}`);
    }
    case "run.finished":
    case "job.started":
    case "attempt.started":
      return undefined;
    case "rank.ended":
      return rankLine(event, state);
    case "step.started":
      return startsOnNode(state, event.step) ? undefined : plain(event.step, "started");
    case "node.chosen":
      return plain(event.step, chosenWords(event, state));
    case "attempt.finished": {
      if (event.retryInMs === undefined) return undefined;
      const why = event.failure ? `: ${failureWords(event.failure)}` : "";
      const wait = formatDuration(event.retryInMs);
      const text = `attempt ${event.attempt} ${event.result}${why}; again in ${wait}`;
      return { step: event.step, text, tone: "warn" };
    }
    case "sync.finished":
      return plain(event.step, `${event.node}: ${syncWords(event)}`);
    case "fetch.finished":
      return plain(event.step, `${fetchWords(event)} from ${event.node}`);
    case "data.finished":
      // On this machine it lies where it always was.
      return event.node === "local"
        ? undefined
        : plain(event.step, `${event.node}: ${dataWords(event)}`);
    case "batch.progressed":
      return plain(event.step, batchWords(event));
    case "sync.progressed":
      return plain(event.step, `${event.node}: ${progressWords(event)}`);
    case "step.finished":
      return finishedLine(event.step, state);
    case "service.ended":
      return finishedLine(event.step, state);
    case "warned":
      return { step: event.step, text: `warning: ${oneLine(event.message)}`, tone: "warn" };
  }
}

/**
 * Of many nodes: that one ended well is news only where others go on; and how one was ended that is to blame.
 * Of the others the failure tells.
 */
function rankLine(
  { step, rank, node, by, exitCode, words }: Extract<Event, { type: "rank.ended" }>,
  state: RunState,
): EventLine | undefined {
  if (by === "itself" && words?.includes("ended by Grid")) {
    return plain(step, `rank ${rank} on ${node}: ${words}`);
  }
  const ranks = state.steps.get(step)?.attempts.at(-1)?.ranks ?? [];
  const others = ranks.filter((other) => other.rank !== rank && other.by === undefined).length;
  if (by === "grid" || exitCode !== 0 || others === 0) return undefined;
  const goOn = others === 1 ? "1 other goes on" : `${others} others go on`;
  return plain(step, `rank ${rank} on ${node}: ended well; ${goOn}`);
}

/** As `grid plan` counts them. */
function stepCounts(all: RunStarted["steps"]): string {
  const steps = all.filter(({ kind }) => kind !== "group");
  const hooks = steps.filter(({ hook }) => hook !== undefined).length;
  const more = hooks > 0 ? `, ${counted(hooks, "hook")}` : "";
  return counted(steps.length - hooks, "step") + more;
}

/** Keeps a batch of thousands of tasks from printing thousands of lines. */
export class ProgressFilter {
  readonly #told = new Map<string, number>();

  isNews(event: Event): boolean {
    if (event.type !== "batch.progressed") return true;
    if (event.done === 0) return false;
    const share = event.total > 0 ? event.done / event.total : 1;
    const key = `${event.step}\n${event.attempt}`;
    const before = this.#told.get(key) ?? Number.NEGATIVE_INFINITY;
    const isNews = share >= 1 ? before < 1 : share - before >= PROGRESS_STEP;
    if (isNews) this.#told.set(key, share);
    return isNews;
  }
}

/** Steps whose first line is the one that names their node. */
const ON_ONE_NODE: ReadonlySet<string> = new Set(["run", "ray-batch", "fetch"]);

function startsOnNode(state: RunState, step: string): boolean {
  return ON_ONE_NODE.has(state.steps.get(step)?.kind ?? "");
}

/** Which node, its score, and the nodes that were passed over with their reasons. */
export function chosenWords(event: NodeChosen, state: RunState): string {
  const score = event.score === undefined ? "" : ` (score ${event.score.toFixed(1)})`;
  const passed = event.passedOver ?? [];
  const over = passed.length === 0
    ? ""
    : `; passed over ${passed.map(({ node, reason }) => `${node}: ${oneLine(reason)}`).join(", ")}`;
  const attempt = event.attempt > 1 ? `attempt ${event.attempt} ` : "";
  const rank = event.rank === undefined ? "" : `rank ${event.rank} `;
  const verb = state.steps.get(event.step)?.kind === "select-node" ? "chose" : "started on";
  return `${attempt}${rank}${verb} ${event.node}${score}${over}`;
}

function finishedLine(id: string, state: RunState): EventLine | undefined {
  const step = state.steps.get(id);
  if (!step) return undefined;
  if (isUncalledHook(step)) return undefined;
  const look = lookOf(step.status);
  const ms = step.status === "skipped" ? undefined : durationOf(step, 0);
  const time = ms === undefined ? "" : ` in ${formatDuration(ms)}`;
  const told = resultWords(step, earlierTeller(step, state.steps));
  const words = step.kind === "run" || step.failure || step.reason !== undefined ? told : "";
  const tone = { green: "good", red: "bad", yellow: "warn" } as const;
  return {
    step: id,
    text: `${look.word}${time}${words === "" ? "" : `: ${words}`}`,
    tone: look.hue in tone ? tone[look.hue as keyof typeof tone] : "plain",
  };
}

function plain(step: string | undefined, text: string): EventLine {
  return { step, text, tone: "plain" };
}
