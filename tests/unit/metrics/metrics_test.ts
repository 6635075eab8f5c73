import assert from "node:assert/strict";
import { join } from "node:path";
import { createMetricsFile } from "../../../src/metrics/metrics_file.ts";
import { createMetrics, type Metrics } from "../../../src/metrics/metrics.ts";
import { assertGolden } from "../../support/golden.ts";
import { findProgram, testWith } from "../../support/requires.ts";
import { failedRun, longRun, succeededRun } from "../../support/sample_runs.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { feed } from "../../support/reader_feed.ts";

const STATS = new Map([
  ["gpu1", { handshakes: 1, reconnects: 2, bytesSent: 10, bytesReceived: 20 }],
]);

function countedRuns(): Metrics {
  const metrics = createMetrics();
  for (const event of [...succeededRun(), ...failedRun()]) metrics.event(event);
  metrics.setTransports(STATS);
  return metrics;
}

function valueOf(text: string, name: string): number | undefined {
  const line = text.split("\n").find((line) => line.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

testWith(["promtool"], "createMetrics() passes promtool check metrics", async () => {
  const child = new Deno.Command(findProgram("promtool") ?? "promtool", {
    args: ["check", "metrics"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(await countedRuns().text()));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const words = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.equal(code, 0, words);
  assert.equal(words.trim(), "");
});

Deno.test("createMetrics() counts runs, steps, tasks, retries and transfers", async () => {
  assertGolden("metrics/two_runs.prom", await countedRuns().text());
});

Deno.test("createMetrics() knows what is under way", async () => {
  const metrics = createMetrics();
  const events = succeededRun();
  const at = events.findIndex((event) => event.type === "job.started");
  for (const event of events.slice(0, at)) metrics.event(event);
  assert.equal(valueOf(await metrics.text(), "grid_active_tasks"), 1);
  for (const event of events.slice(at)) metrics.event(event);
  assert.equal(valueOf(await metrics.text(), "grid_active_tasks"), 0);
});

Deno.test("createMetrics() gives the same text twice and mixes no two instances", async () => {
  const metrics = countedRuns();
  assert.equal(await metrics.text(), await metrics.text());
  assert.equal(
    valueOf(await createMetrics().text(), 'grid_runs_completed_total{status="succeeded"}'),
    0,
  );
});

Deno.test("createMetrics() forgets what a run that died had under way", async () => {
  const metrics = createMetrics({ isAlive: () => false });
  for (const event of succeededRun().slice(0, 16)) metrics.event(event);
  for (const event of longRun(3)) metrics.event(event);
  const text = await metrics.text();
  assert.equal(valueOf(text, "grid_active_tasks"), 0);
  assert.equal(valueOf(text, 'grid_tasks_completed_total{status="succeeded"}'), 5);
});

Deno.test("createMetrics() needs only the events it names", async () => {
  const all = createMetrics();
  const some = createMetrics();
  for (const event of [...succeededRun(), ...failedRun()]) {
    all.event(event);
    if (some.eventTypes.includes(event.type)) some.event(event);
  }
  assert.equal(await some.text(), await all.text());
});

Deno.test("createMetricsFile() leaves metrics.prom in the run's folder", async () => {
  using dir = tempDir();
  const reader = createMetricsFile({ folder: dir.path, stats: () => STATS });
  const show = feed(reader);
  for (const event of succeededRun()) show(event);
  await reader.close?.();
  const text = Deno.readTextFileSync(join(dir.path, "metrics.prom"));
  assert.equal(valueOf(text, 'grid_runs_completed_total{status="succeeded"}'), 1);
  assert.equal(valueOf(text, 'grid_ssh_reconnects_total{node="gpu1"}'), 2);
  assert.deepEqual([...Deno.readDirSync(dir.path)].map(({ name }) => name), ["metrics.prom"]);
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
    assert.match(warnings.join(), /Cannot write metrics\.prom of the run: \w+: .*open/);
  }
});

Deno.test("createMetrics() counts what is under way in every run whose runner lives", async () => {
  const metrics = createMetrics({ isAlive: (run) => run !== "killed" });
  // Up to where its training runs.
  const begun = succeededRun().slice(0, 16);
  for (const run of ["long", "killed", "second"]) {
    for (const event of begun) {
      metrics.event(event.type === "run.started" ? { ...event, run } : event);
    }
  }
  // A short one that began and ended meanwhile.
  for (const event of failedRun()) metrics.event(event);
  assert.equal(valueOf(await metrics.text(), "grid_active_tasks"), 2);
});

Deno.test("createMetrics() says of each pipeline when it last ran, last succeeded and how", async () => {
  const metrics = createMetrics();
  for (const event of [...succeededRun(), ...failedRun()]) metrics.event(event);
  const text = await metrics.text();
  const of = (name: string) => valueOf(text, `${name}{pipeline="train"}`);
  assert.equal(of("grid_last_run_failed"), 1);
  const success = of("grid_last_success_timestamp_seconds") ?? 0;
  const end = succeededRun().at(-1)?.at ?? 0;
  assert.equal(success, end / 1000);
  assert.ok((of("grid_last_run_duration_seconds") ?? 0) > 0);
});
