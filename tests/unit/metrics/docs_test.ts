import assert from "node:assert/strict";
import { join } from "node:path";
import { metricsText } from "../../../src/metrics/metrics.ts";
import { emptyTally } from "../../../src/metrics/tally.ts";
import { REPOSITORY } from "../../support/cli.ts";
import { assertSamples } from "../../support/golden_blocks.ts";

Deno.test("docs/metrics.md shows what is measured", () => assertSamples("docs/metrics.md"));

Deno.test("docs/metrics.md names every metric with its type, and no other", async () => {
  const page = Deno.readTextFileSync(join(REPOSITORY, "docs", "metrics.md"));
  const documented = [...page.matchAll(/^\| `(grid_\w+)` +\| (\w+)/gm)]
    .map(([, name, type]) => `${name} ${type}`);
  const counts = { started: 1, missed: 0, skipped: 0, failed: 0 };
  const text = await metricsText({
    tally: emptyTally(),
    activeTasks: 0,
    now: 0,
    schedules: [{ pipeline: "nightly", schedule: "schedule", counts, dueAt: 1 }],
  });
  const real = [...text.matchAll(/^# TYPE (\S+ \S+)$/gm)].map(([, both]) => both);
  assert.deepEqual(documented.toSorted(), real.toSorted());
});
