import { basename } from "node:path";
import type { Clock } from "../core/clock.ts";
import { nearest } from "../core/did_you_mean.ts";
import { GridError, isAboutNode, toGridError } from "../core/errors.ts";
import { lazy } from "../core/lazy.ts";
import type { TransportPool } from "../transport/transport.ts";
import type {
  Cluster,
  GatherOptions,
  HealthCache,
  HealthOptions,
  Placement,
  SelectOptions,
} from "./cluster.ts";
import type { ClusterConfig } from "./config.ts";
import { LOCAL_NODE, localNode } from "./defaults.ts";
import { Crew } from "./crew.ts";
import { createHealthCheck } from "./health.ts";
import { claimPrelude } from "./claim_prelude.ts";
import type { Node, OpenNode } from "./node.ts";
import { Placements } from "./placements.ts";
import type { NodeSelector } from "./node_selector.ts";
import { awaitNode } from "./await_node.ts";
import { SharedWork } from "./shared_work.ts";
import { openWorkspace } from "./workspace.ts";

export interface OpenClusterOptions {
  readonly config: ClusterConfig;
  readonly pool: TransportPool;
  readonly cache: HealthCache;
  readonly clock: Clock;
  /** Absolute; the workspace of the node `local`. */
  readonly project: string;
  /** Uniform in [0, 1); settles ties between nodes. */
  readonly random: () => number;
}

/** Opens nothing yet: a node is reached when it is first asked for. */
export function openCluster(options: OpenClusterOptions): Cluster {
  const { config, pool, cache, clock, random } = options;
  const byName = new Map([...config.nodes, localNode(options.project, config.local)]
    .map((node) => [node.name, node]));
  const placements = new Placements({ clock, weights: config.health });
  const owner = placements.owner;
  const project = basename(options.project);
  const health = createHealthCheck({ config: config.health, pool, cache, clock, placements });
  const crew = new Crew({
    placements,
    health,
    clock,
    project,
    transport: (node) => pool.transport(node.endpoint),
  });
  const opened = new Map<Node, OpenNode>();
  const opening = new SharedWork<Node, OpenNode>(async (node, signal) => {
    const transport = pool.transport(node.endpoint);
    try {
      const open = await openWorkspace(node, { transport, configFile: config.file, signal });
      opened.set(node, open);
      // This machine's own project folder is no node of the cluster.
      if (config.nodes.includes(node)) health.learn(node);
      return open;
    } catch (thrown) {
      signal.throwIfAborted();
      const error = toGridError(thrown);
      if (isAboutNode(error) && config.nodes.includes(node)) health.learn(node, error);
      throw error;
    }
  });

  function find(name: string): Node {
    const node = byName.get(name);
    if (node !== undefined) return node;
    throw unknownNode(name, { config, names: [...byName.keys()] });
  }

  function candidates(among: readonly string[] | undefined): readonly Node[] {
    return among === undefined || among.length === 0 ? config.nodes : among.map(find);
  }

  return {
    nodes: config.nodes,

    async open(name: string, { signal }: { readonly signal?: AbortSignal } = {}) {
      const node = find(name);
      return opened.get(node) ?? await opening.get(node, signal);
    },

    async health(
      { among, fresh = false, ask = true, onRows, isLast, signal }: HealthOptions = {},
    ) {
      if (!ask) return health.seen(candidates(among));
      const maxAgeMs = fresh ? 0 : config.health.refreshIntervalMs;
      return await health.check(candidates(among), { maxAgeMs, signal, onRows, isLast });
    },

    async select(selector: NodeSelector, select: SelectOptions = {}): Promise<Placement> {
      const nodes = candidates(selector.among);
      const deps = { config: config.health, health, crew, clock, random };
      return await awaitNode(deps, { ...select, selector, nodes });
    },

    async gather(selector: NodeSelector, gather: GatherOptions) {
      const { awaitGang } = await lazy<typeof import("./await_gang.ts")>(
        "./await_gang.ts",
        import.meta.url,
      );
      const nodes = candidates(selector.among);
      const deps = { config: config.health, health, crew, clock, random };
      return await awaitGang(deps, { ...gather, selector, nodes });
    },

    [Symbol.dispose]() {
      crew[Symbol.dispose]();
      health[Symbol.dispose]();
    },

    release(holder) {
      crew.release(holder);
    },

    releaseAll(run) {
      for (const holder of placements.holdersOf(run)) crew.release(holder);
    },

    released: () => crew.released(),

    async claim(node, wish, options = {}) {
      const held = crew.holds.gpusOf(node.node, wish.group);
      const { presence } = crew;
      const deps = { health, clock, project, owner, presence, held };
      return await claimPrelude(node, { ...options, wish, ...deps });
    },
  };
}

function unknownNode(
  name: string,
  { config, names }: { readonly config: ClusterConfig; readonly names: readonly string[] },
): GridError {
  const near = nearest(name, names);
  const shown = names.filter((other) => other !== LOCAL_NODE).slice(0, 10).join(", ");
  return new GridError({
    code: "usage",
    message: `Cannot use node "${name}": ${
      config.file ?? "the built-in cluster config"
    } names no such node`,
    hint: near === undefined ? `configured nodes: ${shown}` : `did you mean "${near}"?`,
  });
}
