import assert from "node:assert/strict";
import type { Event } from "../../../src/engine/event.ts";
import { replay } from "../../../src/engine/reduce.ts";
import { renderSummary } from "../../../src/terminal/summary.ts";
import { createPaint } from "../../../src/terminal/style.ts";
import { displayWidth } from "../../../src/terminal/width.ts";
import { failedRun, longRun, START, succeededRun } from "../../support/sample_runs.ts";

function summaryOf(events: readonly Event[], options: { width?: number; tail?: string[] } = {}) {
  const state = replay(events);
  assert.ok(state);
  return renderSummary(state, {
    width: options.width ?? 80,
    paint: createPaint(false),
    now: START + 90_000,
    folder: ".grid/runs/r",
    tail: () => options.tail ?? [],
    logPath: (step, attempt) => `logs/${step}.${attempt}.log`,
  });
}

type Ends = Readonly<Record<string, Partial<Extract<Event, { type: "step.finished" }>>>>;

/** A run in which every step ends as told; `groups` are those that steps are members of. */
function runOf(ends: Ends, groups: Readonly<Record<string, string>> = {}) {
  const ids = Object.keys(ends);
  const failed = ids.find((id) => ends[id]?.state === "failed");
  const events: Event[] = [
    {
      type: "run.started",
      at: START,
      run: "r1",
      pipeline: "p",
      file: "p.yaml",
      project: "/p",
      inputs: {},
      steps: ids.map((id) => ({
        id,
        kind: Object.values(groups).includes(id) ? "group" : "run",
        needs: [],
        after: [],
        ...(groups[id] === undefined ? {} : { group: groups[id] }),
      })),
      gridVersion: "0",
    },
    ...Object.entries(ends).map(([step, end]): Event => ({
      type: "step.finished",
      at: START + 10,
      step,
      state: "succeeded",
      outputs: {},
      ...end,
    })),
    {
      type: "run.finished",
      at: START + 20,
      state: failed === undefined ? "succeeded" : "failed",
      ...(failed === undefined ? {} : { firstFailure: failed }),
      exitCode: failed === undefined ? 0 : 1,
    },
  ];
  return events;
}

const CELLS = ["0.0001", "0.0003"].flatMap((rate) =>
  ["adamw", "sgd"].map((name) => `c[learning_rate=${rate},batch_size=16,optimizer=${name}]`)
);

const failure = (message: string, more = {}) => ({
  state: "failed" as const,
  failure: { code: "exit" as const, message, started: true, ...more },
});

Deno.test("renderSummary() of a thousand good steps is short", () => {
  const text = summaryOf(longRun(1000));
  assert.match(text, /… and 1000 steps that went well/);
  assert.match(text, /✔ long succeeded in 3\.0s \(1000 succeeded\)/);
  assert.ok(text.split("\n").length < 10, text);
});

Deno.test("renderSummary() of many steps still names every one that went wrong", () => {
  const ends = Object.fromEntries(
    Array.from({ length: 200 }, (_, at) => [`s${at}`, at === 117 ? failure("boom") : {}]),
  );
  const text = summaryOf(runOf(ends));
  assert.match(text, /^✖ s117 .*failed: boom$/m);
  assert.match(text, /… and 199 steps that went well/);
});

Deno.test("renderSummary() of many steps names those not done once, and not all of them", () => {
  const skipped = { state: "skipped", reason: "it needs bad, which failed" } as const;
  const ends = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`s${at}`, skipped]));
  const text = summaryOf(runOf({ good: {}, bad: failure("boom"), ...ends }));
  assert.match(text, /^ {2}s0, s1, .* s7 and 192 more: it needs bad, which failed$/m);
  assert.match(text, /… and 1 step that went well/);
  const various = Object.fromEntries(
    Object.keys(ends).map((id) => [id, { ...skipped, reason: `${id} was not due` }]),
  );
  const many = summaryOf(runOf({ good: {}, bad: failure("boom"), ...various }));
  assert.match(many, /^ {2}s19: s19 was not due\n {2}… and 180 more steps$/m);
  for (const each of [text, many]) assert.ok(each.split("\n").length < 40, each);
});

