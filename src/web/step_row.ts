/** A step of a run in one row. */
import { formatDuration } from "../core/duration.ts";
import { isUncalledHook } from "../engine/counted.ts";
import type { StepState } from "../engine/reduce.ts";
import { growing, logPath } from "./layout.ts";
import { type Markup, markup, NOTHING } from "./markup.ts";
import { stateWords } from "./runs_page.ts";

export interface RowOptions {
  readonly run: string;
  readonly number: number;
  readonly isStopped: boolean;
}

/** A step that did not change is the same object. */
const rows = new WeakMap<StepState, string>();

export function stepRow(step: StepState, options: RowOptions): string {
  const isOpen = step.status === "running";
  const known = isOpen ? undefined : rows.get(step);
  if (known !== undefined) return known;
  const row = renderStep(step, options).text;
  if (!isOpen) rows.set(step, row);
  return row;
}

function renderStep(step: StepState, { run, number, isStopped }: RowOptions): Markup {
  const { id, kind, status, attempts, node, group } = step;
  const isCut = isStopped && status === "running";
  const state = isCut
    ? "stopped"
    : isUncalledHook(step) && status === "skipped"
    ? "not called for"
    : status;
  const from = step.reusedFrom;
  const name = kind === "group" || (attempts.length === 0 && from === undefined)
    ? markup`<b>${id}</b>`
    : markup`<a href="${logPath(from?.run ?? run, id)}"><b>${id}</b></a>`;
  const time = status === "running" && !isCut && step.startedAt !== undefined
    ? growing(step.startedAt)
    : step.durationMs === undefined
    ? NOTHING
    : markup`${formatDuration(step.durationMs)}`;
  const nodes = attempts.at(-1)?.ranks?.map((rank) => rank.node).slice(0, MOST_NODES).join(", ") ??
    node ??
    attempts.at(-1)?.syncs.slice(0, MOST_NODES).map((sync) => sync.node).join(", ");
  return markup`
    <tr id="s-${number}" ${group === undefined ? "" : markup` class="member"`}>
      <td>${name} <span class="kind">${kind}</span></td>
      <td class="state">${stateWords(state)}</td>
      <td>${nodes}</td>
      <td class="number">${time}</td>
      <td class="number">${attempts.length > 1 ? `${attempts.length} attempts` : ""}</td>
      <td>${whyWords(step)}</td>
    </tr>
  `;
}

const MOST_NODES = 5;

function whyWords(step: StepState): string {
  const last = step.attempts.at(-1);
  const { batch } = last ?? {};
  const words = [
    step.reason ?? step.failure?.message,
    batch &&
    `${batch.done} of ${batch.total} tasks${batch.failed > 0 ? `, ${batch.failed} failed` : ""}`,
    last?.result === "failed" && last.retryInMs !== undefined && step.status === "running"
      ? `failed, tries again in ${formatDuration(last.retryInMs)}`
      : undefined,
  ];
  return words.filter((each) => each !== undefined).join("; ");
}
