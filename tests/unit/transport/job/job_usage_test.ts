import assert from "node:assert/strict";
import fc from "fast-check";
import { MOST_SAMPLES, parseUsage } from "../../../../src/transport/job/job_usage.ts";

const TIMES = "0m0.01s 0m0.02s\n1m2.500s 0m0.250s\n";

Deno.test("parseUsage() takes looks and times together", () => {
  const text = `100 50 1000 1200 - -\n200 150 3000 3000 40 90\n300 240 2000 2500 60 70\n${TIMES}`;
  assert.deepEqual(parseUsage(text), {
    cpuMs: 62_750,
    userMs: 62_500,
    systemMs: 250,
    peakBytes: 3000 * 1024,
    gpuPeakBytes: 60 * 2 ** 20,
    gpuLoad: 80,
    samples: {
      atMs: [1000, 2000, 3000],
      cpuMs: [500, 1500, 2400],
      memoryBytes: [1000, 3000, 2000].map((kib) => kib * 1024),
      gpuBytes: [null, 40 * 2 ** 20, 60 * 2 ** 20],
      gpuLoad: [null, 90, 70],
    },
  });
});

Deno.test("parseUsage() tells no peak of a job that was looked at once", () => {
  assert.deepEqual(parseUsage(`10 1 4000 4000 - -\n${TIMES}`), {
    cpuMs: 62_750,
    userMs: 62_500,
    systemMs: 250,
  });
  assert.deepEqual(parseUsage("10 1 4000 4000 - -\n"), { cpuMs: 10 });
});

Deno.test("parseUsage() reads what was seen where nobody wrote the times", () => {
  const usage = parseUsage("10 1 4000 4000 - -\n110 90 5000 9000 - -\n");
  assert.deepEqual([usage?.cpuMs, usage?.userMs, usage?.peakBytes], [900, undefined, 9000 * 1024]);
});

Deno.test("parseUsage() believes nothing that a meter does not say", () => {
  const lies = [
    "",
    "hello\n",
    "-1 5 5 5 - -\n",
    "1e9 1 1 1 - -\n",
    `1 1 1 ${"9".repeat(40)} - -\n`,
    "1 1 1 1 - - 7\n",
    "1 1 1 1 \x1b[2J -\n",
    "0m1s\n",
    "1m99999999999s 0m0s\n",
    "1m61.000s 0m0.000s\n",
  ];
  for (const lie of lies) assert.equal(parseUsage(lie), undefined, lie);
  // More than a machine has: jobs can write there, too.
  const honest = "100 50 4000 4000 10 5\n200 90 4000 4000 10 5\n";
  const forged = [
    "300 999999999 1 1 - -\n",
    "300 100 9999999999999 1 - -\n",
    "300 100 1 9999999999999 - -\n",
    "300 100 1 1 99999999 5\n",
    "300 100 1 1 10 101\n",
    "9999999999 100 1 1 - -\n",
  ];
  for (const line of forged) {
    assert.deepEqual(parseUsage(honest + line), parseUsage(honest), line);
  }
  // A look that is written over while it is read.
  const half = parseUsage("500 7 100 100 - -\n00 1 1 1\n100 1 1 1 - -\n600 9 100 100 - -\n");
  assert.deepEqual(half?.samples?.atMs, [5000, 6000]);
});

Deno.test("parseUsage() keeps a bounded number of looks, and the highest of all", () => {
  fc.assert(fc.property(
    fc.array(fc.nat({ max: 1e6 }), { minLength: 2, maxLength: 400 }),
    (memory) => {
      const text = memory.map((kib, at) => `${at + 1} ${at} ${kib} ${kib} - -\n`).join("");
      const usage = parseUsage(text);
      const most = Math.max(...memory) * 1024;
      assert.equal(usage?.peakBytes, most);
      assert.equal(Math.max(...(usage?.samples?.memoryBytes ?? [])), most);
      assert.ok((usage?.samples?.atMs.length ?? 0) <= MOST_SAMPLES);
      assert.equal(usage?.samples?.atMs.at(-1), memory.length * 10);
    },
  ));
});

Deno.test("parseUsage() reads any text", () => {
  fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => void parseUsage(text)));
});