Deno.test("renderSummary() tells the same reason once, for a whole matrix too", () => {
  const reason = 'it needs "b", which failed';
  const cell = { state: "skipped", reason: `"c": ${reason}` } as const;
  const skipped = { state: "skipped", reason } as const;
  const nested = [1, 2].map((x) => [`w[x=${x}]`, `w[x=${x}]/train`]).flat();
  const groups = {
    ...Object.fromEntries(CELLS.map((id) => [id, "c"])),
    ...Object.fromEntries(nested.map((id) => [id, id.includes("/") ? id.split("/")[0] : "w"])),
  } as Record<string, string>;
  const ends = {
    b: failure("boom"),
    ...Object.fromEntries(CELLS.map((id) => [id, cell])),
    c: skipped,
    ...Object.fromEntries(nested.map((id) => [id, { ...cell, reason: `"w": ${reason}` }])),
    w: skipped,
    d: skipped,
  };
  const text = summaryOf(runOf(ends, groups));
  assert.ok(
    text.includes('Not done:\n  c (4 cells), w (2 cells), d: it needs "b", which failed\n\n'),
  );
  assert.match(text, /^– c +skipped \(4 cells\): it needs "b", which failed$/m);
  assert.match(text, /^– d +skipped: it needs "b", which failed$/m);
  assert.ok(!text.includes("c["), text);
  const narrow = summaryOf(runOf(ends, groups), { width: 40 });
  assert.ok(
    narrow.includes('  c (4 cells), w (2 cells), d: it needs\n    "b", which failed\n'),
    narrow,
  );
  for (const line of narrow.split("\n")) assert.ok(displayWidth(line) <= 40, line);
});

const UNTRUSTED = failure("Cannot choose a node: n1: its host key is not known", {
  code: "no-node" as const,
  started: false,
});

Deno.test("renderSummary() tells once why a whole matrix could not begin", () => {
  const cells = Array.from({ length: 30 }, (_, at) => `t[n=${at + 1}]`);
  const ends = Object.fromEntries(cells.map((id) => [id, UNTRUSTED]));
  const text = summaryOf(runOf({ ...ends, other: failure("boom", { started: false }) }));
  assert.equal(text.match(/host key/g)?.length, 2, "in its row, and below as what to mend");
  assert.match(text, /^✖ t\[n=1\] .*failed: Cannot choose a node: n1: its host key is not known$/m);
  assert.match(text, /^✖ t\[n=30\] .*failed: as t\[n=1\]$/m);
  assert.match(text, /^ {2}t\[n=2\], .* and 21 more: as\s+t\[n=1\]$/ms);
  assert.match(text, /^ {2}other: boom$/m);
});

Deno.test("renderSummary() repeats what a command itself came to", () => {
  const same = failure("exit code 1", { exitCode: 1 });
  const text = summaryOf(runOf({ a: same, b: same }));
  assert.match(text, /^✖ b .*failed: exit code 1$/m);
  assert.match(text, /^ {2}b: exit code 1$/m);
});

Deno.test("renderSummary() names the members whose reason is their own", () => {
  const cancelled = { state: "cancelled", reason: 'not started: "c[1]" failed' } as const;
  const text = summaryOf(
    runOf({
      "c[1]": failure("boom"),
      "c[2]": cancelled,
      "c[3]": cancelled,
      c: { state: "failed", reason: '1 of 3 failed, first "c[1]"' },
    }, { "c[1]": "c", "c[2]": "c", "c[3]": "c" }),
  );
  assert.match(text, /^ {2}c\[2\], c\[3\]: not started: "c\[1\]" failed$/m);
});

Deno.test("renderSummary() tells cells of a matrix apart on a narrow terminal", () => {
  const ends = Object.fromEntries(CELLS.map((id) => [id, { reason: "because of something" }]));
  for (const width of [30, 40, 50, 60, 80]) {
    const [table = ""] = summaryOf(runOf(ends), { width }).split("\n\n");
    const names = [...table.matchAll(/^✔ (\S+)/gm)].map(([, name]) => name);
    assert.equal(new Set(names).size, CELLS.length, table);
  }
  const roomy = summaryOf(runOf(Object.fromEntries(CELLS.map((id) => [id, {}]))), { width: 80 });
  for (const id of CELLS) assert.ok(roomy.includes(`✔ ${id}\n`), roomy);
});

