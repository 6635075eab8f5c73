import assert from "node:assert/strict";
import { join } from "node:path";
import type { Event } from "../../../src/engine/event.ts";
import { createMetricsFile } from "../../../src/metrics/metrics_file.ts";
import { metricsText, type NodeReading, type Reading } from "../../../src/metrics/metrics.ts";
import { RunCounter } from "../../../src/metrics/run_counter.ts";
import { addConnections, addTally, emptyTally } from "../../../src/metrics/tally.ts";
import { assertGolden } from "../../support/golden.ts";
import { findProgram, testWith } from "../../support/requires.ts";
import { failedRun, START, succeededRun } from "../../support/sample_runs.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { feed } from "../../support/reader_feed.ts";

const COUNTS = { handshakes: 1, reconnects: 2, bytesSent: 10, bytesReceived: 20 };
const STATS = new Map([["gpu1", COUNTS]]);
const NODES: readonly NodeReading[] = [
  {
    node: "gpu1",
    at: START,
    status: "ok",
    isDrained: false,
    score: 130.5,
    loadPerCore: 0.25,
    gpus: { leased: 1, free: 3 },
  },
  {
    node: "gpu2",
    at: START,
    status: "unreachable",
    score: undefined,
    loadPerCore: undefined,
    gpus: undefined,
  },
];

function counted(events: readonly Event[]): RunCounter {
  const counter = new RunCounter();
  for (const event of events) counter.count(event);
  return counter;
}

function reading(): Reading {
  const tally = emptyTally();
  for (const run of [succeededRun(), failedRun()]) addTally(tally, counted(run).tally);
  addConnections(tally, { node: "gpu1", counts: COUNTS });
  return {
    tally,
    activeTasks: 3,
    activeRuns: new Map([["train", { runs: 2, startedAt: START }]]),
    now: START + 60_000,
    nodes: NODES,
    expected: new Map([["nightly", 93_600]]),
  };
}

