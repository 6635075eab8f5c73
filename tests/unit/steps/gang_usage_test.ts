import assert from "node:assert/strict";
import { gangUsage } from "../../../src/steps/gang_usage.ts";

Deno.test("ranks use processors together, and memory each of its own node", () => {
  const samples = { atMs: [10], cpuMs: [5], memoryBytes: [7] };
  assert.deepEqual(
    gangUsage([
      { cpuMs: 100, userMs: 60, systemMs: 40, peakBytes: 10, gpuPeakBytes: 5, gpuLoad: 80 },
      { cpuMs: 300, peakBytes: 30, gpuLoad: 41, samples },
      { cpuMs: 1 },
    ]),
    {
      ...{ cpuMs: 401, userMs: 60, systemMs: 40, peakBytes: 30, gpuPeakBytes: 5, gpuLoad: 61 },
      samples,
    },
  );
  assert.equal(gangUsage([]), undefined);
  assert.deepEqual(gangUsage([{}]), {});
});