Deno.test("renderSummary() breaks long reasons at words, and never what is to be pasted", () => {
  const taken =
    'concurrency group "g-x" is taken by run 20261126-044952-abcd, which started at noon';
  const ends = { s: { state: "skipped", reason: taken }, t: {} } as const;
  const [table = ""] = summaryOf(runOf(ends), { width: 60 }).split("\n\n");
  assert.deepEqual(table.split("\n"), [
    '– s           skipped: concurrency group "g-x" is taken by',
    "              run 20261126-044952-abcd, which started at",
    "              noon",
    "✔ t",
  ]);
  const narrow = summaryOf(runOf(ends), { width: 30 }).split("\n\n")[0] ?? "";
  assert.deepEqual(narrow.split("\n"), [
    "– s",
    "    skipped: concurrency group",
    '    "g-x" is taken by run',
    "    20261126-044952-abcd,",
    "    which started at noon",
    "✔ t",
  ]);
  const pipe = summaryOf(runOf(ends), { width: Number.POSITIVE_INFINITY });
  assert.ok(pipe.startsWith(`– s           skipped: ${taken}\n`), pipe);
});

Deno.test("renderSummary() puts the first failure before the others", () => {
  const text = summaryOf(
    runOf({
      late: { state: "timed-out", failure: { code: "timed-out", message: "late", started: true } },
      first: failure("boom"),
      second: failure("bang", { exitCode: 9, node: "gpu2" }),
    }).map((event) => event.type === "run.finished" ? { ...event, firstFailure: "first" } : event),
  );
  const order = ["first failed: boom", "Failed after that:", "late: late", "second: exit code 9"];
  const places = order.map((words) => text.indexOf(words));
  assert.ok(places.every((place) => place >= 0), text);
  assert.deepEqual(places, places.toSorted((a, b) => a - b));
});

Deno.test("renderSummary() shows the message only where it says more than the code", () => {
  const plain = summaryOf(runOf({ a: failure("it exited with code 3", { exitCode: 3 }) }));
  assert.match(plain, /a failed: exit code 3\n {2}it printed nothing/);
  const rich = summaryOf(runOf({ a: failure("out of memory", { exitCode: 137 }) }));
  assert.match(rich, /a failed: exit code 137\n {2}out of memory/);
  const signal = summaryOf(runOf({ a: failure("ended by SIGKILL", { signal: "SIGKILL" }) }));
  assert.match(signal, /a failed: ended by SIGKILL\n {2}it printed nothing/);
});

Deno.test("renderSummary() tells which limit passed, not what the command ended with when it was told to stop", () => {
  const message = 'Cannot finish "a" in time: the attempt took longer than 2.0s; 0 survivors';
  for (const end of [{ exitCode: 9 }, { signal: "SIGTERM" }]) {
    const text = summaryOf(runOf({
      a: { state: "timed-out", failure: { code: "timed-out", message, started: true, ...end } },
      b: {
        state: "allowed-failure",
        failure: { code: "timed-out", message, started: true, ...end },
      },
    }));
    assert.match(text, /^✖ a +timed out: Cannot finish "a" in time: the attempt took longer than/m);
    assert.match(text, /^! b +failed as allowed: Cannot finish "a" in time: the attempt took/m);
    assert.doesNotMatch(text, /exit code|SIGTERM/);
  }
});

Deno.test("renderSummary() tells once why a whole run was skipped", () => {
  const reason = 'concurrency group "g" is taken by run r0';
  const events = runOf({ a: { state: "skipped", reason }, b: { state: "skipped", reason } });
  const text = summaryOf([
    ...events.slice(0, -1),
    { type: "run.finished", at: START + 20, state: "succeeded", skipped: reason, exitCode: 0 },
  ]);
  assert.equal(text.split(reason).length, 2, text);
});

Deno.test("renderSummary() does not say of output that found no room that there was none", () => {
  const [started, ...rest] = runOf({ a: failure("it exited with code 3", { exitCode: 3 }) });
  assert.ok(started);
  const attempt = { step: "a", attempt: 1, at: START };
  const text = summaryOf([
    started,
    { type: "step.started", ...attempt },
    { type: "attempt.started", ...attempt },
    { type: "attempt.finished", ...attempt, result: "failed", unkeptBytes: 2048 },
    ...rest,
  ]);
  assert.match(text, /\n {2}2\.0 KiB that it printed were not kept: the disk here had no room\n/);
  assert.doesNotMatch(text, /printed nothing/);
});

