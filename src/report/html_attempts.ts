/** What is known of one attempt, in words. */
import { formatDuration } from "../core/duration.ts";
import { formatSize } from "../core/size.ts";
import { escapeMarkup as text } from "./markup.ts";
import type { AttemptDocument, StepDocument } from "./run_document.ts";

const MOST_NAMED = 5;
/** Milliseconds; a shorter wait is no news. */
const LEAST_WAIT_MS = 500;

export function maskWords({ masked, maskedLines }: StepDocument): string {
  const words = [
    ...(maskedLines > 0 ? [`${maskedLines} ${maskedLines > 1 ? "lines" : "line"} of its log`] : []),
    ...(masked.length > 0
      ? [`${masked.length > 1 ? "outputs" : "output"} ${masked.join(", ")}`]
      : []),
  ];
  return words.length === 0 ? "" : `<p class="soft">masked: ${text(words.join("; "))}</p>`;
}

/** One of several attempts: how it went, then what it did. */
export function attemptWords(attempt: AttemptDocument): string {
  const took = attempt.durationMs === null ? "" : ` in ${formatDuration(attempt.durationMs)}`;
  const result = `<span class="${attempt.result}">${attempt.result}</span>${took}`;
  const why = attempt.failure === null ? [] : [text(attempt.failure.message)];
  const node = attempt.node === null ? [] : [`on ${text(attempt.node)}`];
  return [result, ...node, ...why, ...attemptFacts(attempt)].join(" · ");
}

export function attemptFacts(attempt: AttemptDocument): string[] {
  const passed = attempt.passedOver.slice(0, MOST_NAMED).map(({ node, reason }) =>
    `passed over ${text(node)}: ${text(reason)}`
  );
  const others = attempt.passedOver.length - passed.length;
  const waited = attempt.nodeWaitMs ?? 0;
  return [
    `began ${formatDuration(attempt.afterMs)} after the run`,
    ...(attempt.delayMs > 0 ? [`after a wait of ${formatDuration(attempt.delayMs)}`] : []),
    ...(waited >= LEAST_WAIT_MS ? [`${formatDuration(waited)} until it had a node`] : []),
    ...(attempt.score === null ? [] : [`score ${attempt.score.toFixed(1)}`]),
    ...exitWords(attempt),
    ...passed,
    ...(others > 0 ? [`and ${others} more nodes`] : []),
    ...attempt.syncs.map((sync) =>
      `${text(sync.node)}: ${sync.sent} of ${sync.total} files sent, ${formatSize(sync.bytes)}` +
      codeWords(sync)
    ),
    ...attempt.fetches.map((fetch) =>
      `${fetch.files.length} files fetched, ${formatSize(fetch.bytes)}`
    ),
    ...(attempt.batch === null ? [] : [batchWords(attempt.batch)]),
  ];
}

/** `; code 1a2b3c4d, commit 5e6f7a8 with changes`. */
function codeWords(
  { digest, commit, changed }: AttemptDocument["syncs"][number],
): string {
  const from = commit === undefined
    ? ""
    : `, commit ${text(commit.slice(0, 7))}${changed ? " with changes" : ""}`;
  return digest === undefined ? from : `; code ${text(digest.slice(0, 8))}${from}`;
}

/** Not where the failure's own words say it already. */
function exitWords({ exitCode, failure }: AttemptDocument): string[] {
  if (exitCode === null || exitCode === 0 || failure?.message.includes(`code ${exitCode}`)) {
    return [];
  }
  return [`exit code ${exitCode}`];
}

function batchWords(batch: NonNullable<AttemptDocument["batch"]>): string {
  const mode = batch.mode === "embedded" ? "embedded (local processes, no Ray)" : batch.mode;
  return `${batch.done} of ${batch.total} tasks, ${batch.failed} failed, ${text(mode)}`;
}
