import assert from "node:assert/strict";
import type { LogRecord } from "../../../src/core/log.ts";
import { renderLogRecord } from "../../../src/terminal/log_line.ts";
import { START } from "../../support/sample_runs.ts";

const RECORD: LogRecord = {
  room: "transport",
  level: "warn",
  message: ["connected to ", "gpu1", " in ", 38.2, " ms"],
  timestamp: START + 5_000,
  properties: { node: "gpu1", error: new Error("reset"), bytes: new Uint8Array(3) },
};
const PLAIN = { color: false, timeZone: "UTC" } as const;

Deno.test("renderLogRecord() writes one readable line", () => {
  assert.equal(
    renderLogRecord(RECORD, { format: "pretty", ...PLAIN }),
    "12:00:05 warn  transport: connected to gpu1 in 38.2 ms\n",
  );
});

Deno.test("renderLogRecord() writes one JSON object per line", () => {
  const line = renderLogRecord(RECORD, { format: "json", ...PLAIN });
  assert.ok(line.endsWith("\n"));
  assert.deepEqual(JSON.parse(line), {
    time: "2026-01-31T12:00:05.000Z",
    level: "warn",
    logger: "grid.transport",
    message: "connected to gpu1 in 38.2 ms",
    properties: { node: "gpu1", error: "Error: reset", bytes: "<3 bytes>" },
  });
});

Deno.test("renderLogRecord() keeps a record on its line and takes out control characters", () => {
  const record = { ...RECORD, message: ["two\nlines \x1b[2J\x07"] };
  assert.equal(
    renderLogRecord(record, { format: "pretty", ...PLAIN }),
    "12:00:05 warn  transport: two ⏎ lines \n",
  );
});

Deno.test("renderLogRecord() writes what JSON has no word for", () => {
  const record = { ...RECORD, properties: { a: undefined, b: 1n, c: Number.NaN, d: [null] } };
  const { properties } = JSON.parse(renderLogRecord(record, { format: "json", ...PLAIN }));
  assert.deepEqual(properties, { a: "undefined", b: "1", c: "NaN", d: [null] });
});
