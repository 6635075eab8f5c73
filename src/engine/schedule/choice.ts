/** `--from` and `--only`: the part of the graph that a run is about. Pure. */
import { looksAlways } from "../../pipeline/step_kinds.ts";
import { nearest } from "../../core/did_you_mean.ts";
import { GridError } from "../../core/errors.ts";
import type { Step } from "../../pipeline/pipeline.ts";

export interface Choice {
  /** This step and all that come after it. */
  readonly from?: string | undefined;
  /** This step alone, with the members of its group. */
  readonly only?: string | undefined;
}

/**
 * Ids of the steps that were asked for; undefined means all.
 *
 * @throws {GridError} `usage` for an id that no step has
 */
export function chooseSteps(
  steps: readonly Step[],
  { from, only }: Choice,
): ReadonlySet<string> | undefined {
  if (from === undefined && only === undefined) return undefined;
  const chosen = new Set<string>();
  if (only !== undefined) chosen.add(known(steps, { id: only, flag: "--only" }));
  if (from !== undefined) {
    const start = known(steps, { id: from, flag: "--from" });
    for (const id of successors(steps, start)) chosen.add(id);
  }
  return withGroups(steps, chosen);
}

/** The steps, and the syncs before them: they bring the files that the steps work with. */
export function withSyncs(
  steps: readonly Step[],
  chosen: ReadonlySet<string>,
): ReadonlySet<string> {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const before = new Set(chosen);
  for (const id of before) {
    const step = byId.get(id);
    if (!step) continue;
    const members = step.action.kind === "group" && !chosen.has(id) ? step.action.members : [];
    const outer = step.group === undefined ? [] : [step.group];
    for (const next of [...step.needs, ...step.after, ...members, ...outer]) before.add(next);
  }
  const syncs = [...before].filter((id) => looksAlways(byId.get(id)?.action.kind ?? ""));
  return withGroups(steps, new Set([...chosen, ...syncs]));
}

function known(
  steps: readonly Step[],
  { id, flag }: { readonly id: string; readonly flag: string },
): string {
  const ids = steps.map((step) => step.id);
  if (ids.includes(id)) return id;
  const near = nearest(id, ids);
  throw new GridError({
    code: "usage",
    message: `Cannot run ${flag} ${id}: the pipeline has no such step`,
    hint: near === undefined ? `the steps are: ${ids.join(", ")}` : `did you mean "${near}"?`,
  });
}

/** The step and everything that waits for it, also through groups. */
function successors(steps: readonly Step[], start: string): ReadonlySet<string> {
  const behind = new Map<string, string[]>();
  const link = (before: string, after: string) => {
    const list = behind.get(before) ?? [];
    list.push(after);
    behind.set(before, list);
  };
  for (const step of steps) {
    for (const before of [...step.needs, ...step.after]) link(before, step.id);
    if (step.group !== undefined) link(step.id, step.group);
  }
  const found = new Set([start]);
  for (const id of found) {
    for (const next of behind.get(id) ?? []) found.add(next);
  }
  return found;
}

/** A group brings its members unless some were named; a member brings the groups around it. */
function withGroups(steps: readonly Step[], chosen: Set<string>): ReadonlySet<string> {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const named = new Set(chosen);
  for (const id of chosen) {
    const step = byId.get(id);
    if (step?.group !== undefined) chosen.add(step.group);
    if (step?.action.kind !== "group" || !named.has(id)) continue;
    const { members } = step.action;
    if (members.some((member) => named.has(member))) continue;
    for (const member of members) {
      chosen.add(member);
      named.add(member);
    }
  }
  return chosen;
}
