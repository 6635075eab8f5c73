/** What commands find on the nodes that they may run on, in one word. */
import { digestOf } from "../core/digest.ts";
import type { ClusterConfig } from "./config.ts";
import { LOCAL_NODE } from "./defaults.ts";
import type { NodeSelector } from "./node_selector.ts";

/** Where a command may run, as far as a config can tell. */
export type Whereabouts =
  | { readonly kind: "named"; readonly name: string }
  | {
    readonly kind: "selector";
    readonly selector: Pick<NodeSelector, "labels" | "among" | "exclude">;
  }
  | { readonly kind: "best" };

/**
 * One word for what commands find on the nodes that they may run on: another where any of these says
 * something else. Of `vars` those that are read count. Undefined where nothing is said.
 */
export function environmentsDigest(
  { nodes, local }: Pick<ClusterConfig, "nodes" | "local">,
  where: Whereabouts,
  reads: readonly string[] | "all",
): string | undefined {
  const found = where.kind === "named" && where.name === LOCAL_NODE
    ? [local]
    : nodes.filter((node) => isMeant(node, where)).map(({ environment }) => environment);
  const said = found.map((environment) => {
    const { before = [], env = {}, vars = {} } = environment ?? {};
    const read = Object.entries(vars).filter(([name]) => reads === "all" || reads.includes(name));
    const isEmpty = before.length + Object.keys(env).length + read.length === 0;
    return isEmpty ? "" : JSON.stringify([before, sorted(Object.entries(env)), sorted(read)]);
  });
  const distinct = [...new Set(said)].toSorted();
  if (distinct.every((one) => one === "")) return undefined;
  return digestOf(JSON.stringify(distinct)).slice(0, 32);
}

function isMeant(
  { name, labels }: { readonly name: string; readonly labels: readonly string[] },
  where: Whereabouts,
): boolean {
  switch (where.kind) {
    case "named":
      return name === where.name;
    case "selector": {
      const { labels: wanted, among, exclude = [] } = where.selector;
      return wanted.every((label) => labels.includes(label)) &&
        (among.length === 0 || among.includes(name)) && !exclude.includes(name);
    }
    case "best":
      return true;
  }
}

function sorted(entries: readonly [string, string][]): readonly [string, string][] {
  return entries.toSorted(([a], [b]) => a < b ? -1 : 1);
}
