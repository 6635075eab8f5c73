import { formatDuration } from "../core/duration.ts";
import { formatSize } from "../core/size.ts";
import { escapeMarkup as text } from "./markup.ts";
import type { AttemptDocument, RunDocument, StepDocument } from "./run_document.ts";

/** Nodes that are named in one place; the report's JSON has them all. */
const MOST_NAMED = 5;

/** One row per step; what its attempts did unfolds below it. */
export function renderSteps(report: RunDocument): string {
  const heads = ["step", "state", "node", "time", "attempts", ""];
  const rows = report.steps.map(stepRow);
  return `<table class="steps"><thead><tr>${
    heads.map((head) => `<th>${head}</th>`).join("")
  }</tr></thead><tbody>\n${rows.join("\n")}\n</tbody></table>`;
}

function stepRow(step: StepDocument): string {
  const time = step.durationMs === null ? "" : formatDuration(step.durationMs);
  const cells = [
    `<td><b>${text(step.id)}</b> <span class="kind">${step.kind}</span></td>`,
    `<td><i class="dot ${step.state}"></i>${stateWords(step)}</td>`,
    `<td>${text(nodesOf(step))}</td>`,
    `<td class="number">${time}</td>`,
    `<td class="number">${step.attempts.length || ""}</td>`,
    `<td>${text(step.reason ?? step.failure?.message ?? "")}${attempts(step)}${
      maskWords(step)
    }</td>`,
  ];
  return `<tr id="${text(step.id)}">${cells.join("")}</tr>`;
}

function maskWords({ masked, maskedLines }: StepDocument): string {
  const words = [
    ...(maskedLines > 0 ? [`${maskedLines} ${maskedLines > 1 ? "lines" : "line"} of its log`] : []),
    ...(masked.length > 0
      ? [`${masked.length > 1 ? "outputs" : "output"} ${masked.join(", ")}`]
      : []),
  ];
  return words.length === 0 ? "" : `<div class="work">masked: ${text(words.join("; "))}</div>`;
}

function stateWords({ hook, state, counted }: StepDocument): string {
  return hook !== null && state === "skipped" && !counted ? "not called for" : state;
}

/** A step that syncs has no node of its own but all that it reached. */
function nodesOf({ node, attempts }: StepDocument): string {
  const synced = attempts.at(-1)?.syncs.map((sync) => sync.node) ?? [];
  const others = synced.length - MOST_NAMED;
  const named = synced.slice(0, MOST_NAMED).join(", ");
  return node ?? (others > 0 ? `${named} and ${others} more` : named);
}

function attempts(step: StepDocument): string {
  const [first, ...more] = step.attempts;
  if (!first || step.kind === "group") return "";
  if (more.length === 0) return `<div class="work">${attemptFacts(first).join(" · ")}</div>`;
  return `<ol class="work">${
    step.attempts.map((attempt) => `<li>${attemptWords(attempt)}</li>`).join("")
  }</ol>`;
}

/** One of several attempts: how it went, then what it did. */
function attemptWords(attempt: AttemptDocument): string {
  const took = attempt.durationMs === null ? "" : ` in ${formatDuration(attempt.durationMs)}`;
  const result = `<span class="${attempt.result}">${attempt.result}</span>${took}`;
  const why = attempt.failure === null ? [] : [text(attempt.failure.message)];
  const node = attempt.node === null ? [] : [`on ${text(attempt.node)}`];
  return [result, ...node, ...why, ...attemptFacts(attempt)].join(" · ");
}

function attemptFacts(attempt: AttemptDocument): string[] {
  const passed = attempt.passedOver.slice(0, MOST_NAMED).map(({ node, reason }) =>
    `passed over ${text(node)}: ${text(reason)}`
  );
  const others = attempt.passedOver.length - passed.length;
  return [
    ...(attempt.score === null ? [] : [`score ${attempt.score.toFixed(1)}`]),
    ...exitWords(attempt),
    ...(attempt.delayMs > 0 ? [`after a wait of ${formatDuration(attempt.delayMs)}`] : []),
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
    ...(attempt.log === null ? [] : [`<a href="${encodeURI(attempt.log)}">log</a>`]),
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
  if (exitCode === null || failure?.message.includes(`code ${exitCode}`)) return [];
  return [`exit code ${exitCode}`];
}

function batchWords(batch: NonNullable<AttemptDocument["batch"]>): string {
  const mode = batch.mode === "embedded" ? "embedded (local processes, no Ray)" : batch.mode;
  return `${batch.done} of ${batch.total} tasks, ${batch.failed} failed, ${text(mode)}`;
}
