/** The nodes of a gang, the addresses by which they reach each other, and the port at which they meet. */
import { gangHolder } from "../cluster/cluster.ts";
import { reachable } from "../cluster/gang_address.ts";
import { gangStepWords } from "../cluster/gang_step.ts";
import { lookAround } from "../cluster/gang_ground.ts";
import {
  claimPort,
  dialPort,
  endProof,
  type GangPort,
  releasePort,
  unreachable,
} from "../cluster/gang_port.ts";
import type { ClaimWish } from "../cluster/claim_wish.ts";
import type { OpenNode } from "../cluster/node.ts";
import { onceEach, type Twin } from "../cluster/shared_home.ts";
import { GridError, isAboutNode, toGridError } from "../core/errors.ts";
import type { StepHost } from "../engine/ports.ts";
import type { Gang } from "../pipeline/gang.ts";
import { groupOf } from "./gpu_claim.ts";
import type { GangWorld } from "./gang_variables.ts";
import { ANY_NODE, anyNodeWith, placeHolder } from "./placement.ts";
import type { RunRequest } from "./run_job.ts";
import type { RunStepOptions } from "./run_options.ts";

export interface GangPlace extends AsyncDisposable {
  /** By rank. */
  readonly nodes: readonly OpenNode[];
  readonly world: GangWorld;
  /** What the job of each rank holds. */
  readonly wish: ClaimWish;
}

interface PlaceOptions {
  readonly host: Pick<StepHost, "signal" | "note">;
  readonly cluster: RunStepOptions["cluster"];
  readonly gang: Gang;
  /** Nodes that failed in this attempt already. */
  readonly avoid: readonly string[];
  /** Fires when all must stand ready; known once the nodes are. */
  readonly within: () => AbortSignal;
}

