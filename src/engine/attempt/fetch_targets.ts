/** What the steps behind a sync fetch: it may land in the sync's source, and is no other code. */
import { join } from "node:path/posix";
import { fetchPlace } from "../../pipeline/fetch_place.ts";
import type { Step } from "../../pipeline/pipeline.ts";
import type { Text } from "../../expression/text.ts";
import type { Scopes } from "../ledger/scopes.ts";
import { evaluate } from "./resolve.ts";

export interface FetchTargetsOptions {
  readonly steps: ReadonlyMap<string, Step>;
  readonly scopes: Scopes;
}

/** Patterns relative to the project, as far as they are known before anything ran. */
export function fetchTargets(
  sync: Step,
  { steps, scopes }: FetchTargetsOptions,
): readonly string[] {
  return [...steps.values()].flatMap((step) => {
    const { action } = step;
    if (action.kind !== "fetch" || !isBehind(step, { sync, steps })) return [];
    // Whatever the run: each may have brought something to a folder of its own name.
    const text = (value: Text) => evaluate(value, scopes.of(step, { run: "*" }));
    try {
      const to = fetchPlace(text(action.to), "*");
      return action.from.map((from) => join(to, text(from)));
    } catch {
      // It depends on what the run finds out, so that it cannot be told from other files.
      return [];
    }
  });
}

/** Patterns below the synced folder of files that the steps behind the sync say they make. */
export function madeThere(sync: Step, { steps, scopes }: FetchTargetsOptions): readonly string[] {
  return [...steps.values()].flatMap((step) => {
    const declared = [
      ...step.outputs.flatMap((output) => output.from === "file" ? [output.path] : []),
      ...step.cache?.files ?? [],
    ];
    if (declared.length === 0 || !isBehind(step, { sync, steps })) return [];
    const text = (value: Text) => evaluate(value, scopes.of(step, { run: "*" }));
    try {
      const folder = step.workingDirectory ? text(step.workingDirectory) : ".";
      return declared.map((path) => join(folder, text(path)));
    } catch {
      return [];
    }
  });
}

/** Whether every command before a fetch ran in this run, so that what they made is of this run, too. */
export function isBehindNewWork(fetch: Step, { steps, scopes }: FetchTargetsOptions): boolean {
  const commands = stepsBefore(fetch, steps).filter(({ action: { kind } }) =>
    kind === "run" || kind === "ray-batch"
  );
  const states = commands.map(({ id }) => scopes.record(id)?.state ?? "skipped");
  return states.length > 0 && !states.some((state) => state === "skipped" || state === "reused");
}

function isBehind(
  step: Step,
  { sync, steps }: { readonly sync: Step; readonly steps: ReadonlyMap<string, Step> },
): boolean {
  return stepsBefore(step, steps).some(({ id }) => id === sync.id);
}

/** Nearest first. */
function stepsBefore(step: Step, steps: ReadonlyMap<string, Step>): readonly Step[] {
  const seen = new Set<string>();
  const found: Step[] = [];
  const open = [step];
  for (let at = open.pop(); at; at = open.pop()) {
    const members = at !== step && at.action.kind === "group" ? at.action.members : [];
    const before = [...members, ...at.needs, ...at.after];
    const up = at.group === undefined ? undefined : steps.get(at.group);
    // What is before a group is before its members; the other members are not.
    for (let outer = up; outer; outer = steps.get(outer.group ?? "")) {
      before.push(...outer.needs, ...outer.after);
    }
    for (const id of before) {
      const next = steps.get(id);
      if (!next || seen.has(id)) continue;
      seen.add(id);
      found.push(next);
      open.push(next);
    }
  }
  return found;
}
