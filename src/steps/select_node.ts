import type { Cluster } from "../cluster/cluster.ts";
import type { StepKind } from "../engine/ports.ts";
import { groupOf } from "./gpu_lease.ts";
import { placeHolder } from "./placement.ts";

export interface SelectNodeDeps {
  readonly cluster: Pick<Cluster, "select">;
}

/** Chooses a node for the steps that come after. */
export function createSelectNodeStep({ cluster }: SelectNodeDeps): StepKind<"select-node"> {
  return {
    kind: "select-node",
    async run({ action, avoidNodes, run, step, attempt }, host) {
      const { node, health, passedOver } = await cluster.select(action.selector, {
        signal: host.signal,
        avoid: avoidNodes,
        holder: placeHolder({ run, step, attempt }),
        group: groupOf(run, step),
        words: { run, step },
        onWait: (message) => host.note({ type: "warned", message }),
      });
      const { score, facts } = health;
      host.note({ type: "node.chosen", node, ...(score !== undefined && { score }), passedOver });
      return {
        status: "succeeded",
        outputs: {
          node,
          score: score === undefined ? null : Math.round(score * 10) / 10,
          // What the steps on this node hold together while they run.
          gpus: action.selector.gpus,
          cores: facts?.cores ?? null,
        },
      };
    },
  };
}
