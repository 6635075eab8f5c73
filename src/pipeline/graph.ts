import { suggest } from "../document/shape/check.ts";
import type { Edge, WrittenStep } from "./written_step.ts";
import type { TextReader } from "../expression/reader.ts";

/** The steps of one file in an order in which every step comes after what it waits for. */
export interface Graph {
  readonly order: readonly WrittenStep[];
  readonly byId: ReadonlyMap<string, WrittenStep>;
  /** Whether `ancestor` has ended whenever `step` starts. */
  isAncestor(ancestor: string, step: string): boolean;
}

/** Reports missing steps, steps that wait for themselves, and cycles by their names. */
export function buildGraph(
  steps: readonly WrittenStep[],
  { reader, hookIds = new Set() }: {
    readonly reader: TextReader;
    /** Names of steps around the run, which none of these can wait for. */
    readonly hookIds?: ReadonlySet<string>;
  },
): Graph {
  const byId = new Map<string, WrittenStep>();
  for (const step of steps) {
    const first = byId.get(step.id);
    if (first === undefined) byId.set(step.id, step);
    else reportDuplicate(step, first, reader);
  }
  const unique = [...byId.values()];
  const indexOf = new Map(unique.map((step, index) => [step.id, index]));
  const before = unique.map((step) => dependencies(step, { indexOf, reader, hookIds }));
  const order = sort(before);
  if (order.length < unique.length) reportCycles({ unique, before, order, reader });
  const ancestors = collectAncestors(before, order);
  return {
    order: order.map((index) => at(unique, index)),
    byId,
    isAncestor(ancestor, step) {
      const row = ancestors[indexOf.get(step) ?? -1];
      const bit = indexOf.get(ancestor);
      return row !== undefined && bit !== undefined && hasBit(row, bit);
    },
  };
}

/** Reports a name that another step has already. */
export function reportDuplicate(step: WrittenStep, first: WrittenStep, reader: TextReader): void {
  reader.report({
    rule: "duplicate-id",
    spot: reader.source.valueSpot(step.entry, "id"),
    message: `id "${step.id}" is given twice`,
    hint: `line ${first.place.line} has it already; every step needs a name of its own`,
  });
}

interface DependencyContext {
  readonly indexOf: ReadonlyMap<string, number>;
  readonly hookIds: ReadonlySet<string>;
  readonly reader: TextReader;
}

function dependencies(step: WrittenStep, context: DependencyContext): number[] {
  const found = new Set<number>();
  for (const edge of [...step.needs, ...step.after]) {
    const index = resolve(edge, step, context);
    if (index !== undefined) found.add(index);
  }
  return [...found];
}

function resolve(edge: Edge, step: WrittenStep, context: DependencyContext): number | undefined {
  const { indexOf, reader } = context;
  if (edge.name === step.id) {
    const message = `step "${step.id}" waits for itself`;
    reader.report({ rule: "cycle", spot: edge.spot, message, hint: "remove it" });
    return undefined;
  }
  const index = indexOf.get(edge.name);
  if (index === undefined) {
    const hint = unknownHint(edge.name, { step, ...context });
    const message = `unknown step "${edge.name}"`;
    reader.report({ rule: "unknown-step", spot: edge.spot, message, hint });
  }
  return index;
}

interface UnknownContext extends DependencyContext {
  readonly step: WrittenStep;
}

function unknownHint(name: string, { step, indexOf, hookIds }: UnknownContext): string {
  if (name.includes("${{")) return "needs: and after: take plain names";
  if (hookIds.has(name)) return `"${name}" is a hook; hooks run after every step`;
  if (step.hook !== undefined) {
    return "a hook runs after every step; only hooks of the same moment can be named here";
  }
  const matrix = name.replace(/\[.*$/, "");
  if (indexOf.has(matrix)) return `write ${matrix}: that waits for every cell of its matrix`;
  if (name.includes(",")) return `write a list: [${name}]`;
  if (name.startsWith("-")) return `write a list: [${name.replace(/^-\s*/, "")}]`;
  const others = [...indexOf.keys()].filter((id) => id !== step.id);
  return others.length === 0 ? "there is no other step" : suggest(name, others, "steps");
}

/** Kahn's algorithm; steps in cycles are left out. File order wherever the edges leave a choice. */
function sort(before: readonly (readonly number[])[]): number[] {
  const waiting = before.map((list) => list.length);
  const dependents: number[][] = before.map(() => []);
  for (const [index, list] of before.entries()) {
    for (const dependency of list) dependents[dependency]?.push(index);
  }
  const order = [...waiting.keys()].filter((index) => waiting[index] === 0);
  for (let done = 0; done < order.length; done++) {
    for (const next of dependents[at(order, done)] ?? []) {
      const left = (waiting[next] ?? 0) - 1;
      waiting[next] = left;
      if (left === 0) order.push(next);
    }
  }
  return order;
}

interface CycleSearch {
  readonly unique: readonly WrittenStep[];
  readonly before: readonly (readonly number[])[];
  readonly order: readonly number[];
  readonly reader: TextReader;
}

/** Every step left over leads back into a cycle; each cycle is named once. */
function reportCycles({ unique, before, order, reader }: CycleSearch): void {
  const settled = new Set(order);
  for (const start of unique.keys()) {
    if (settled.has(start)) continue;
    const trail: number[] = [];
    let index: number | undefined = start;
    while (index !== undefined && !settled.has(index) && !trail.includes(index)) {
      trail.push(index);
      index = before[index]?.find((dependency) => !settled.has(dependency));
    }
    const from = index === undefined ? -1 : trail.indexOf(index);
    if (from !== -1) reportCycle(trail.slice(from).map((at) => unique[at]), reader);
    for (const index of trail) settled.add(index);
  }
}

function reportCycle(steps: readonly (WrittenStep | undefined)[], reader: TextReader): void {
  const cycle = steps.filter((step) => step !== undefined);
  // Said from the step that stands first in the file, in the order in which they would run.
  const first = cycle.toSorted((a, b) => a.place.line - b.place.line)[0];
  if (first === undefined) return;
  const turned = [...cycle.slice(cycle.indexOf(first)), ...cycle.slice(0, cycle.indexOf(first))];
  const next = turned[1]?.id;
  const edge = [...first.needs, ...first.after].find((edge) => edge.name === next);
  const names = [...turned, first].map((step) => step.id).join(" → ");
  reader.report({
    rule: "cycle",
    spot: edge?.spot ?? first.spot,
    message: `steps wait for each other: ${names}`,
    hint: "remove one of these needs: or after:",
  });
}

/** One row of bits per step: ten thousand steps take 12 MB, and a question one lookup. */
function collectAncestors(
  before: readonly (readonly number[])[],
  order: readonly number[],
): (Uint32Array | undefined)[] {
  const words = Math.ceil(before.length / 32);
  const rows: (Uint32Array | undefined)[] = before.map(() => undefined);
  for (const index of order) {
    const row = new Uint32Array(words);
    for (const dependency of before[index] ?? []) {
      row[dependency >> 5] = (row[dependency >> 5] ?? 0) | (1 << (dependency & 31));
      const above = rows[dependency];
      if (above) {
        for (let word = 0; word < words; word++) {
          row[word] = (row[word] ?? 0) | (above[word] ?? 0);
        }
      }
    }
    rows[index] = row;
  }
  return rows;
}

function hasBit(row: Uint32Array, bit: number): boolean {
  return ((row[bit >> 5] ?? 0) & (1 << (bit & 31))) !== 0;
}

function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new RangeError(`no item ${index} in a list of ${list.length}`);
  return value;
}
