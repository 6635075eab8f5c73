/** `grid free`: how many cards of each model are free, and the selector that asks for them. */
import type { NodeHealth } from "./node.ts";

export interface FreeModel {
  readonly model: string;
  /** Of each; undefined where the tool does not say. */
  readonly memoryBytes: number | undefined;
  readonly free: number;
  /** On nodes that answer; those of drained and unusable ones are among them. */
  readonly total: number;
  /** As many as one job can have. */
  readonly mostOnOne: number;
  readonly nodes: readonly {
    readonly node: string;
    readonly free: number;
    readonly total: number;
  }[];
  /** To be pasted behind `node:` or `select-node:`. */
  readonly selector: string;
}

/** The model with the most free cards first. */
export function freeModels(rows: readonly NodeHealth[]): readonly FreeModel[] {
  const found = rows.filter(({ sameAs }) => sameAs === undefined).flatMap((row) =>
    (row.gpuGroups ?? []).map((group) => ({
      ...group,
      node: row.node,
      free: row.status === "ok" ? group.free : 0,
    }))
  );
  const kinds = Map.groupBy(
    found,
    ({ model, memoryBytes }) => `${model} ${Math.round((memoryBytes ?? 0) / 2 ** 30)}`,
  );
  return [...kinds.values()].flatMap((groups) => {
    const [first] = groups;
    if (first === undefined) return [];
    const sum = (key: "free" | "total") => groups.reduce((n, group) => n + group[key], 0);
    const mostOnOne = Math.max(...groups.map(({ free }) => free));
    const nodes = groups.map(({ node, free, total }) => ({ node, free, total }))
      .toSorted((a, b) => b.free - a.free);
    const { model, memoryBytes } = first;
    const selector = selectorFor(first, Math.max(1, mostOnOne));
    const [free, total] = [sum("free"), sum("total")];
    return [{ model, memoryBytes, free, total, mostOnOne, nodes, selector }];
  }).toSorted((a, b) => b.free - a.free || b.total - a.total);
}

/** A word of the model's name finds it; makers' plain names find nothing that `gpus` would not. */
function selectorFor({ model }: { readonly model: string }, gpus: number): string {
  const slice = /MIG \S+$/.exec(model)?.[0];
  // A program can use one slice, and no more.
  if (slice !== undefined) return `{ gpus: 1, gpu: ${slice} }`;
  const word = /^[A-Za-z0-9][A-Za-z0-9 ._-]*$/.test(model) ? model : JSON.stringify(model);
  return model.endsWith(" GPU") ? `{ gpus: ${gpus} }` : `{ gpus: ${gpus}, gpu: ${word} }`;
}