Deno.test("renderSummary() tells once which rank failed, and how", () => {
  const message = 'Cannot finish the command: rank 1 on "gpu2" exited with code 9; ' +
    "its last line: NCCL timed out; the other rank was ended: 0 survivors (processes)";
  const text = summaryOf(runOf({ a: failure(message, { exitCode: 9, rank: 1, node: "gpu2" }) }));
  assert.match(
    text,
    /^a failed.*: rank 1 on gpu2: exit code 9\n {2}its last line: NCCL timed out; the other rank was ended/m,
  );
  assert.doesNotMatch(text, /exited with code/);
});

Deno.test("renderSummary() gives the hint of a failure", () => {
  const text = summaryOf(runOf({ a: failure("no python3", { hint: "apt install python3" }) }));
  assert.match(text, /^ {2}hint: apt install python3$/m);
});

Deno.test("renderSummary() says why a failure was not retried", () => {
  const events = runOf({ a: failure("exit code 75") });
  const attempt = { step: "a", attempt: 1 } as const;
  const tried: Event[] = [
    { type: "step.started", at: START, step: "a" },
    { type: "attempt.started", at: START, ...attempt },
    {
      type: "attempt.finished",
      at: START,
      ...attempt,
      result: "failed",
      notRetried: "exit code 75 is none of retry: { on: [transport] }",
    },
  ];
  const text = summaryOf(events.toSpliced(1, 0, ...tried));
  assert.match(
    text,
    /^ {2}not retried, because exit code 75 is none of retry: \{ on: \[transport\] \}$/m,
  );
});

Deno.test("renderSummary() lists why steps were left out, in good runs too", () => {
  const text = summaryOf(runOf({
    a: {},
    b: { state: "skipped", reason: "its condition is false" },
    c: { state: "reused", reason: "nothing changed since r0" },
  }));
  assert.match(text, /^– b .*skipped: its condition is false$/m);
  assert.match(text, /^↺ c .*nothing changed since r0$/m);
  assert.match(text, /\(1 succeeded, 1 reused, 1 skipped\)/);
});

Deno.test("renderSummary() shows scalars that steps computed, and no more than a screenful", () => {
  const outputs = {
    accuracy: 0.96,
    good: true,
    word: "ok",
    long: "x".repeat(61),
    lines: "a\nb",
    list: [1],
    nothing: null,
    evil: "\x1b[2Jx",
  };
  const text = summaryOf(runOf({ a: { outputs } }));
  const shown = [...text.matchAll(/^ {2}a\.(\w+) +(.*)$/gm)].map((
    [, name, value],
  ) => [name, value]);
  assert.deepEqual(shown, [["accuracy", "0.96"], ["good", "true"], ["word", "ok"], ["evil", "x"]]);
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`n${at}`, at]));
  assert.match(summaryOf(runOf({ a: { outputs: many } })), /… and 30 more in the report/);
});

Deno.test("renderSummary() keeps the table within the terminal", () => {
  for (const width of [40, 60, 80, 120]) {
    for (const events of [succeededRun(), failedRun()]) {
      const table = summaryOf(events, { width }).split("\n\n")[0] ?? "";
      for (const line of table.split("\n")) assert.ok(displayWidth(line) <= width, line);
    }
  }
});

Deno.test("renderSummary() makes the last lines of a failure harmless", () => {
  const text = summaryOf(failedRun(), { tail: ["\x1b[2Jgone", "\x1b]0;title\x07kept"] });
  assert.match(text, /│ gone\n {2}│ kept/);
  const endless = summaryOf(failedRun(), { tail: ["z".repeat(16_000)] });
  assert.ok(endless.includes(`│ ${"z".repeat(1000)}…\n`));
});

Deno.test("renderSummary() quotes the names in commands that are to be pasted", () => {
  const id = "t[lr=1e-3,note=a b;c]";
  const failure = { code: "exit", message: "exit code 1", exitCode: 1, started: true } as const;
  const shown = summaryOf(runOf({ [id]: { state: "failed", failure } }), { tail: ["last"] });
  assert.match(shown, /next +grid logs r1 't\[lr=1e-3,note=a b;c\]'/);
});
