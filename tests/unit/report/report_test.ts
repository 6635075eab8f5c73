import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers";
import type { Event } from "../../../src/engine/event.ts";
import { reduce, type RunState } from "../../../src/engine/reduce.ts";
import { contentPolicy } from "../../../src/report/html_policy.ts";
import { SCRIPT } from "../../../src/report/html_script.ts";
import { STYLE } from "../../../src/report/html_style.ts";
import { createReport, type ReportOptions } from "../../../src/report/report.ts";
import { assertGolden } from "../../support/golden.ts";
import { sweepRun } from "../../support/page_runs.ts";
import { failedRun, longRun, START, succeededRun } from "../../support/sample_runs.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { feed } from "../../support/reader_feed.ts";

const encode = (text: string) => new TextEncoder().encode(text);

interface WriteOptions extends Partial<ReportOptions> {
  /** What each attempt prints. */
  readonly output?: Readonly<Record<string, string>>;
}

async function writeRun(
  folder: string,
  events: readonly Event[],
  { output = {}, ...options }: WriteOptions = {},
): Promise<void> {
  const report = createReport({ folder, ...options });
  const show = feed(report);
  for (const event of events) {
    if (event.type === "attempt.finished") {
      const { step, attempt } = event;
      const bytes = encode(output[step] ?? "");
      report.output({ step, attempt, stream: "stdout", bytes });
    }
    show(event);
  }
  await report.close();
}

const STATS = () =>
  new Map([["gpu1", {
    handshakes: 1,
    reconnects: 1,
    channels: 7,
    bytesSent: 2_000_000,
    bytesReceived: 40_000,
    roundTripMs: 0.42,
  }]]);

Deno.test("createReport() leaves report, events and logs of a good run", async () => {
  using dir = tempDir();
  await writeRun(dir.path, succeededRun(), {
    stats: STATS,
    output: { train: "epoch 1\nepoch 2\n" },
  });
  assertGolden("report/succeeded.json", Deno.readTextFileSync(join(dir.path, "report.json")));
  const events = Deno.readTextFileSync(join(dir.path, "events.jsonl")).trimEnd().split("\n");
  assert.deepEqual(events.map((line) => JSON.parse(line)), succeededRun());
  for (const attempt of [1, 2]) {
    const log = Deno.readTextFileSync(join(dir.path, "logs", `train.${attempt}.log`));
    assert.equal(log, "epoch 1\nepoch 2\n");
  }
  const left = [...Deno.readDirSync(dir.path)].map(({ name }) => name).sort();
  assert.deepEqual(left, [
    "events.jsonl",
    "junit.xml",
    "logs",
    "report.html",
    "report.json",
    "summary.md",
  ]);
});

Deno.test("createReport() tells of a failed run what failed first and why", async () => {
  using dir = tempDir();
  await writeRun(dir.path, failedRun(), { output: { train: "ValueError: <bad> & \x1b[31mred\n" } });
  assertGolden("report/failed.json", Deno.readTextFileSync(join(dir.path, "report.json")));
  assertGolden("report/failed.junit.xml", Deno.readTextFileSync(join(dir.path, "junit.xml")));
  const page = Deno.readTextFileSync(join(dir.path, "report.html"));
  const own = page.replace(STYLE, "…").replace(SCRIPT, () => "…").replace(
    await contentPolicy(),
    "…",
  );
  assertGolden("report/failed.html", own);
});

Deno.test("createReport() writes the events as they come", async () => {
  using dir = tempDir();
  const report = createReport({ folder: join(dir.path, "new", "folder") });
  const show = feed(report);
  const [first] = succeededRun();
  assert.ok(first);
  show(first);
  await new Promise((resolve) => setImmediate(resolve));
  const text = Deno.readTextFileSync(join(dir.path, "new", "folder", "events.jsonl"));
  assert.deepEqual(JSON.parse(text), first);
  await report.close();
});

Deno.test("createReport() reports a run that was cut short", async () => {
  using dir = tempDir();
  await writeRun(dir.path, succeededRun().slice(0, 16), { output: { train: "half" } });
  const report = JSON.parse(Deno.readTextFileSync(join(dir.path, "report.json")));
  assert.equal(report.result, "running");
  assert.equal(report.finishedAt, null);
  assert.equal(report.steps[2].state, "running");
});

