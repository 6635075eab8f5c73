import type { Cluster, Placement } from "../cluster/cluster.ts";
import { isAboutNode, toGridError } from "../core/errors.ts";
import type { StepHost, StepKind, StepRequest } from "../engine/ports.ts";
import type { SelectNodeAction } from "../pipeline/pipeline.ts";
import { groupOf } from "./gpu_claim.ts";
import { placeHolder } from "./placement.ts";

export interface SelectNodeDeps {
  readonly cluster: Pick<Cluster, "select" | "open">;
}

/** Chooses a node for the steps that come after. */
export function createSelectNodeStep({ cluster }: SelectNodeDeps): StepKind<"select-node"> {
  return {
    kind: "select-node",
    async run(request, host) {
      const { action } = request;
      const { node, health, passedOver } = await chooseUsable(request, { host, cluster });
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

interface ChooseContext {
  readonly host: Pick<StepHost, "signal" | "note">;
  readonly cluster: SelectNodeDeps["cluster"];
}

/** The steps after will use the node by its name: one that cannot be used makes room for the next best. */
async function chooseUsable(
  { action, avoidNodes, run, step, attempt }: StepRequest<SelectNodeAction<string>>,
  { host, cluster }: ChooseContext,
): Promise<Placement> {
  const { signal } = host;
  const unusable: string[] = [];
  for (;;) {
    const placement = await cluster.select(action.selector, {
      signal,
      avoid: [...avoidNodes, ...unusable],
      holder: placeHolder({ run, step, attempt }),
      group: groupOf(run, step),
      words: { run, step },
      onWait: (message) => host.note({ type: "warned", message }),
    });
    const { node } = placement;
    try {
      await cluster.open(node, { signal });
      return placement;
    } catch (thrown) {
      signal.throwIfAborted();
      const error = toGridError(thrown);
      // Chosen although it has failed already: nothing else fits.
      if (!isAboutNode(error) || unusable.includes(node)) throw error;
      unusable.push(node);
      host.note({ type: "warned", message: `passes over ${node}: ${error.message}` });
    }
  }
}
