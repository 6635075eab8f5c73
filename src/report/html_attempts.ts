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

/** As markup. Most attempts have little to tell, and a run may have many thousands. */
export function attemptFacts(attempt: AttemptDocument): string[] {
  const { delayMs, score, passedOver, syncs, fetches, batch } = attempt;
  const facts = [`began ${formatDuration(attempt.afterMs)} after the run`];
  if (delayMs > 0) facts.push(`after a wait of ${formatDuration(delayMs)}`);
  const waited = attempt.nodeWaitMs ?? 0;
  if (waited >= LEAST_WAIT_MS) facts.push(`${formatDuration(waited)} until it had a node`);
  if (score !== null) facts.push(`score ${score.toFixed(1)}`);
  if (hasExitWords(attempt)) facts.push(`exit code ${attempt.exitCode}`);
  if (passedOver.length > 0) facts.push(...passedWords(attempt));
  for (const sync of syncs) {
    const size = formatSize(sync.bytes);
    const sent = `${sync.sent} of ${sync.total} files sent, ${size}`;
    facts.push(`${text(sync.node)}: ${sent}${codeWords(sync)}`);
  }
  for (const { files, bytes } of fetches) {
    facts.push(`${files.length} files fetched, ${formatSize(bytes)}`);
  }
  if (batch !== null) facts.push(batchWords(batch));
  return facts;
}

function passedWords({ passedOver }: AttemptDocument): string[] {
  const named = passedOver.slice(0, MOST_NAMED).map(({ node, reason }) =>
    `passed over ${text(node)}: ${text(reason)}`
  );
  const others = passedOver.length - named.length;
  return others > 0 ? [...named, `and ${others} more nodes`] : named;
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
function hasExitWords({ exitCode, failure }: AttemptDocument): boolean {
  return exitCode !== null && exitCode !== 0 && !failure?.message.includes(`code ${exitCode}`);
}

function batchWords(batch: NonNullable<AttemptDocument["batch"]>): string {
  const mode = batch.mode === "embedded" ? "embedded (local processes, no Ray)" : batch.mode;
  return `${batch.done} of ${batch.total} tasks, ${batch.failed} failed, ${text(mode)}`;
}
