/** Events of runs as the engine would journal them; for the tests of readers. */
import type { Event, StepOutline } from "../../src/engine/event.ts";

/** 12:00:00 UTC. */
export const START = Date.UTC(2026, 0, 31, 12, 0, 0);
export const RUN = "20260131-120000-x7k2";

const OUTLINES: readonly StepOutline[] = [
  { id: "code", kind: "sync", needs: [], after: [] },
  { id: "gpu", kind: "select-node", needs: [], after: [] },
  { id: "train", kind: "run", needs: ["code", "gpu"], after: [] },
  { id: "score", kind: "ray-batch", needs: ["train"], after: [] },
  { id: "model", kind: "fetch", needs: ["train"], after: [] },
  { id: "notify", kind: "run", needs: [], after: [], hook: "failure" },
];

function opening(): Event[] {
  return [
    {
      type: "run.started",
      at: START,
      run: RUN,
      pipeline: "train",
      file: "pipelines/train.yaml",
      project: "/home/ada/project",
      inputs: { epochs: 5, dataset: "digits" },
      steps: OUTLINES,
      gridVersion: "0.1.0",
    },
    { type: "step.started", at: START + 10, step: "code" },
    { type: "attempt.started", at: START + 10, step: "code", attempt: 1 },
    { type: "step.started", at: START + 12, step: "gpu" },
    { type: "attempt.started", at: START + 12, step: "gpu", attempt: 1 },
    {
      type: "node.chosen",
      at: START + 250,
      step: "gpu",
      attempt: 1,
      node: "gpu1",
      score: 12.34,
      passedOver: [{ node: "gpu2", reason: "unreachable: connection refused" }],
    },
    { type: "attempt.finished", at: START + 251, step: "gpu", attempt: 1, result: "succeeded" },
    {
      type: "step.finished",
      at: START + 251,
      step: "gpu",
      state: "succeeded",
      outputs: { node: "gpu1" },
    },
    ...["gpu1", "gpu3"].map((node, at): Event => ({
      type: "sync.finished",
      at: START + 400 + at * 50,
      step: "code",
      attempt: 1,
      node,
      folder: "/home/ml/grid_workspace/project",
      sent: 12,
      deleted: at,
      total: 340,
      bytes: 1_258_291,
      durationMs: 390 + at * 50,
    })),
    { type: "attempt.finished", at: START + 460, step: "code", attempt: 1, result: "succeeded" },
    { type: "step.finished", at: START + 460, step: "code", state: "succeeded", outputs: {} },
    { type: "step.started", at: START + 470, step: "train" },
  ];
}

function attempt(number: number, at: number): Event[] {
  return [
    { type: "attempt.started", at, step: "train", attempt: number },
    { type: "node.chosen", at: at + 5, step: "train", attempt: number, node: "gpu1" },
    {
      type: "job.started",
      at: at + 10,
      step: "train",
      attempt: number,
      node: "gpu1",
      job: `${RUN}.train.${number}`,
    },
  ];
}

/** A failure of the link on the first attempt, then everything goes well. */
export function succeededRun(): Event[] {
  const second = START + 5_000;
  return [
    ...opening(),
    ...attempt(1, START + 470),
    {
      type: "attempt.finished",
      at: START + 3_470,
      step: "train",
      attempt: 1,
      result: "failed",
      failure: {
        code: "lost",
        message: "Cannot follow the command on gpu1: the connection was lost",
        node: "gpu1",
        started: false,
      },
      retryInMs: 1_530,
    },
    ...attempt(2, second),
    { type: "warned", at: second + 50, step: "train", message: "no nvidia-smi on gpu1" },
    {
      type: "attempt.finished",
      at: second + 60_000,
      step: "train",
      attempt: 2,
      result: "succeeded",
      exitCode: 0,
    },
    {
      type: "step.finished",
      at: second + 60_000,
      step: "train",
      state: "succeeded",
      outputs: { accuracy: 0.9532, epochs: 5, note: "held-out score" },
    },
    { type: "step.started", at: second + 60_010, step: "score" },
    { type: "attempt.started", at: second + 60_010, step: "score", attempt: 1 },
    { type: "step.started", at: second + 60_010, step: "model" },
    { type: "attempt.started", at: second + 60_010, step: "model", attempt: 1 },
    ...["score", "model"].map((step): Event => ({
      type: "node.chosen",
      at: second + 60_015,
      step,
      attempt: 1,
      node: "gpu1",
    })),
    ...[10, 20, 40].map((done): Event => ({
      type: "batch.progressed",
      at: second + 60_100 + done * 10,
      step: "score",
      attempt: 1,
      done,
      failed: done === 40 ? 1 : 0,
      total: 40,
      mode: "managed",
    })),
    {
      type: "fetch.finished",
      at: second + 60_300,
      step: "model",
      attempt: 1,
      node: "gpu1",
      folder: "/home/ada/project/results",
      files: ["metrics.json", "model.json"],
      bytes: 5_321,
    },
    {
      type: "attempt.finished",
      at: second + 60_310,
      step: "model",
      attempt: 1,
      result: "succeeded",
    },
    {
      type: "step.finished",
      at: second + 60_310,
      step: "model",
      state: "succeeded",
      outputs: { files: 2 },
    },
    {
      type: "attempt.finished",
      at: second + 61_000,
      step: "score",
      attempt: 1,
      result: "succeeded",
    },
    {
      type: "step.finished",
      at: second + 61_000,
      step: "score",
      state: "succeeded",
      outputs: { results: [0.9, 0.95], mean: 0.925 },
    },
    {
      type: "step.finished",
      at: second + 61_005,
      step: "notify",
      state: "skipped",
      reason: "nothing failed",
      uncalled: true,
      outputs: {},
    },
    { type: "run.finished", at: second + 61_010, state: "succeeded", exitCode: 0 },
  ];
}

