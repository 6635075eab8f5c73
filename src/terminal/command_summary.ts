/** The few words after `grid run "command"`: the command's own output has been shown already. */
import { formatDuration } from "../core/duration.ts";
import type { RunState } from "../engine/reduce.ts";
import { logOf } from "./failure_summary.ts";
import { oneLine } from "./harmless.ts";
import { durationOf, failureWords, lookOf } from "./step_words.ts";
import type { SummaryOptions } from "./summary.ts";

/** Empty where the command went well: nothing disturbs what the output is piped into. */
export function renderCommandSummary(state: RunState, options: SummaryOptions): string {
  const { paint, now } = options;
  if (state.result === "succeeded") return "";
  const failed = state.firstFailure === undefined ? undefined : state.steps.get(state.firstFailure);
  if (!failed) {
    const word = state.result === "running" ? "stopped" : lookOf(state.result).word;
    return `${paint.red(`grid: command ${word}`)}\n  ${paint.dim(`report  ${options.folder}`)}\n`;
  }
  const failure = failed.failure ?? failed.attempts.at(-1)?.failure;
  const what = failure ? failureWords(failure) : lookOf(failed.status).word;
  const where = failed.node === undefined ? "" : ` on ${failed.node}`;
  const took = formatDuration(durationOf(failed, now - state.startedAt) ?? 0);
  // That a node is a step of its own is nothing that who runs a command knows.
  const head = failed.kind === "select-node"
    ? "no node for the command"
    : `${failed.id} ${lookOf(failed.status).word}${where}`;
  const lines = [paint.red(`grid: ${head} after ${took}: ${what}`)];
  if (failure?.hint !== undefined) lines.push(`  ${paint.cyan("hint:")} ${oneLine(failure.hint)}`);
  const log = logOf(failed, options);
  if (log !== undefined) lines.push(`  log   ${log}`);
  return lines.join("\n") + "\n";
}