Deno.test("createReport() keeps every byte in order, whatever they are", async () => {
  using dir = tempDir();
  const report = createReport({ folder: dir.path });
  const show = feed(report);
  const events = succeededRun();
  for (const event of events.slice(0, 16)) show(event);
  const chunk = Uint8Array.from({ length: 70_000 }, (_, at) => at % 256);
  for (let round = 0; round < 20; round++) {
    report.output({
      step: "train",
      attempt: 1,
      stream: round % 2 ? "stderr" : "stdout",
      bytes: chunk.map((byte) => byte ^ round),
    });
  }
  await report.close();
  const log = Deno.readFileSync(join(dir.path, "logs", "train.1.log"));
  assert.equal(log.length, 1_400_000);
  for (let round = 0; round < 20; round++) {
    assert.deepEqual(
      log.subarray(round * 70_000, round * 70_000 + 300),
      chunk.subarray(0, 300).map((byte) => byte ^ round),
    );
  }
});

Deno.test("createReport() gives ids that collide as file names different logs", async () => {
  using dir = tempDir();
  const [started] = succeededRun();
  assert.ok(started?.type === "run.started");
  const ids = ["eval/score", "eval_score", "sweep[lr=1e-4,seed=1]", "../../escape"];
  const report = createReport({ folder: dir.path });
  const show = feed(report);
  show({
    ...started,
    steps: ids.map((id) => ({ id, kind: "run", needs: [], after: [] })),
  });
  for (const step of ids) {
    show({ type: "step.started", at: started.at, step });
    show({ type: "attempt.started", at: started.at, step, attempt: 1 });
    report.output({ step, attempt: 1, stream: "stdout", bytes: encode(step) });
  }
  await report.close();
  const document = JSON.parse(Deno.readTextFileSync(join(dir.path, "report.json")));
  const logs = document.steps.map((step: { attempts: { log: string }[] }) => step.attempts[0]?.log);
  assert.deepEqual(logs, [
    "logs/eval_score.1.log",
    "logs/eval_score~2.1.log",
    "logs/sweep_lr=1e-4,seed=1_.1.log",
    "logs/.._.._escape.1.log",
  ]);
  for (const [at, log] of logs.entries()) {
    assert.equal(Deno.readTextFileSync(join(dir.path, log)), ids[at]);
  }
});

Deno.test("createReport() warns when nothing can be written, and loses nothing else", async () => {
  using dir = tempDir();
  const file = join(dir.path, "not-a-folder");
  Deno.writeTextFileSync(file, "");
  const warnings: string[] = [];
  const report = createReport({ folder: dir.path, warn: (message) => warnings.push(message) });
  const show = feed(report);
  // A folder where a file should be makes exactly these two writes fail.
  Deno.mkdirSync(join(dir.path, "events.jsonl"));
  Deno.mkdirSync(join(dir.path, "report.json"));
  for (const event of succeededRun()) show(event);
  await report.close();
  assert.equal(warnings.length, 2, warnings.join("\n"));
  assert.match(warnings[0] ?? "", /Cannot write ".*events\.jsonl": .*still in the store/);
  assert.match(warnings[1] ?? "", /Cannot write report\.json of the run: /);
  assert.ok(existsSync(join(dir.path, "report.html")));
  assert.deepEqual(
    [...Deno.readDirSync(dir.path)].filter(({ name }) => name.endsWith(".tmp")),
    [],
  );
});

Deno.test({
  name: "createReport() survives a disk that is full",
  // Writes to /dev/full fail with ENOSPC, as on a full disk.
  ignore: !existsSync("/dev/full"),
  async fn() {
    using dir = tempDir();
    const warnings: string[] = [];
    const report = createReport({ folder: dir.path, warn: (message) => warnings.push(message) });
    const show = feed(report);
    Deno.mkdirSync(join(dir.path, "logs"));
    Deno.symlinkSync("/dev/full", join(dir.path, "logs", "train.1.log"));
    Deno.symlinkSync("/dev/full", join(dir.path, "events.jsonl"));
    for (const event of succeededRun()) {
      show(event);
      if (event.type !== "job.started") continue;
      const { step, attempt } = event;
      report.output({ step, attempt, stream: "stdout", bytes: encode("lost") });
      report.output({ step, attempt, stream: "stdout", bytes: encode("lost too") });
    }
    await report.close();
    assert.equal(warnings.filter((warning) => /No space left/.test(warning)).length, 2);
    assert.equal(Deno.readTextFileSync(join(dir.path, "logs", "train.2.log")), "lostlost too");
    assert.ok(existsSync(join(dir.path, "report.json")));
  },
});