/** The command itself fails; what comes after it is skipped. */
export function failedRun(): Event[] {
  const failure = {
    code: "exit",
    message: "command failed with exit code 3",
    node: "gpu1",
    exitCode: 3,
    started: true,
  } as const;
  return [
    ...opening(),
    ...attempt(1, START + 470),
    {
      type: "attempt.finished",
      at: START + 9_470,
      step: "train",
      attempt: 1,
      result: "failed",
      exitCode: 3,
      failure,
    },
    {
      type: "step.finished",
      at: START + 9_470,
      step: "train",
      state: "failed",
      outputs: {},
      failure,
    },
    ...["score", "model"].map((step): Event => ({
      type: "step.finished",
      at: START + 9_471,
      step,
      state: "skipped",
      reason: "needs train, which failed",
      outputs: {},
    })),
    { type: "step.started", at: START + 9_480, step: "notify" },
    { type: "attempt.started", at: START + 9_480, step: "notify", attempt: 1 },
    {
      type: "node.chosen",
      at: START + 9_481,
      step: "notify",
      attempt: 1,
      node: "local",
    },
    {
      type: "attempt.finished",
      at: START + 9_600,
      step: "notify",
      attempt: 1,
      result: "succeeded",
      exitCode: 0,
    },
    { type: "step.finished", at: START + 9_600, step: "notify", state: "succeeded", outputs: {} },
    {
      type: "run.finished",
      at: START + 9_610,
      state: "failed",
      firstFailure: "train",
      exitCode: 1,
    },
  ];
}

/** `grid run "command"`: one step; succeeded where `exitCode` is 0. */
export function commandRun(exitCode: number): Event[] {
  const failure = {
    code: "exit",
    message: `command failed with exit code ${exitCode}`,
    node: "gpu1",
    exitCode,
    started: true,
  } as const;
  const good = exitCode === 0;
  return [
    {
      type: "run.started",
      at: START,
      run: RUN,
      pipeline: "command",
      file: "",
      project: "/home/ada/project",
      inputs: {},
      steps: [{ id: "command", kind: "run", needs: [], after: [] }],
      gridVersion: "0.1.0",
    },
    { type: "step.started", at: START, step: "command" },
    { type: "attempt.started", at: START, step: "command", attempt: 1 },
    { type: "node.chosen", at: START + 1, step: "command", attempt: 1, node: "gpu1", score: 3 },
    {
      type: "attempt.finished",
      at: START + 1_200,
      step: "command",
      attempt: 1,
      result: good ? "succeeded" : "failed",
      exitCode,
      ...(good ? {} : { failure }),
    },
    {
      type: "step.finished",
      at: START + 1_200,
      step: "command",
      state: good ? "succeeded" : "failed",
      outputs: {},
      ...(good ? {} : { failure }),
    },
    {
      type: "run.finished",
      at: START + 1_210,
      state: good ? "succeeded" : "failed",
      ...(good ? {} : { firstFailure: "command" }),
      exitCode: good ? 0 : 1,
    },
  ];
}

/** `count` steps in a chain, each done at once. */
export function longRun(count: number): Event[] {
  const ids = Array.from({ length: count }, (_, at) => `step-${at + 1}`);
  return [
    {
      type: "run.started",
      at: START,
      run: RUN,
      pipeline: "long",
      file: "pipelines/long.yaml",
      project: "/home/ada/project",
      inputs: {},
      steps: ids.map((id, at) => ({
        id,
        kind: "run",
        needs: at === 0 ? [] : [ids[at - 1] ?? ""],
        after: [],
      })),
      gridVersion: "0.1.0",
    },
    ...ids.flatMap((step, index): Event[] => {
      const at = START + index * 3;
      return [
        { type: "step.started", at, step },
        { type: "attempt.started", at, step, attempt: 1 },
        { type: "node.chosen", at, step, attempt: 1, node: "local" },
        {
          type: "attempt.finished",
          at: at + 2,
          step,
          attempt: 1,
          result: "succeeded",
          exitCode: 0,
        },
        { type: "step.finished", at: at + 2, step, state: "succeeded", outputs: {} },
      ];
    }),
    { type: "run.finished", at: START + count * 3, state: "succeeded", exitCode: 0 },
  ];
}
