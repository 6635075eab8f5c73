/** `nodes:` of a step as written. */
import type { Gang } from "./gang.ts";
import { START_WITHIN_MS } from "./gang.ts";
import type { NodeRequest, NodeSelector, RunAction } from "./pipeline.ts";
import { durationMs } from "./policy.ts";
import type { HookEntry } from "./schema.ts";
import type { Text } from "../expression/text.ts";
import type { TextReader } from "../expression/reader.ts";

type GangEntry = Exclude<NonNullable<HookEntry["nodes"]>, number | string>;

export function readGang(entry: HookEntry, reader: TextReader): Pick<RunAction<Text>, "gang"> {
  if (entry.nodes === undefined) return {};
  checkCompany(entry, reader);
  const written = mapOf(entry.nodes);
  const idleMs = durationMs(written.idle);
  const exitTogetherMs = durationMs(written["exit-together"]);
  const gang: Gang<Text> = {
    count: readCount(entry, reader),
    sameModel: written.same === "model",
    startWithinMs: durationMs(written["start-within"]) ?? START_WITHIN_MS,
    ...(idleMs !== undefined && { idleMs }),
    ...(exitTogetherMs !== undefined && { exitTogetherMs }),
    aliases: [written.aliases ?? []].flat(),
  };
  return { gang };
}

function mapOf(nodes: NonNullable<HookEntry["nodes"]>): GangEntry {
  return typeof nodes === "object" ? nodes : { count: nodes };
}

function readCount(entry: HookEntry, reader: TextReader): Gang<Text>["count"] {
  const { nodes } = entry;
  const count = typeof nodes === "object" ? nodes.count : nodes;
  if (typeof count === "number") return count;
  return typeof nodes === "object" ? reader.text(nodes, "count") : reader.text(entry, "nodes");
}

/** Keys that mean one node. */
function checkCompany(entry: HookEntry, reader: TextReader): void {
  const refuse = (key: "service" | "cache" | "node", message: string, hint: string) =>
    reader.report({
      rule: "gang-company",
      spot: reader.source.keySpot(entry, key),
      message,
      hint,
    });
  if (entry.service !== undefined) {
    refuse("service", "a service runs on one node", "remove nodes:, or service:");
  }
  if (entry.cache !== undefined) {
    refuse(
      "cache",
      "what a command on many nodes has made is not kept for other runs",
      "remove cache:; put what is worth keeping in a step behind it",
    );
  }
  if (typeof entry.node === "string") {
    refuse(
      "node",
      "node: names one node, and nodes: wants several",
      "say which may be taken: node: { among: [gpu1, gpu2] }, or what they must offer",
    );
  }
  const { node, nodes } = entry;
  if (
    typeof node === "object" && typeof nodes === "object" && nodes.gpus !== undefined &&
    node.gpus !== undefined && node.gpus !== nodes.gpus
  ) {
    refuse("node", `node: says gpus: ${node.gpus}, nodes: says gpus: ${nodes.gpus}`, "keep one");
  }
}

/** What each node of a gang must offer: `node:` where it says so, with the GPUs of `nodes:`. */
export function gangNode(
  nodes: NonNullable<HookEntry["nodes"]>,
  node: NodeRequest<Text>,
): NodeRequest<Text> {
  const selector = node.kind === "selector" ? node.selector : ANY;
  const { gpus = selector.gpus } = mapOf(nodes);
  return { kind: "selector", selector: { ...selector, gpus } };
}

const ANY: NodeSelector<Text> = {
  gpus: 0,
  minFreeVramBytes: undefined,
  labels: [],
  among: [],
  waitMs: 0,
};
