/** One word for what a pipeline says: equal where its steps say the same, wherever its file lies. Pure. */
import { digestOf } from "../../core/digest.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";

/** Inputs do not count: they are known by themselves. */
export function definitionOf({ name, steps, hooks, secrets, concurrency }: Pipeline): string {
  const text = JSON.stringify([name, steps, hooks, secrets, concurrency], withoutPlaces);
  return digestOf(text).slice(0, 32);
}

function withoutPlaces(key: string, value: unknown): unknown {
  if (key === "place") return undefined;
  return typeof value === "bigint" ? `${value}n` : value;
}
