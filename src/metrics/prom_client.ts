/**
 * The text of metrics by prom-client. Of its parts only the registry: the whole would also load clustering, a push
 * gateway, process statistics and OpenTelemetry.
 */
import type * as PromClient from "npm:prom-client@15.1.3";
import registry from "npm:prom-client@15.1.3/lib/registry.js";
import type { MetricData } from "./series.ts";

// The part comes without types of its own.
export const Registry: typeof PromClient.Registry = registry;

export async function promText(metrics: readonly MetricData[]): Promise<string> {
  // A registry of its own: the library's global one would mix several runs of one process.
  const own = new Registry();
  for (const metric of metrics) own.registerMetric(asRegistered(metric));
  return await own.metrics();
}

/** The library's own metrics take one observation after the other; these were counted before. */
function asRegistered({ name, help, type, values }: MetricData): PromClient.Metric {
  const series = values.map(({ name: metricName, labels, value }) => ({
    metricName,
    labels,
    value,
  }));
  const metric = {
    name,
    help,
    type,
    aggregator: "sum",
    get: () => Promise.resolve({ name, help, type, aggregator: "sum", values: series }),
  };
  return metric as unknown as PromClient.Metric;
}
