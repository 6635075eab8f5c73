import assert from "node:assert/strict";
import { configureLog, getLogger, type LogRecord } from "../../../src/core/log.ts";
import { keepDiary } from "../../support/diary.ts";

function recordsOf(write: () => void): readonly LogRecord[] {
  const records: LogRecord[] = [];
  using _diary = keepDiary();
  configureLog({ level: "info", sink: (record) => records.push(record) });
  write();
  return records;
}

Deno.test("getLogger() hands the sink what is at its level or above it, with its room", () => {
  const log = getLogger("sync");
  const records = recordsOf(() => {
    log.debug("a");
    log.info("b");
    log.warn("c");
    log.error("d");
  });
  assert.deepEqual(records.map(({ room, level, message }) => ({ room, level, message })), [
    { room: "sync", level: "info", message: ["b"] },
    { room: "sync", level: "warn", message: ["c"] },
    { room: "sync", level: "error", message: ["d"] },
  ]);
});

Deno.test("getLogger() puts properties where braces name them, and leaves other braces alone", () => {
  const properties = { node: "gpu1", ms: 38.2 };
  const [named, unnamed] = recordsOf(() => {
    getLogger("ray").warn("{node}: up in {ms} ms, {other} {}", properties);
    getLogger("ray").warn("Cannot read {node}: a file's own words");
  });
  assert.deepEqual(named?.message, ["", "gpu1", ": up in ", 38.2, " ms, {other} {}"]);
  assert.deepEqual(named?.properties, properties);
  assert.deepEqual(unnamed?.message, ["Cannot read {node}: a file's own words"]);
});
