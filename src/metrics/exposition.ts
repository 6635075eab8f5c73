/**
 * The text of metrics as prom-client writes it, without loading it: that takes 30 ms, which every run would pay for its
 * `metrics.prom`. https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
import type { MetricData, Series } from "./series.ts";

export function expositionText(metrics: readonly MetricData[]): string {
  return metrics.map(blockOf).join("\n\n") + "\n";
}

function blockOf({ name, help, type, values }: MetricData): string {
  const head = [`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`];
  return [...head, ...values.map(lineOf)].join("\n");
}

function lineOf({ name, labels, value }: Series): string {
  const pairs = Object.entries(labels).map(([label, word]) =>
    `${label}="${escaped(word).replaceAll('"', '\\"')}"`
  );
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${numberText(value)}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "Nan";
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? "+Inf" : "-Inf";
}
