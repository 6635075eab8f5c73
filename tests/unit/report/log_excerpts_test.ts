import assert from "node:assert/strict";
import { join } from "node:path";
import { replay } from "../../../src/engine/reduce.ts";
import { runDocument } from "../../../src/report/document_writer.ts";
import { type LogOf, planExcerpts } from "../../../src/report/log_excerpts.ts";
import { LogTimes, offsetSince, readLogTimes, timeAt } from "../../../src/report/log_times.ts";
import type { RunDocument } from "../../../src/report/run_document.ts";
import { hundredFailures } from "../../support/page_runs.ts";
import { succeededRun } from "../../support/sample_runs.ts";
import { tempDir } from "../../support/temp_dir.ts";

function documentOf(events: ReturnType<typeof succeededRun>): RunDocument {
  const state = replay(events);
  assert.ok(state);
  return runDocument(state, { logOf: (step, attempt) => `${step}.${attempt}.log`, transports: [] });
}

interface Logs extends Disposable {
  readonly folder: string;
  /** Characters of all lines that were read. */
  readonly total: (logOf: LogOf) => number;
}

function written(report: RunDocument, textOf: (step: string, attempt: number) => string): Logs {
  const dir = tempDir();
  for (const { id, attempts } of report.steps) {
    for (const { attempt, log } of attempts) {
      if (log !== null) Deno.writeTextFileSync(join(dir.path, log), textOf(id, attempt));
    }
  }
  return {
    folder: dir.path,
    total: (logOf) =>
      report.steps.flatMap(({ id, attempts }) =>
        attempts.map(({ attempt }) => logOf(id, attempt)?.lines.join("\n").length ?? 0)
      ).reduce((sum, length) => sum + length, 0),
    [Symbol.dispose]: () => dir[Symbol.dispose](),
  };
}

Deno.test("planExcerpts() has small logs of all attempts whole", () => {
  const report = documentOf(succeededRun());
  using logs = written(report, (step, attempt) => `${step} ${attempt}\nlast\n`);
  const { of: logOf } = planExcerpts(report, logs);
  assert.deepEqual(logOf("train", 1), { lines: ["train 1", "last"], firstLine: 1, skipped: 0 });
  assert.deepEqual(logOf("train", 2)?.lines, ["train 2", "last"]);
  assert.deepEqual(logOf("code", 1)?.lines, ["code 1", "last"]);
  assert.equal(logOf("notify", 1), undefined);
});

Deno.test("planExcerpts() has the last lines of a large log, under the numbers they have there", () => {
  const report = documentOf(succeededRun());
  const lines = Array.from({ length: 20_000 }, (_, at) => `line ${at + 1}`);
  using logs = written(report, (step) => step === "train" ? `${lines.join("\n")}\n` : "short\n");
  const excerpt = planExcerpts(report, logs).of("train", 2);
  assert.ok(excerpt && excerpt.firstLine !== null && excerpt.firstLine > 1);
  assert.deepEqual(excerpt.lines, lines.slice(excerpt.firstLine - 1));
  const before = lines.slice(0, excerpt.firstLine - 1).join("\n").length + 1;
  assert.equal(excerpt.skipped, before);
});

Deno.test("planExcerpts() keeps to its bound, and what failed has the first choice", () => {
  const report = documentOf(hundredFailures());
  const good = "fit[fold=1]";
  const steps = report.steps.map((step) =>
    step.id === good
      ? {
        ...step,
        attempts: step.attempts.map((one) => ({ ...one, result: "succeeded" as const })),
      }
      : step
  );
  using logs = written(report, () => `${"x".repeat(99)}\n`.repeat(100));
  const { of: logOf } = planExcerpts({ ...report, steps, firstFailure: null }, {
    ...logs,
    bytes: 50_000,
  });
  const total = logs.total(logOf);
  assert.ok(total > 35_000 && total <= 50_000, String(total));
  assert.equal(logOf(good, 1), undefined);
  assert.ok((logOf("fit[fold=100]", 1)?.lines.length ?? 0) >= 4);
});

