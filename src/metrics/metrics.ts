/** Numbers over one run or over many, in Prometheus' text format. */
import { lazy } from "../core/lazy.ts";
import type { Event } from "../engine/event.ts";
import type { Gauges, MetricData, TransportCounts } from "./registry.ts";
import { COUNTED_EVENTS, Counter } from "./tally.ts";

export type { MetricData, TransportCounts };

export interface Metrics {
  /** The types of events that are counted; others may be left out. */
  readonly eventTypes: readonly Event["type"][];
  /** Counts one event. Those of one run come together and in order. */
  event(event: Event): void;
  /** The counters of every connection, by node; the last call holds. */
  setTransports(stats: ReadonlyMap<string, TransportCounts>): void;
  /** Loads what `text` needs. */
  prepare(): Promise<unknown>;
  /** https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
  text(): Promise<string>;
  /** The same as values. */
  data(): Promise<readonly MetricData[]>;
}

export interface MetricsOptions {
  /** Whether a process is at a run that has no end; default: it is. */
  readonly isAlive?: (run: string) => boolean;
}

export function createMetrics({ isAlive = () => true }: MetricsOptions = {}): Metrics {
  const counter = new Counter(isAlive);
  let transports: ReadonlyMap<string, TransportCounts> = new Map();
  const gauges = (): Gauges => ({ transports, activeTasks: counter.activeTasks });
  return {
    eventTypes: COUNTED_EVENTS,
    event: (event) => counter.count(event),
    setTransports: (stats) => transports = new Map(stats),
    prepare: loadRegistry,
    async text() {
      const { tallyRegistry } = await loadRegistry();
      return await tallyRegistry(counter.tally, gauges()).metrics();
    },
    async data() {
      const { metricData, tallyRegistry } = await loadRegistry();
      return await metricData(tallyRegistry(counter.tally, gauges()));
    },
  };
}

function loadRegistry(): Promise<typeof import("./registry.ts")> {
  return lazy("./registry.ts", import.meta.url);
}