function valueOf(text: string, name: string): number | undefined {
  const line = text.split("\n").find((line) => line.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

testWith(["promtool"], "metricsText() passes promtool check metrics", async () => {
  const child = new Deno.Command(findProgram("promtool") ?? "promtool", {
    args: ["check", "metrics"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(await metricsText(reading())));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const words = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.equal(code, 0, words);
  assert.equal(words.trim(), "");
});

Deno.test("metricsText() tells runs, steps, tasks, retries, transfers and nodes", async () => {
  assertGolden("metrics/two_runs.prom", await metricsText(reading()));
});

Deno.test("metricsText() says nothing of a score that a dead node had", async () => {
  const text = await metricsText(reading());
  assert.equal(valueOf(text, 'grid_node_up{node="gpu2"}'), 0);
  assert.equal(valueOf(text, 'grid_node_usable{node="gpu2"}'), 0);
  assert.equal(valueOf(text, 'grid_node_health_score{node="gpu2"}'), undefined);
  assert.equal(valueOf(text, 'grid_free_gpus{node="gpu2"}'), undefined);
  assert.equal(valueOf(text, 'grid_node_drained{node="gpu1"}'), 0);
  assert.equal(valueOf(text, 'grid_node_drained{node="gpu2"}'), undefined);
  assert.equal(valueOf(text, 'grid_ssh_reconnects_total{node="gpu2"}'), 0);
});

Deno.test("metricsText() puts a label of the user's on every series", async () => {
  const text = await metricsText({ ...reading(), labels: { project: 'a"b' } });
  const series = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  assert.deepEqual(series.filter((line) => !line.includes('project="a\\"b"')), []);
});

Deno.test("RunCounter knows what is under way", () => {
  const events = succeededRun();
  const at = events.findIndex((event) => event.type === "job.started");
  assert.equal(counted(events.slice(0, at)).active, 1);
  assert.equal(counted(events).active, 0);
});

Deno.test("RunCounter may stop after any event and go on as JSON", () => {
  for (const run of [succeededRun(), failedRun()]) {
    const whole = counted(run).json();
    for (let at = 0; at <= run.length; at++) {
      const counter = RunCounter.from(counted(run.slice(0, at)).json());
      for (const event of run.slice(at)) counter.count(event);
      assert.equal(counter.json(), whole);
    }
  }
});

Deno.test("RunCounter keeps names that mean something in JavaScript", () => {
  const run = failedRun().map((event) =>
    event.type === "run.started" ? { ...event, pipeline: "__proto__" } : event
  );
  const counter = RunCounter.from(counted(run).json());
  assert.equal(counter.tally.pipelines.get("__proto__")?.status, "failed");
});

Deno.test("addTally() takes the newest run for the last one, whichever is counted first", () => {
  const older = counted(succeededRun());
  const newer = counted(failedRun().map((event) => ({ ...event, at: event.at + 3_600_000 })));
  for (const order of [[older, newer], [newer, older]]) {
    const tally = emptyTally();
    for (const { tally: each } of order) addTally(tally, each);
    const last = tally.pipelines.get("train");
    assert.equal(last?.status, "failed");
    assert.equal(last?.succeededAt, older.tally.pipelines.get("train")?.succeededAt);
  }
});

Deno.test("RunCounter says of a run whose runner died that it was stopped by its last event", async () => {
  const counter = counted(succeededRun().slice(0, 16));
  const tally = emptyTally();
  addTally(tally, counter.tally);
  addTally(tally, counter.stopped());
  const text = await metricsText({ tally, activeTasks: 0, now: START });
  assert.equal(valueOf(text, 'grid_last_run_status{pipeline="train",status="stopped"}'), 1);
  assert.equal(valueOf(text, 'grid_last_run_failed{pipeline="train"}'), 1);
  assert.equal(counted(succeededRun()).stopped().pipelines.size, 0);
});

Deno.test("metricsText() says what is usual once three runs went well", async () => {
  const tally = emptyTally();
  const usual = async () =>
    valueOf(
      await metricsText({ tally, activeTasks: 0 }),
      'grid_usual_run_duration_seconds{pipeline="train"}',
    );
  for (const at of [0, 1]) {
    addTally(tally, counted(succeededRun().map((e) => ({ ...e, at: e.at + at }))).tally);
  }
  assert.equal(await usual(), undefined);
  addTally(tally, counted(succeededRun()).tally);
  assert.ok((await usual() ?? 0) > 60);
});

Deno.test("metricsText() knows of no usual time of single commands, which are alike in name only", async () => {
  const tally = emptyTally();
  const command = succeededRun().map((event) =>
    event.type === "run.started" ? { ...event, pipeline: "command", file: "" } : event
  );
  for (const at of [0, 1, 2]) {
    addTally(tally, counted(command.map((e) => ({ ...e, at: e.at + at }))).tally);
  }
  const text = await metricsText({ tally, activeTasks: 0 });
  assert.equal(valueOf(text, 'grid_usual_run_duration_seconds{pipeline="command"}'), undefined);
  assert.equal(valueOf(text, 'grid_last_run_failed{pipeline="command"}'), 0);
});

Deno.test("metricsText() forgets after half an hour what happened a moment ago", async () => {
  const { tally } = counted(failedRun());
  const failed = async (now: number) =>
    valueOf(
      await metricsText({ tally, activeTasks: 0, now }),
      'grid_recent_steps{status="failed"}',
    );
  assert.equal(await failed(START + 60_000), 1);
  assert.equal(await failed(START + 29 * 60_000), 1);
  assert.equal(await failed(START + 31 * 60_000), 0);
});

Deno.test("metricsText() says of each pipeline when it last ran, last succeeded and how", async () => {
  const text = await metricsText(reading());
  const of = (name: string) => valueOf(text, `${name}{pipeline="train"}`);
  assert.equal(of("grid_last_success_timestamp_seconds"), (succeededRun().at(-1)?.at ?? 0) / 1000);
  assert.ok((of("grid_last_run_duration_seconds") ?? 0) > 0);
  assert.equal(of("grid_active_runs"), 2);
});

Deno.test("createMetricsFile() leaves metrics.prom in the run's folder, and hands over its sum", async () => {
  using dir = tempDir();
  const sums: unknown[] = [];
  const reader = createMetricsFile({
    folder: dir.path,
    stats: () => STATS,
    settle: ({ connections }) => sums.push(connections),
  });
  const show = feed(reader);
  for (const event of succeededRun()) show(event);
  await reader.close?.();
  const text = Deno.readTextFileSync(join(dir.path, "metrics.prom"));
  assert.equal(
    valueOf(text, 'grid_runs_completed_total{pipeline="train",status="succeeded"}'),
    1,
  );
  assert.equal(valueOf(text, 'grid_ssh_reconnects_total{node="gpu1"}'), 2);
  assert.deepEqual([...Deno.readDirSync(dir.path)].map(({ name }) => name), ["metrics.prom"]);
  assert.deepEqual(sums, [STATS]);
});

Deno.test("createMetricsFile() warns where it cannot write", async () => {
  using dir = tempDir();
  Deno.mkdirSync(join(dir.path, "metrics.prom"));
  const warnings: string[] = [];
  const reader = createMetricsFile({ folder: dir.path, warn: (words) => warnings.push(words) });
  await reader.close?.();
  assert.match(warnings.join(), /Cannot write metrics\.prom of the run/);
  assert.deepEqual([...Deno.readDirSync(dir.path)].map(({ name }) => name), ["metrics.prom"]);
});

Deno.test("createMetricsFile() warns where the run's folder is gone, or a file in its place", async () => {
  using dir = tempDir();
  const file = join(dir.path, "file");
  Deno.writeTextFileSync(file, "");
  for (const folder of [join(dir.path, "gone"), join(file, "run")]) {
    const warnings: string[] = [];
    const reader = createMetricsFile({ folder, warn: (words) => warnings.push(words) });
    await reader.close?.();
    assert.match(
      warnings.join(),
      /^Cannot write metrics\.prom of the run: (?!.*os error).*metrics\.prom/,
    );
  }
});
