/** Numbers over one run or over many, in Prometheus' text format. */
import { lazy } from "../core/lazy.ts";
import type { Reading } from "./reading.ts";
import type { MetricData } from "./series.ts";

export type { NodeReading, Reading, ScheduleReading } from "./reading.ts";

/** Of `metricsText` over HTTP; Prometheus 3 takes nothing else for its text format. */
export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
export async function metricsText(reading: Reading): Promise<string> {
  const { promText } = await lazy<typeof import("./prom_client.ts")>(
    "./prom_client.ts",
    import.meta.url,
  );
  return await promText(await metricsData(reading));
}

/** The same as values. */
export async function metricsData(reading: Reading): Promise<readonly MetricData[]> {
  const { readingMetrics } = await lazy<typeof import("./reading_metrics.ts")>(
    "./reading_metrics.ts",
    import.meta.url,
  );
  return readingMetrics(reading);
}