Deno.test("planExcerpts() leaves out logs that have no room, the first failure never", () => {
  const report = documentOf(hundredFailures());
  using logs = written(report, (step) => `${step}: ${"x".repeat(400)}\nlast of ${step}\n`);
  const last = { ...report, firstFailure: "fit[fold=90]" };
  const { of: logOf } = planExcerpts(last, { ...logs, bytes: 1_000 });
  const shown = report.steps.filter(({ id }) => logOf(id, 1) !== undefined).map(({ id }) => id);
  assert.ok(shown.length > 0 && shown.length <= 5, shown.join());
  assert.equal(logOf("fit[fold=90]", 1)?.lines.at(-1), "last of fit[fold=90]");
});

Deno.test("planExcerpts() shows a line as a terminal would, one endless line in part", () => {
  const report = documentOf(succeededRun());
  using logs = written(
    report,
    (step) => step === "train" ? "10%\r50%\r100%\r\nnext\n" : "y".repeat(200_000),
  );
  const { of: logOf } = planExcerpts(report, logs);
  assert.deepEqual(logOf("train", 1)?.lines, ["100%", "next"]);
  const [line = "", ...more] = logOf("code", 1)?.lines ?? [];
  assert.equal(more.length, 0);
  assert.match(line, /^y{2000}… \d+ more characters$/);
});

Deno.test("planExcerpts() passes over a log that is gone or cannot be read", () => {
  const report = documentOf(succeededRun());
  using logs = written(report, () => "words\n");
  Deno.removeSync(join(logs.folder, "train.1.log"));
  Deno.removeSync(join(logs.folder, "train.2.log"));
  Deno.mkdirSync(join(logs.folder, "train.2.log"));
  const { of: logOf } = planExcerpts(report, logs);
  assert.equal(logOf("train", 1), undefined);
  assert.equal(logOf("train", 2), undefined);
  assert.ok(logOf("code", 1));
});

Deno.test("planExcerpts() does not read again what is at hand", () => {
  const report = documentOf(succeededRun());
  const kept = new TextEncoder().encode("one\ntwo\n");
  const { of: logOf } = planExcerpts(report, { folder: "/nowhere", keptLog: () => kept });
  assert.deepEqual(logOf("train", 1), { lines: ["one", "two"], firstLine: 1, skipped: 0 });
});

Deno.test("LogTimes notes a log once in a second, and what is read tells where a time begins", () => {
  using folder = tempDir();
  let now = 1_000_000;
  const times = new LogTimes({ folder: folder.path, clock: { now: () => now } });
  const notes = [[0, 0], [400, 10], [999, 20], [1000, 30], [1500, 40], [-5000, 50], [9000, 60]];
  for (const [ms = 0, offset = 0] of notes) {
    now = 1_000_000 + ms;
    times.note("a b.1.log", offset);
  }
  times.note("c.1.log", 0);
  times[Symbol.dispose]();
  const read = readLogTimes(folder.path);
  const a = read?.get("a b.1.log") ?? [];
  assert.deepEqual(a.map(({ offset }) => offset), [0, 30, 50, 60]);
  assert.deepEqual([...read?.keys() ?? []], ["a b.1.log", "c.1.log"]);
  assert.deepEqual([0, 29, 30, 1000].map((offset) => timeAt(a, offset)), [
    ...[1_000_000, 1_000_000, 1_001_000, 1_009_000],
  ]);
  // Nothing that came since is left out: what came within the same second comes along.
  const offsets = [999_000, 1_000_500, 1_001_999, 1_005_000, 1_011_000]
    .map((since) => offsetSince(a, since));
  assert.deepEqual(offsets, [0, 0, 30, 60, undefined]);
  assert.equal(readLogTimes(join(folder.path, "nowhere")), undefined);
});
