import assert from "node:assert/strict";
import type { Event } from "../../../../src/engine/event.ts";
import { resumableState } from "../../../../src/engine/resume/lineage.ts";

const OUTLINE = [
  { id: "a", kind: "run", needs: [], after: [] },
  { id: "b", kind: "run", needs: ["a"], after: [] },
  { id: "c", kind: "run", needs: ["b"], after: [] },
] as const;

function started(run: string, more: { resumes?: string; again?: string[] } = {}): Event {
  return {
    type: "run.started",
    at: 1,
    run,
    pipeline: "p",
    file: "p.yaml",
    project: "/",
    inputs: {},
    steps: OUTLINE,
    gridVersion: "0",
    ...more,
  };
}

function begun(step: string, job?: string): Event[] {
  return [
    { type: "step.started", at: 2, step, key: "k" },
    { type: "attempt.started", at: 2, step, attempt: 1 },
    ...(job === undefined ? [] : [
      { type: "node.chosen", at: 2, step, attempt: 1, node: "n" },
      { type: "job.started", at: 2, step, attempt: 1, node: "n", job },
    ] as Event[]),
  ];
}

function finished(step: string): Event[] {
  return [
    ...begun(step, `job-${step}`),
    { type: "attempt.finished", at: 3, step, attempt: 1, result: "succeeded" },
    { type: "step.finished", at: 3, step, state: "succeeded", outputs: { x: step } },
  ];
}

function resumable(runs: Readonly<Record<string, readonly Event[]>>, last: string) {
  const { steps } = resumableState(last, (run) => runs[run] ?? []);
  return Object.fromEntries([...steps].map(([id, step]) => [
    id,
    [step.status, step.attempts.at(-1)?.job, step.reusedFrom?.run],
  ]));
}

Deno.test("resumableState() of a first run is that run", () => {
  const runs = { one: [started("one"), ...finished("a"), ...begun("b", "job-b")] };
  assert.deepEqual(resumable(runs, "one"), {
    a: ["succeeded", "job-a", undefined],
    b: ["running", "job-b", undefined],
    c: ["pending", undefined, undefined],
  });
});

Deno.test("resumableState() keeps what a killed resumption never came to", () => {
  const runs = {
    one: [started("one"), ...finished("a"), ...begun("b", "job-b")],
    two: [started("two", { resumes: "one" })],
    three: [started("three", { resumes: "two" })],
  };
  assert.deepEqual(resumable(runs, "three"), {
    a: ["succeeded", "job-a", "one"],
    b: ["running", "job-b", undefined],
    c: ["pending", undefined, undefined],
  });
});

Deno.test("resumableState() keeps a job that a resumption was killed before it attached to", () => {
  const runs = {
    one: [started("one"), ...finished("a"), ...begun("b", "job-b")],
    two: [started("two", { resumes: "one" }), ...begun("b")],
  };
  assert.deepEqual(resumable(runs, "two")["b"], ["running", "job-b", undefined]);
});

Deno.test("resumableState() drops results behind work that was done anew", () => {
  const runs = {
    one: [started("one"), ...finished("a"), ...finished("b"), ...begun("c", "job-c")],
    two: [started("two", { resumes: "one" }), ...finished("a")],
  };
  assert.deepEqual(resumable(runs, "two"), {
    a: ["succeeded", "job-a", undefined],
    b: ["pending", undefined, undefined],
    c: ["pending", undefined, undefined],
  });
});

Deno.test("resumableState() remembers what a killed resumption was asked to do again", () => {
  const runs = {
    one: [started("one"), ...finished("a"), ...finished("b"), ...finished("c")],
    two: [started("two", { resumes: "one", again: ["b", "c"] })],
  };
  assert.deepEqual(resumable(runs, "two"), {
    a: ["succeeded", "job-a", "one"],
    b: ["pending", undefined, undefined],
    c: ["pending", undefined, undefined],
  });
});

Deno.test("resumableState() of an empty journal is a usage error", () => {
  assert.throws(() => resumableState("none", () => []), { code: "usage" });
});
