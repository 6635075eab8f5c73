/** Two runs beside each other: what they were given, what they gave, how long it took. Pure. */
import type { JsonValue } from "../core/json.ts";
import type { RunState, StepState } from "./reduce.ts";

export interface RunDifference {
  /** Inputs of both, by name; equal ones too. */
  readonly inputs: readonly Pair<JsonValue>[];
  /** Outputs of steps of both, by `step.name`; equal ones too. */
  readonly outputs: readonly Pair<JsonValue>[];
  /** In the order of the second run, then what only the first one has. */
  readonly steps: readonly Pair<StepFigures>[];
  /** Of the code that was synced, with `+` where it was changed. */
  readonly commit: Pair<string>;
  /** Whether both ran the same definition; undefined where one of them does not say. */
  readonly sameDefinition: boolean | undefined;
}

export interface Pair<T> {
  readonly name: string;
  readonly one: T | undefined;
  readonly other: T | undefined;
  readonly differs: boolean;
}

export interface StepFigures {
  readonly status: StepState["status"];
  readonly durationMs: number | undefined;
  readonly node: string | undefined;
  readonly attempts: number;
}

export function runDifference(one: RunState, other: RunState): RunDifference {
  return {
    inputs: pairsOf(Object.entries(one.inputs), Object.entries(other.inputs)),
    outputs: pairsOf(outputsOf(one), outputsOf(other)),
    steps: pairsOf(figuresOf(one), figuresOf(other), isOtherStep),
    commit: pair("commit", commitOf(one), commitOf(other)),
    sameDefinition: one.definition === undefined || other.definition === undefined
      ? undefined
      : one.definition === other.definition,
  };
}

type Entries<T> = readonly (readonly [name: string, value: T])[];

function pairsOf<T>(
  one: Entries<T>,
  other: Entries<T>,
  isOther: (a: T, b: T) => boolean = isOtherValue,
): Pair<T>[] {
  const [first, second] = [new Map(one), new Map(other)];
  const names = new Set([...second.keys(), ...first.keys()]);
  return [...names].map((name) => pair(name, first.get(name), second.get(name), isOther));
}

function pair<T>(
  name: string,
  one: T | undefined,
  other: T | undefined,
  isOther: (a: T, b: T) => boolean = isOtherValue,
): Pair<T> {
  const differs = one === undefined || other === undefined ? one !== other : isOther(one, other);
  return { name, one, other, differs };
}

function isOtherValue(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) !== JSON.stringify(other);
}

/** No two runs take equally long: that alone is no difference. */
function isOtherStep(one: StepFigures, other: StepFigures): boolean {
  return one.status !== other.status || one.node !== other.node || one.attempts !== other.attempts;
}

function outputsOf({ steps }: RunState): Entries<JsonValue> {
  return [...steps.values()].filter(({ kind }) => kind !== "group" && kind !== "select-node")
    .flatMap(({ id, outputs }) =>
      Object.entries(outputs).map(([name, value]) => [`${id}.${name}`, value] as const)
    );
}

function figuresOf({ steps }: RunState): Entries<StepFigures> {
  return [...steps.values()].map(({ id, status, durationMs, node, attempts }) =>
    [id, { status, durationMs, node, attempts: attempts.length }] as const
  );
}

export function commitOf({ steps }: RunState): string | undefined {
  for (const { attempts } of steps.values()) {
    for (const { commit, changed } of attempts.flatMap(({ syncs }) => syncs)) {
      if (commit !== undefined) return commit.slice(0, 10) + (changed ? "+" : "");
    }
  }
  return undefined;
}