Deno.test("createReport() of a thousand steps makes a page that a browser can bear", async () => {
  using dir = tempDir();
  await writeRun(dir.path, longRun(1000));
  const { size } = Deno.statSync(join(dir.path, "report.html"));
  assert.ok(size < 5_000_000, String(size));
  const report = JSON.parse(Deno.readTextFileSync(join(dir.path, "report.json")));
  assert.equal(report.steps.length, 1000);
});

Deno.test("createReport() writes the other reports where one cannot be made, and says which", async () => {
  using dir = tempDir();
  const warnings: string[] = [];
  const report = createReport({ folder: dir.path, warn: (message) => warnings.push(message) });
  const odd = { toJSON: () => assert.fail("no JSON of this") } as unknown as string;
  const show = feed({
    event: (event, state) => report.event(event, { ...state, inputs: { odd } }),
  });
  for (const event of succeededRun()) show(event);
  await report.close();
  assert.deepEqual(warnings, [
    "Cannot write report.json of the run: no JSON of this",
    "Cannot write report.html of the run: no JSON of this",
  ]);
  const left = [...Deno.readDirSync(dir.path)].map(({ name }) => name).sort();
  assert.deepEqual(left, ["events.jsonl", "junit.xml", "summary.md"]);
});

Deno.test("createReport() tells where no report can be made, and closes", async () => {
  using dir = tempDir();
  const warnings: string[] = [];
  await writeRun(dir.path, succeededRun(), {
    stats: () => assert.fail("nothing is known of the connections"),
    warn: (message) => warnings.push(message),
  });
  assert.deepEqual(warnings, [
    "Cannot write the reports of the run: nothing is known of the connections",
  ]);
});

Deno.test("createReport() writes the same whether steps were drafted as they ended or not", async () => {
  const three = longRun(3);
  const ended: Event = {
    type: "service.ended",
    at: START + 8,
    step: "step-2",
    attempt: 1,
    state: "failed",
    failure: { code: "lost", message: "exit code 1", started: true },
  };
  const runs = [
    ...[succeededRun(), failedRun(), three, sweepRun()],
    // Steps that end in another order; one that ends twice, as a service does whose run goes on.
    backwards(three),
    three.toSpliced(-1, 0, ended),
  ];
  for (const events of runs) {
    const written = await Promise.all([true, false].map(async (isDrafted) => {
      using folder = tempDir();
      const report = createReport({ folder: folder.path });
      let state: RunState | undefined;
      for (const [at, event] of events.entries()) {
        state = reduce(state, event);
        report.event(event, state);
        // In the midst of a run, as it is.
        if (isDrafted && at === Math.floor(events.length / 3)) await report.prepare?.();
        if (event.type !== "attempt.started") continue;
        const bytes = new TextEncoder().encode(`\x1b[31m<${event.step}>\n`);
        report.output({ step: event.step, attempt: event.attempt, stream: "stdout", bytes });
      }
      await report.close();
      return ["report.json", "junit.xml", "summary.md", "report.html"]
        .map((name) => Deno.readTextFileSync(join(folder.path, name)));
    }));
    assert.deepEqual(written[0], written[1]);
    assert.deepEqual(JSON.parse(written[0]?.[0] ?? "").run, "20260131-120000-x7k2");
  }
});

/** The steps of a run, the last of them first. */
function backwards(events: readonly Event[]): Event[] {
  const steps = Map.groupBy(events.slice(1, -1), (event) => "step" in event ? event.step : "");
  return [...events.slice(0, 1), ...[...steps.values()].reverse().flat(), ...events.slice(-1)];
}
