/**
 * The three parts of prom-client that Grid uses, one by one: the whole would also load clustering, a
 * push gateway, process statistics and OpenTelemetry, at 30 ms of every run.
 */
import type * as PromClient from "npm:prom-client@15.1.3";
import counter from "npm:prom-client@15.1.3/lib/counter.js";
import gauge from "npm:prom-client@15.1.3/lib/gauge.js";

import registry from "npm:prom-client@15.1.3/lib/registry.js";

// The parts come without types of their own.
export const Counter: typeof PromClient.Counter = counter;
export const Gauge: typeof PromClient.Gauge = gauge;
export const Registry: typeof PromClient.Registry = registry;

export type Metric = PromClient.Metric;
export type Registry = PromClient.Registry;
