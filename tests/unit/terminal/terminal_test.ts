import assert from "node:assert/strict";
import type { Event } from "../../../src/engine/event.ts";
import { createTerminal, type TerminalOptions } from "../../../src/terminal/terminal.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { assertGolden } from "../../support/golden.ts";
import { commandRun, failedRun, START, succeededRun } from "../../support/sample_runs.ts";
import { feed } from "../../support/reader_feed.ts";

interface Shown {
  readonly stderr: string;
  readonly stdout: Uint8Array;
  readonly stderrBytes: Uint8Array;
}

/** Feeds a run to a terminal; `output` is printed while the attempt of its step is under way. */
async function show(
  events: readonly Event[],
  options: Partial<TerminalOptions> & { readonly output?: Readonly<Record<string, string>> } = {},
): Promise<Shown> {
  const { output = {}, ...rest } = options;
  let stderr = "";
  const stdout: number[] = [];
  const stderrBytes: number[] = [];
  const clock = new FakeClock(START);
  const terminal = createTerminal({
    stderr: (text) => stderr += text,
    stdout: (bytes) => stdout.push(...bytes),
    stderrBytes: (bytes) => stderrBytes.push(...bytes),
    isTerminal: false,
    color: false,
    width: () => 80,
    mode: "pretty",
    clock,
    timeZone: "UTC",
    ...rest,
  });
  const show = feed(terminal);
  for (const event of events) {
    await clock.advance(event.at - clock.now());
    if (event.type === "attempt.finished") {
      const bytes = new TextEncoder().encode(output[event.step] ?? "");
      terminal.output?.({ step: event.step, attempt: event.attempt, stream: "stdout", bytes });
    }
    show(event);
  }
  await terminal.close();
  return { stderr, stdout: Uint8Array.from(stdout), stderrBytes: Uint8Array.from(stderrBytes) };
}

const TRAINING = { train: "epoch 1 loss 0.52\nepoch 2 loss 0.31\n", score: "no newline at end" };
const TRACE = {
  train: 'loading data\nTraceback (most recent call last):\n  File "train.py", line 3\n' +
    "ValueError: bad shape\n",
};

Deno.test("terminal: a good run in a pipe is told line by line, then summed up", async () => {
  const { stderr, stdout } = await show(succeededRun(), { output: TRAINING });
  assertGolden("terminal/pipe_succeeded.txt", stderr);
  assert.equal(stdout.length, 0);
});

Deno.test("terminal: a failed run in a pipe ends with its first failure", async () => {
  const { stderr } = await show(failedRun(), { output: TRACE });
  assertGolden("terminal/pipe_failed.txt", stderr);
});

