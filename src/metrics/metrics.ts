/** Numbers over one run or over many, in Prometheus' text format. */
import { lazy } from "../core/lazy.ts";
import type { Event } from "../engine/event.ts";
import type { MetricData, TransportCounts } from "./registry.ts";
import { COUNTED_EVENTS, Counter } from "./tally.ts";

export type { MetricData, TransportCounts };

export interface Metrics {
  /** The types of events that are counted; others may be left out. */
  readonly eventTypes: readonly Event["type"][];
  /** Counts one event. Those of one run come together and in order. */
  event(event: Event): void;
  /** The counters of every connection, by node; the last call holds. */
  setTransports(stats: ReadonlyMap<string, TransportCounts>): void;
  /** The last known score of every node; undefined where it has none now. */
  setHealth(rows: Iterable<NodeScore>): void;
  /** GPUs that runs hold now, by node. */
  setLeases(leases: ReadonlyMap<string, number>): void;
  /** Loads what `text` needs. */
  prepare(): Promise<unknown>;
  /** https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
  text(): Promise<string>;
  /** The same as values. */
  data(): Promise<readonly MetricData[]>;
}

export interface NodeScore {
  readonly node: string;
  readonly score: number | undefined;
}

export function createMetrics(): Metrics {
  const counter = new Counter();
  let transports: ReadonlyMap<string, TransportCounts> = new Map();
  let leases: ReadonlyMap<string, number> = new Map();
  return {
    eventTypes: COUNTED_EVENTS,
    event: (event) => counter.count(event),
    setTransports: (stats) => transports = new Map(stats),
    setHealth(rows) {
      for (const { node, score } of rows) {
        if (score === undefined) counter.tally.nodeScores.delete(node);
        else counter.tally.nodeScores.set(node, score);
      }
    },
    setLeases: (held) => leases = new Map(held),
    prepare: loadRegistry,
    async text() {
      const { tallyRegistry } = await loadRegistry();
      return await tallyRegistry(counter.tally, { transports, leases }).metrics();
    },
    async data() {
      const { metricData, tallyRegistry } = await loadRegistry();
      return await metricData(tallyRegistry(counter.tally, { transports, leases }));
    },
  };
}

function loadRegistry(): Promise<typeof import("./registry.ts")> {
  return lazy("./registry.ts", import.meta.url);
}
