/** Numbers over one run or over many, in Prometheus' text format. */
import { lazy } from "../core/lazy.ts";
import type { Reading } from "./reading.ts";
import type { MetricData } from "./registry.ts";

export type { NodeReading, Reading, ScheduleReading } from "./reading.ts";

/** Of `metricsText` over HTTP; Prometheus 3 takes nothing else for its text format. */
export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
export async function metricsText(reading: Reading): Promise<string> {
  const { readingRegistry } = await loadRegistry();
  return await readingRegistry(reading).metrics();
}

/** The same as values. */
export async function metricsData(reading: Reading): Promise<readonly MetricData[]> {
  const { metricData, readingRegistry } = await loadRegistry();
  return await metricData(readingRegistry(reading));
}

export function loadRegistry(): Promise<typeof import("./registry.ts")> {
  return lazy("./registry.ts", import.meta.url);
}
