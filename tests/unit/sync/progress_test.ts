import assert from "node:assert/strict";
import { ProgressMeter } from "../../../src/sync/progress.ts";
import type { SyncProgress } from "../../../src/sync/sync.ts";

const STATE = {
  kind: "file",
  size: 0,
  mtimeMs: 0,
  ctimeMs: 0,
  ino: 1,
  dev: 1,
  mode: 0o644,
} as const;

Deno.test("ProgressMeter tells every ten seconds, with the rate since the last time", () => {
  const entries = ["a", "b"].map((path) => ({
    path,
    type: "file" as const,
    executable: false,
    size: 1536,
    content: "",
    state: STATE,
  }));
  const told: SyncProgress[] = [];
  let now = 0;
  const meter = new ProgressMeter({
    node: "n1",
    entries,
    tell: (progress) => told.push(progress),
    now: () => now,
  });
  for (const [at, files] of [[4000, 0], [10_000, 1], [15_000, 1], [30_000, 9]] as const) {
    now = at;
    meter.took({ bytes: 1000, files });
  }
  const total = { node: "n1", totalFiles: 2, totalBytes: 4096 };
  assert.deepEqual(told, [
    { ...total, files: 1, bytes: 2000, rate: 200 },
    { ...total, files: 2, bytes: 4000, rate: 100 },
  ]);
});
