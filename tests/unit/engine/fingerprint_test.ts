import assert from "node:assert/strict";
import { causesOf, failureGroups } from "../../../src/engine/fingerprint.ts";
import type { Failure } from "../../../src/engine/event.ts";
import { replay, type RunState } from "../../../src/engine/reduce.ts";

interface Broken {
  readonly failure: Partial<Failure>;
  readonly last?: string;
}

function groupsOf(broken: readonly Broken[]) {
  const ids = broken.map((_, at) => `c[i=${at}]`);
  const state = replay([
    {
      type: "run.started",
      at: 0,
      run: "r",
      pipeline: "p",
      file: "p.yaml",
      project: "/p",
      inputs: {},
      steps: ids.map((id) => ({ id, kind: "run", needs: [], after: [] })),
      gridVersion: "0",
    },
    ...broken.map(({ failure }, at) => ({
      type: "step.finished" as const,
      at: at + 1,
      step: ids[at] ?? "",
      state: "failed" as const,
      outputs: {},
      failure: { code: "exit" as const, message: "m", started: true, ...failure },
    })),
    { type: "run.finished", at: 99, state: "failed", firstFailure: ids[1] ?? "", exitCode: 1 },
  ]) as RunState;
  return failureGroups(state, (step) => [broken[ids.indexOf(step)]?.last ?? ""]);
}

const memory = (gib: number) => ({
  failure: { exitCode: 1 },
  last: `CUDA out of memory. Tried ${gib}.5 GiB at 0x7f${gib}`,
});

Deno.test("failureGroups() puts together what differs in nothing but numbers", () => {
  const groups = groupsOf([{ failure: { exitCode: 3 } }, memory(1), memory(2), memory(30)]);
  assert.deepEqual(groups.map(({ steps }) => steps.length), [3, 1]);
  assert.equal(
    causesOf(groups),
    "3× exit code 1: CUDA out of memory. Tried 1.5 GiB at 0x7f1, 1× exit code 3",
  );
});

Deno.test("failureGroups() puts long sentences together, however long their numbers are", () => {
  const broken = [5, 42, 116].map((shard) => ({
    failure: { exitCode: 1 },
    last: `ValueError: shard ${shard} is broken: ${"a long path ".repeat(20)}`,
  }));
  assert.deepEqual(groupsOf(broken).map(({ steps }) => steps.length), [3]);
});

Deno.test("failureGroups() tells the first failure first, then the most frequent", () => {
  const groups = groupsOf([
    { failure: { exitCode: 3 } },
    { failure: { signal: "SIGKILL" } },
    { failure: { exitCode: 3 } },
  ]);
  assert.deepEqual(groups.map(({ words }) => words), ["ended by SIGKILL", "exit code 3"]);
});

Deno.test("failureGroups() keeps other codes, exit codes and last words apart", () => {
  const groups = groupsOf([
    { failure: { exitCode: 1 }, last: "KeyError: 'lr'" },
    { failure: { exitCode: 1 }, last: "KeyError: 'seed'" },
    { failure: { exitCode: 2 }, last: "KeyError: 'lr'" },
    { failure: { code: "timed-out", message: "no end within 3s" } },
    { failure: { code: "timed-out", message: "no end within 4s" } },
  ]);
  assert.deepEqual(groups.map(({ steps }) => steps.length), [1, 2, 1, 1]);
});

Deno.test("failureGroups() takes what an earlier command printed for no word of one that never ran", () => {
  const failure = { code: "tcp" as const, started: false, message: "no way to gpu1" };
  const [group] = groupsOf([{ failure, last: "a" }, { failure, last: "b" }]);
  assert.deepEqual([group?.words, group?.steps.length], ["no way to gpu1", 2]);
});

Deno.test("causesOf() adds nothing where all failures are one", () => {
  assert.equal(causesOf(groupsOf([memory(1), memory(2)])), undefined);
  assert.equal(causesOf([]), undefined);
});

Deno.test("failureGroups() cuts an endless line", () => {
  const [group] = groupsOf([{ failure: { exitCode: 1 }, last: "x".repeat(9999) }]);
  assert.ok((group?.words.length ?? 0) <= 120);
});

Deno.test("causesOf() names a long sentence by its kind, unless several are of that kind", () => {
  const lost = (words: string) => ({
    failure: { code: "step-failed" as const, started: false, message: words },
  });
  const [one, two] = [
    "Cannot start the command: its folder has gone from the node",
    "Cannot tell where the outputs of this step would come from",
  ];
  const dead = {
    failure: {
      code: "no-node" as const,
      started: false,
      message: "No node is free, of all the twenty that there are",
    },
  };
  assert.equal(causesOf(groupsOf([lost(one), dead])), "1× no-node, 1× step-failed");
  assert.equal(
    causesOf(groupsOf([lost(one), lost(two), dead])),
    "1× Cannot tell where the outputs of this s…, 1× Cannot start the command: its folder ha…, " +
      "1× no-node",
  );
});
