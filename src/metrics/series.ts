/** Series by one label, or alone. */
import { Counter, Gauge, type Registry } from "./prom_client.ts";

export interface LabelledSpec {
  readonly name: string;
  readonly help: string;
  readonly label: string;
  readonly values: ReadonlyMap<string, number>;
}

export function counter(registry: Registry, { name, help, label, values }: LabelledSpec): void {
  const metric = new Counter({ name, help, labelNames: [label], registers: [registry] });
  for (const [value, count] of values) metric.inc({ [label]: value }, count);
}

export function gauge(registry: Registry, { name, help, label, values }: LabelledSpec): void {
  const metric = new Gauge({ name, help, labelNames: [label], registers: [registry] });
  for (const [value, number] of values) metric.set({ [label]: value }, number);
}

export interface SingleSpec {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly value: number;
}

export function single(registry: Registry, { name, help, type, value }: SingleSpec): void {
  const options = { name, help, registers: [registry] };
  if (type === "counter") new Counter(options).inc(value);
  else new Gauge(options).set(value);
}

export interface TwoLabelsSpec {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly [string, string];
  readonly values: readonly (readonly [string, string, number])[];
}

export function counter2(registry: Registry, spec: TwoLabelsSpec): void {
  const { name, help, labels: [one, other], values } = spec;
  const metric = new Counter({ name, help, labelNames: [one, other], registers: [registry] });
  for (const [first, second, count] of values) metric.inc({ [one]: first, [other]: second }, count);
}

export function gauge2(registry: Registry, spec: TwoLabelsSpec): void {
  const { name, help, labels: [one, other], values } = spec;
  const metric = new Gauge({ name, help, labelNames: [one, other], registers: [registry] });
  for (const [first, second, value] of values) metric.set({ [one]: first, [other]: second }, value);
}

export function withZeros(
  counts: ReadonlyMap<string, number>,
  names: readonly string[],
): ReadonlyMap<string, number> {
  return new Map([...names.map((name) => [name, 0] as const), ...counts]);
}
