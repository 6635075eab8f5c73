import assert from "node:assert/strict";
import { reduce, type RunState } from "../../../../src/engine/reduce.ts";
import type { Event } from "../../../../src/engine/event.ts";
import { githubLog, gitlabLog, type JobLog } from "../../../../src/terminal/run/job_log.ts";
import { JobView } from "../../../../src/terminal/run/job_view.ts";
import { assertGolden } from "../../../support/golden.ts";
import { failedRun, START } from "../../../support/sample_runs.ts";

class Harness {
  text = "";
  #state: RunState | undefined;
  readonly view: JobView;

  constructor(log: JobLog = githubLog("STOP")) {
    this.view = new JobView({
      write: (text) => this.text += text,
      log,
      logPath: (step, attempt) => `.grid/runs/r/logs/${step}.${attempt}.log`,
      tail: (step) => step === "train" ? ["loading", "CUDA out of memory", " "] : [],
      placeOf: (step) => ({ file: `pipelines/${step}.yaml`, line: 7, column: 5 }),
    });
  }

  event(event: Event): void {
    this.#state = reduce(this.#state, event);
    this.view.event(event, this.#state);
  }

  print(step: string, text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.view.output({ step, attempt: 1, stream: "stdout", bytes });
  }
}

Deno.test("job view: output is folded per step, failures are annotated", () => {
  const harness = new Harness();
  for (const event of failedRun()) {
    if (event.type === "attempt.finished" && event.step === "train") {
      harness.print("train", "loading\n::error::injected\nlast words");
    }
    harness.event(event);
  }
  harness.view.end();
  assertGolden("terminal/github.txt", harness.text);
});

Deno.test("job view: what a command prints can never give the runner a command", () => {
  const harness = new Harness();
  harness.event({ ...(failedRun()[0] as Extract<Event, { type: "run.started" }>) });
  harness.print("train", "::set-output name=x::y\n");
  harness.view.end();
  const muted = harness.text.indexOf("::stop-commands::STOP");
  const injected = harness.text.indexOf("::set-output");
  const listening = harness.text.indexOf("::STOP::");
  assert.ok(muted >= 0 && muted < injected && injected < listening, harness.text);
});

Deno.test("job view: groups of steps that run at the same time are never mixed", () => {
  const harness = new Harness();
  const [started] = failedRun();
  assert.ok(started);
  harness.event(started);
  for (const step of ["train", "score"]) {
    harness.event({ type: "step.started", at: START, step });
    harness.event({ type: "attempt.started", at: START, step, attempt: 1 });
  }
  harness.print("train", "t1\n");
  harness.print("score", "s1\n");
  harness.print("train", "t2\n");
  harness.print("score", "s2\n");
  const finish = (step: string) =>
    harness.event({
      type: "attempt.finished",
      at: START,
      step,
      attempt: 1,
      result: "succeeded",
    });
  finish("score");
  finish("train");
  const order = harness.text.split("\n").filter((line) =>
    /^(t\d|s\d|::group|::endgroup)/.test(line)
  );
  assert.deepEqual(order, [
    "::group::train",
    "t1",
    "t2",
    "::endgroup::",
    "::group::score",
    "s1",
    "s2",
    "::endgroup::",
  ]);
});

Deno.test("job view: an attempt that waits holds back a bounded number of lines", () => {
  const harness = new Harness();
  const [started] = failedRun();
  assert.ok(started);
  harness.event(started);
  harness.print("train", "first\n");
  for (let i = 0; i < 50; i++) harness.print("score", "line\n".repeat(100));
  harness.view.end();
  assert.match(harness.text, /… 3000 lines before are in .*score\.1\.log/);
  assert.equal(harness.text.match(/^line$/gm)?.length, 2000);
});

Deno.test("job view: no annotation holds what a terminal would obey", () => {
  const harness = new Harness();
  const [started] = failedRun();
  if (started) harness.event(started);
  const message = "what a node said: \x1b]0;title\x07\x1b[2Jdone\nand more";
  harness.event({ type: "warned", at: START, step: "train", message });
  assert.equal(
    harness.text.split("\n").find((line) => line.startsWith("::warning")),
    "::warning file=pipelines/train.yaml,line=7,col=5,title=train::what a node said: done%0Aand more",
  );
});

Deno.test("job view: what stands in the way of many steps is annotated once", () => {
  const harness = new Harness();
  const [started] = failedRun();
  assert.ok(started?.type === "run.started");
  harness.event(started);
  for (const step of ["train", "score"]) {
    harness.event({
      type: "step.finished",
      at: START,
      step,
      state: "failed",
      outputs: {},
      failure: { code: "no-node", message: "Cannot choose a node: n1: no key", started: false },
    });
  }
  harness.view.end();
  assert.equal(harness.text.match(/::error/g)?.length, 1, harness.text);
});

Deno.test("job view: ten failures and ten warnings are annotated with their place, the rest is counted", () => {
  const harness = new Harness();
  const [started] = failedRun();
  assert.ok(started?.type === "run.started");
  const ids = Array.from({ length: 25 }, (_, at) => `cell${at}`);
  harness.event({
    ...started,
    steps: ids.map((id) => ({ id, kind: "run", needs: [], after: [] })),
  });
  ids.forEach((step, at) => {
    const failure = {
      code: "exit" as const,
      message: `exit code ${at}`,
      exitCode: at,
      started: true,
    };
    harness.event({ type: "step.started", at: START, step });
    harness.event({
      type: "step.finished",
      at: START,
      step,
      state: "failed",
      outputs: {},
      failure,
    });
    if (at < 12) harness.event({ type: "warned", at: START, step, message: `mind ${at}` });
  });
  harness.event({ type: "run.finished", at: START, state: "failed", exitCode: 1 });
  const count = (start: string) =>
    harness.text.split("\n").filter((line) => line.startsWith(start)).length;
  assert.equal(count("::error file=pipelines/cell"), 10);
  assert.equal(count("::warning file=pipelines/cell"), 10);
  assert.equal(count("warning: mind 1"), 2, "a warning beyond that is a line of the log");
  assert.match(harness.text, /^::notice title=run::and 15 failures more, 2 warnings more: /m);
  assert.equal(count("::notice"), 1);
});

Deno.test("job view: in GitLab's log a step is a section, and what it prints cannot open one", () => {
  const harness = new Harness(gitlabLog(() => 1_700_000_000_500));
  for (const event of failedRun()) {
    if (event.type === "attempt.finished" && event.step === "train") {
      harness.print("train", "loading\n\x1b[0Ksection_start:1:mine\r\x1b[0Kfake\nlast words");
    }
    harness.event(event);
  }
  harness.view.end();
  const marks = harness.text.split("\n").filter((line) => line.startsWith("\x1b[0Ksection_"));
  assert.deepEqual(marks, [
    "\x1b[0Ksection_start:1700000000:grid_1[collapsed=true]\r\x1b[0Ktrain",
    "\x1b[0Ksection_end:1700000000:grid_1\r\x1b[0K",
  ]);
  assert.doesNotMatch(harness.text, /^::/m);
  assert.match(harness.text, /train: failed in 9\.0s: exit code 3/);
});

Deno.test("job view: cells that fail one like the other are annotated once and counted", () => {
  const harness = new Harness();
  const [started] = failedRun();
  assert.ok(started?.type === "run.started");
  const ids = Array.from({ length: 9 }, (_, at) => `c[i=${at}]`);
  harness.event({
    ...started,
    steps: [
      { id: "c", kind: "group", needs: [], after: [] },
      ...ids.map((id) => ({ id, kind: "run" as const, needs: [], after: [], group: "c" })),
    ],
  });
  ids.forEach((step, at) => {
    const exitCode = at === 4 ? 3 : 1;
    const failure = { code: "exit" as const, message: `m ${at}`, exitCode, started: true };
    const state = "failed";
    harness.event({ type: "step.finished", at: START, step, state, outputs: {}, failure });
  });
  harness.event({ type: "run.finished", at: START, state: "failed", exitCode: 1 });
  assert.equal(harness.text.match(/^::error/gm)?.length, 2, harness.text);
  assert.match(harness.text, /^::notice title=run::and 7 failures more like that of c\[i=0\]: /m);
});
