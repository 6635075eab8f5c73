/** Small pipelines as values, for tests of what comes after the language. */
import type { Action, Pipeline, Step } from "../../src/pipeline/pipeline.ts";
import { parseText, type Text } from "./texts.ts";

/** Everything a step may say, most of it left out. */
export type StepParts =
  & Partial<Omit<Step, "id" | "condition" | "env" | "retry" | "timeout">>
  & {
    readonly if?: string;
    readonly run?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly retry?: Partial<Step["retry"]>;
    readonly timeout?: Partial<Step["timeout"]>;
  };

export function step(id: string, parts: StepParts = {}): Step {
  const { if: condition, run = "true", env = {}, retry, timeout, ...rest } = parts;
  return {
    id,
    place: { file: "pipeline.yaml", line: 1, column: 1 },
    needs: [],
    after: [],
    condition: condition === undefined ? undefined : parseText(`\${{ ${condition} }}`),
    action: { kind: "run", run: parseText(run) },
    node: { kind: "best" },
    env: Object.fromEntries(Object.entries(env).map(([name, text]) => [name, parseText(text)])),
    secrets: [],
    timeout: {
      totalMs: undefined,
      attemptMs: undefined,
      idleMs: undefined,
      killGraceMs: 1000,
      ...timeout,
    },
    retry: {
      max: 0,
      on: ["transport"],
      delayMs: 1000,
      maxDelayMs: 60_000,
      backoff: "exponential",
      jitter: "none",
      avoidNode: false,
      ...retry,
    },
    outputs: [],
    workingDirectory: undefined,
    shell: "bash",
    detach: false,
    allowFailure: false,
    cache: undefined,
    scope: "",
    matrix: undefined,
    group: undefined,
    ...rest,
  };
}

export interface GroupParts {
  readonly of?: "matrix" | "template";
  readonly maxParallel?: number;
  readonly failFast?: boolean;
  readonly outputs?: Readonly<Record<string, string>>;
}

/** A group and its members, members first. */
export function group(
  id: string,
  members: readonly Step[],
  { of = "matrix", maxParallel, failFast = false, outputs = {}, ...parts }:
    & GroupParts
    & Omit<StepParts, "outputs"> = {},
): Step[] {
  const direct = members.map((member) =>
    member.group === undefined ? { ...member, group: id } : member
  );
  const action: Action<Text> = {
    kind: "group",
    of,
    members: direct.filter((member) => member.group === id).map((member) => member.id),
    maxParallel,
    failFast,
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([name, text]) => [name, parseText(text)]),
    ),
  };
  return [...direct, step(id, { ...parts, action })];
}

export function pipeline(steps: readonly Step[], parts: Partial<Pipeline> = {}): Pipeline {
  return {
    name: "test",
    description: undefined,
    file: "pipeline.yaml",
    inputs: {},
    scopes: { "": { parent: undefined, inputs: parts.inputs ?? {} } },
    secrets: [],
    concurrency: undefined,
    steps,
    hooks: { success: [], failure: [], exit: [] },
    outputs: {},
    ...parts,
  };
}
