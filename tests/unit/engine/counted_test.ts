import assert from "node:assert/strict";
import { isCounted, isUncalledHook } from "../../../src/engine/counted.ts";
import type { Event } from "../../../src/engine/event.ts";
import { replay } from "../../../src/engine/reduce.ts";
import { outline, runStarted, START_MS as at } from "../../support/events.ts";

const end = (step: string, more: Partial<Extract<Event, { type: "step.finished" }>>): Event => ({
  type: "step.finished",
  at,
  step,
  state: "skipped",
  outputs: {},
  ...more,
});

Deno.test("isCounted() counts what has work of its own, and hooks that were called for", () => {
  const state = replay([
    runStarted("r1", {
      steps: [
        outline("sweep[x=1]", { group: "sweep" }),
        outline("sweep", { kind: "group" }),
        outline("eval", { kind: "group" }),
        outline("ok", { hook: "success" }),
        outline("notify", { hook: "failure" }),
        outline("page", { hook: "failure", needs: ["notify"] }),
        outline("bye", { hook: "exit" }),
      ],
    }),
    end("sweep[x=1]", { state: "failed" }),
    end("sweep", { state: "failed", reason: "1 of 1 failed" }),
    end("eval", { state: "failed", failure: { code: "usage", message: "m", started: true } }),
    end("ok", { uncalled: true, reason: "the run failed" }),
    end("notify", { state: "failed" }),
    end("page", { reason: 'it needs "notify", which failed' }),
  ]);
  const steps = [...state?.steps.values() ?? []];
  const ids = (some: typeof steps) => some.map(({ id }) => id);
  assert.deepEqual(ids(steps.filter(isCounted)), ["sweep[x=1]", "eval", "notify", "page"]);
  assert.deepEqual(ids(steps.filter(isUncalledHook)), ["ok", "bye"]);
});