/** @throws {GridError} `no-node`, `tcp` where ranks cannot reach each other, or what opening a node throws */
export async function placeGang(request: RunRequest, options: PlaceOptions): Promise<GangPlace> {
  await using undo = new AsyncDisposableStack();
  const { cluster, gang } = options;
  const holder = placeHolder(request);
  undo.defer(() => {
    for (let rank = 0; rank < gang.count; rank++) cluster.release?.(gangHolder(holder, rank));
  });
  const wish = gangWish(request);
  const nodes = await openAll(request, { ...options, wish });
  const signal = AbortSignal.any([options.host.signal, options.within()]);
  const meeting = await meet(nodes, { ...options, signal });
  const [main] = nodes;
  undo.defer(async () => {
    if (main) await releasePort(main, meeting).catch(() => {});
  });
  const world: GangWorld = {
    nodes: nodes.map(({ node }) => node.name),
    reaches: meeting.reaches,
    port: meeting.port,
    gpusPerNode: wish.gpus,
    aliases: gang.aliases,
  };
  const all = undo.move();
  return { nodes, world, wish, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

function gangWish({ node, run, step, attempt, seesAllGpus }: RunRequest): ClaimWish {
  const { gpus, minFreeVramBytes, model } = node.kind === "selector" ? node.selector : ANY_NODE;
  const group = groupOf(run, step, attempt);
  const seesAll = gpus === 0 ? seesAllGpus : undefined;
  return { gpus, minFreeVramBytes, model, group, words: { run, step }, waitMs: 0, seesAll };
}

/** Chosen and opened; one that cannot be opened makes room for others. */
async function openAll(
  request: RunRequest,
  { host, cluster, gang, wish, avoid }: PlaceOptions & { readonly wish: ClaimWish },
): Promise<readonly OpenNode[]> {
  if (cluster.gather === undefined) {
    throw new GridError({ code: "bug", message: "Cannot choose several nodes here" });
  }
  const { signal } = host;
  const selector = request.node.kind === "selector"
    ? request.node.selector
    : anyNodeWith(request.folders);
  const holder = placeHolder(request);
  const unusable: string[] = [];
  const twins: Twin[] = [];
  const free = () => {
    for (let rank = 0; rank < gang.count; rank++) cluster.release?.(gangHolder(holder, rank));
  };
  for (;;) {
    const placements = await cluster.gather(selector, {
      signal,
      holder,
      group: wish.group,
      words: {
        ...wish.words,
        step: gangStepWords({ step: wish.words.step, nodes: gang.count }),
      },
      avoid: [...request.avoidNodes, ...avoid, ...unusable],
      count: gang.count,
      sameModel: gang.sameModel,
      twins,
      onWait: (message) => host.note({ type: "warned", message }),
    });
    const opened = await Promise.allSettled(
      placements.map(({ node }) => cluster.open(node, { signal })),
    );
    const fault = opened.findIndex(({ status }) => status === "rejected");
    const nodes = opened.flatMap((each) => each.status === "fulfilled" ? [each.value] : []);
    // Nobody knows before the first look into its workspace which machine it is.
    const { twins: found } = onceEach(nodes);
    if (found.length > 0) {
      free();
      signal.throwIfAborted();
      twins.push(...found);
      continue;
    }
    if (fault < 0) {
      for (const [rank, { node, health, passedOver }] of placements.entries()) {
        host.note({
          type: "node.chosen",
          rank,
          node,
          ...(health.score === undefined ? {} : { score: health.score }),
          ...(rank === 0 && { passedOver }),
        });
      }
      return nodes;
    }
    free();
    signal.throwIfAborted();
    const { node = "" } = placements[fault] ?? {};
    const thrown = opened[fault];
    const error = toGridError(thrown?.status === "rejected" ? thrown.reason : undefined);
    if (!isAboutNode(error) || unusable.includes(node)) throw error;
    unusable.push(node);
    host.note({ type: "warned", message: `passes over ${node}: ${error.message}` });
  }
}

interface Meeting extends GangPort {
  readonly reaches: GangWorld["reaches"];
}

interface MeetOptions extends Pick<PlaceOptions, "host"> {
  readonly signal: AbortSignal;
}

/** Addresses, and the port, dialled by every other rank. */
async function meet(
  nodes: readonly OpenNode[],
  { host, signal }: MeetOptions,
): Promise<Meeting> {
  const grounds = await Promise.all(nodes.map((node) => lookAround(node, signal)));
  const standings = nodes.map(({ node, transport }, rank) => ({
    node: node.name,
    ground: grounds[rank] ?? { boot: undefined, addresses: [], selfishName: undefined },
    configured: node.address,
    host: transport.endpoint.host,
  }));
  const { reaches } = reachable(standings);
  warnOfNames(standings, host);
  const [main, ...others] = nodes;
  const address = reaches[0]?.address ?? "";
  if (main === undefined) throw new GridError({ code: "bug", message: "a gang without nodes" });
  const port = await claimPort(main, { address, signal });
  try {
    const answers = !port.canProve
      ? []
      : await Promise.all(others.map((node) => dialPort(node, { address, ...port, signal })));
    const [why] = answers.filter((answer) => answer !== undefined && answer !== "unproved");
    if (why !== undefined) {
      const rank = answers.indexOf(why) + 1;
      const node = nodes[rank]?.node.name ?? "";
      throw unreachable({ rank, node, main: main.node.name, address, port: port.port, why });
    }
    const unproved = !port.canProve ? [main] : others.filter((_, at) => answers[at] === "unproved");
    if (unproved.length > 0 && others.length > 0) {
      const names = unproved.map(({ node }) => node.name).join(", ");
      const message = `nobody has tried whether its nodes reach each other: ${names} has neither ` +
        "perl nor python3";
      host.note({ type: "warned", message });
    }
    await endProof(main, port);
    return { ...port, reaches };
  } catch (error) {
    await endProof(main, port).catch(() => {});
    await releasePort(main, port).catch(() => {});
    throw error;
  }
}

/** Told where it may do harm: on several machines. */
function warnOfNames(
  standings: readonly {
    readonly node: string;
    readonly ground: {
      readonly boot: string | undefined;
      readonly selfishName: string | undefined;
    };
  }[],
  host: Pick<StepHost, "note">,
): void {
  if (new Set(standings.map(({ ground }) => ground.boot)).size < 2) return;
  const selfish = standings.filter(({ ground }) => ground.selfishName !== undefined);
  if (selfish.length === 0) return;
  const names = selfish.map(({ node }) => node).join(", ");
  const message = `the own name of ${names} leads to 127.0.… there (/etc/hosts): jax on CPUs and ` +
    "torchrun's c10d would tell the others that address; GRID_NODE_ADDRESS is right";
  host.note({ type: "warned", message });
}
