import assert from "node:assert/strict";
import fc from "fast-check";
import { expositionText } from "../../../src/metrics/exposition.ts";
import { promText } from "../../../src/metrics/prom_client.ts";
import type { MetricData } from "../../../src/metrics/series.ts";

const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,20}$/);
const word = fc.oneof(fc.string(), fc.constantFrom('a"b', "a\\b", "a\nb", "", "名"));
const value = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(1e21, 1e-7, -0));
const series = fc.record({ name, labels: fc.dictionary(name, word), value });
const metric: fc.Arbitrary<MetricData> = fc.record({
  name,
  help: word,
  type: fc.constantFrom("counter", "gauge", "histogram"),
  values: fc.array(series, { maxLength: 5 }),
});

Deno.test("expositionText() writes what prom-client writes", async () => {
  const metrics = fc.uniqueArray(metric, { selector: (it) => it.name, maxLength: 5 });
  await fc.assert(fc.asyncProperty(metrics, async (some) => {
    assert.equal(expositionText(some), await promText(some));
  }));
});