Deno.test("terminal: colours are there only when asked for", async () => {
  const plain = await show(failedRun(), { output: TRACE });
  const coloured = await show(failedRun(), { output: TRACE, color: true });
  assert.ok(!plain.stderr.includes("\x1b"));
  assert.ok(coloured.stderr.includes("\x1b[31m"));
  // deno-lint-ignore no-control-regex -- colours are control sequences
  assert.equal(coloured.stderr.replaceAll(/\x1b\[[0-9;]*m/g, ""), plain.stderr);
});

Deno.test("terminal: stream mode hands bytes through and adds nothing to a good command", async () => {
  const shown = await show(commandRun(0), { mode: "stream", output: { command: "hi\n" } });
  assert.deepEqual(shown.stdout, new TextEncoder().encode("hi\n"));
  assert.equal(shown.stderr, "");
});

Deno.test("terminal: stream mode keeps bytes that are not UTF-8, on both streams", async () => {
  const bytes = Uint8Array.from([0xff, 0x00, 0x1b, 0x5b, 0x32, 0x4a, 0xc3]);
  const stdout: number[] = [];
  const stderr: number[] = [];
  const terminal = createTerminal({
    stderr: (text) => assert.fail(text),
    stdout: (chunk) => stdout.push(...chunk),
    stderrBytes: (chunk) => stderr.push(...chunk),
    isTerminal: true,
    color: true,
    width: () => 80,
    mode: "stream",
    clock: new FakeClock(START),
  });
  const show = feed(terminal);
  for (const event of commandRun(0)) {
    show(event);
    if (event.type !== "attempt.started") continue;
    terminal.output?.({ step: "command", attempt: 1, stream: "stdout", bytes });
    terminal.output?.({ step: "command", attempt: 1, stream: "stderr", bytes });
  }
  await terminal.close();
  assert.deepEqual(stdout, [...bytes]);
  assert.deepEqual(stderr, [...bytes]);
});

Deno.test("terminal: stream mode says which node, which code and where the log is", async () => {
  const { stderr, stdout } = await show(commandRun(3), {
    mode: "stream",
    output: { command: "hi" },
  });
  assert.deepEqual(stdout, new TextEncoder().encode("hi"));
  assertGolden("terminal/stream_failed.txt", stderr);
});

Deno.test("terminal: quiet says nothing of a good run and everything of a bad one", async () => {
  assert.equal((await show(succeededRun(), { mode: "quiet", output: TRAINING })).stderr, "");
  const { stderr } = await show(failedRun(), { mode: "quiet", output: TRACE });
  assert.match(stderr, /^train failed on gpu1: exit code 3$/m);
});

Deno.test("terminal: a run that never started ends in silence", async () => {
  assert.equal((await show([])).stderr, "");
});

Deno.test("terminal: a run cut short is summed up as stopped", async () => {
  const begun = succeededRun().slice(0, 17);
  const { stderr } = await show(begun);
  assert.match(stderr, /✖ train stopped in .* 1 stopped/);
  assert.doesNotMatch(stderr, /running/, "nobody sees what became of it");
  assert.match(stderr, /^ {2}jobs {4}what its runner left on nodes: grid ps$/m);
  assert.match(stderr, /^ {2}next {4}grid resume 20260131-120000-x7k2$/m);
});

Deno.test("terminal: closing twice sums up once", async () => {
  let text = "";
  const terminal = createTerminal({
    stderr: (words) => text += words,
    stdout: () => {},
    isTerminal: false,
    color: false,
    width: () => 80,
    mode: "plain",
    clock: new FakeClock(START),
  });
  const show = feed(terminal);
  for (const event of succeededRun()) show(event);
  await terminal.close();
  await terminal.close();
  assert.equal(text.match(/✔ train succeeded/g)?.length, 1);
});

Deno.test("terminal: a command that failed without a word has no log to point at", async () => {
  const { stderr } = await show(commandRun(3), { mode: "stream" });
  assert.equal(stderr, "grid: command failed on gpu1 after 1.2s: exit code 3\n");
  const summed = await show(failedRun());
  assert.match(summed.stderr, /^ {2}it printed nothing\n {2}next {2}grid resume/m);
  assert.doesNotMatch(summed.stderr, /grid logs/);
});

Deno.test("terminal: one that says it has no columns is taken for one of 80", async () => {
  const quiet = { mode: "quiet", isTerminal: true } as const;
  const unsized = await show(failedRun(), { ...quiet, width: () => 0, height: () => 0 });
  assert.equal(unsized.stderr, (await show(failedRun(), quiet)).stderr);
});

Deno.test("terminal: in a pipe names and reasons are whole", async () => {
  const id = "sweep[learning_rate=0.0001,batch_size=16,optimizer=adamw,schedule=cosine]";
  const reason = `it needs "${id}", which failed, and ${"more words ".repeat(20)}follow`;
  const events = failedRun().map((event): Event => {
    if (event.type === "run.started") {
      return { ...event, steps: event.steps.map((s) => s.id === "score" ? { ...s, id } : s) };
    }
    const isScore = "step" in event && event.step === "score";
    return isScore && event.type === "step.finished" ? { ...event, step: id, reason } : event;
  });
  const { stderr } = await show(events, { width: () => 40 });
  assert.ok(stderr.includes(` ${id}  skipped: ${reason}\n`), stderr);
  assert.match(stderr, /^– sweep\[learning_rate=0\.0001,.*cosine\] +skipped: .* follow$/m);
});
