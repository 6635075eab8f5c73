/** Metrics as data: what stands in their lines of the text format. */

export interface MetricData {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly values: readonly Series[];
}

export interface Series {
  /** Parts of a histogram have names of their own. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Takes metrics one after the other, each name once. */
export type Metrics = MetricData[];

export interface LabelledSpec {
  readonly name: string;
  readonly help: string;
  readonly label: string;
  readonly values: ReadonlyMap<string, number>;
}

export function counter(metrics: Metrics, spec: LabelledSpec): void {
  metrics.push(labelled("counter", spec));
}

export function gauge(metrics: Metrics, spec: LabelledSpec): void {
  metrics.push(labelled("gauge", spec));
}

function labelled(
  type: "counter" | "gauge",
  { name, help, label, values }: LabelledSpec,
): MetricData {
  const series = [...values].map(([word, value]) => ({ name, labels: { [label]: word }, value }));
  return { name, help, type, values: series };
}

export interface SingleSpec {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly value: number;
}

export function single(metrics: Metrics, { name, help, type, value }: SingleSpec): void {
  metrics.push({ name, help, type, values: [{ name, labels: {}, value }] });
}

export interface TwoLabelsSpec {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly [string, string];
  readonly values: readonly (readonly [string, string, number])[];
}

export function counter2(metrics: Metrics, spec: TwoLabelsSpec): void {
  metrics.push(twoLabels("counter", spec));
}

export function gauge2(metrics: Metrics, spec: TwoLabelsSpec): void {
  metrics.push(twoLabels("gauge", spec));
}

function twoLabels(
  type: "counter" | "gauge",
  { name, help, labels: [one, other], values }: TwoLabelsSpec,
): MetricData {
  const series = values.map(([first, second, value]) => ({
    name,
    labels: { [one]: first, [other]: second },
    value,
  }));
  return { name, help, type, values: series };
}

export function withZeros(
  counts: ReadonlyMap<string, number>,
  names: readonly string[],
): ReadonlyMap<string, number> {
  return new Map([...names.map((name) => [name, 0] as const), ...counts]);
}
