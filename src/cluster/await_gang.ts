/** Chooses several nodes together, all or none, waiting for them where the caller allows it. */
import { formatDuration } from "../core/duration.ts";
import { GridError } from "../core/errors.ts";
import { randomWord } from "../core/ids.ts";
import { type Candidate, type PassedOver, ruledOut } from "./node_choice.ts";
import { gangHolder, type GatherOptions, type Placement } from "./cluster.ts";
import { chooseGang, type Chosen, heldKeys, inTakingOrder, passedOverTwin } from "./gang_choice.ts";
import { gangTicket } from "./gang_ticket.ts";
import type { Node, NodeHealth } from "./node.ts";
import { passedOverWords } from "./passed_over.ts";
import { isEndingOn, type SelectDeps, type Sought, type Waiting } from "./await_node.ts";
import { placeWords } from "./turn_words.ts";

/** Between two looks: soon at first, then with less haste. */
const FIRST_POLL_MS = 300;
const LONGEST_POLL_MS = 2000;
/** Somebody else may take a GPU at any moment; without GPUs an older answer does. */
const GPU_AGE_MS = 300;
const LOAD_AGE_MS = 10_000;
/** What this process has just ended lets go of its GPUs in a moment. */
const ENDING_MS = 5000;

type Gathering = GatherOptions & Sought;

type Waiter = Gathering & Waiting;

interface Refusal {
  readonly reasons: readonly PassedOver[];
  /** Nodes that could be taken now. */
  readonly fitting: number;
  /** Something of this process goes in a moment. */
  readonly isEnding: boolean;
}

/** @throws {GridError} `no-node` with every node's reason */
export async function awaitGang(
  deps: SelectDeps,
  request: Gathering,
): Promise<readonly Placement[]> {
  const { presence } = deps.crew;
  const ticket = gangTicket(deps.clock.now(), randomWord(8));
  try {
    return await waitForAll(deps, { ...request, ticket });
  } finally {
    presence.leave(ticket);
  }
}

async function waitForAll(deps: SelectDeps, request: Waiter): Promise<readonly Placement[]> {
  const { selector, signal, count } = request;
  const { clock, crew } = deps;
  const began = clock.monotonic();
  let pollMs = FIRST_POLL_MS;
  let told: string | undefined;
  for (;;) {
    const tried = await tryAll(deps, request);
    if (!("reasons" in tried)) return tried;
    const waited = clock.monotonic() - began;
    const { reasons, fitting, isEnding } = tried;
    const able = fitting + reasons.filter(({ isFinal }) => !isFinal).length;
    if (able < count) throw tooFew(tried, request);
    const left = selector.waitMs - waited;
    if (left <= 0 && !(isEnding && waited < ENDING_MS)) throw tooFew(tried, request);
    if (left > 0) await standEverywhere(deps, request, reasons);
    const words = waitWords(tried, request);
    if (words.place !== told && left > 0) request.onWait?.(words.all);
    told = words.place;
    await crew.pause(left > 0 ? Math.min(pollMs, left) : FIRST_POLL_MS, signal);
    pollMs = Math.min(2 * pollMs, LONGEST_POLL_MS);
  }
}

/** Takes all, or frees what it has taken: who waits holds nothing. */
async function tryAll(
  deps: SelectDeps,
  request: Waiter,
): Promise<readonly Placement[] | Refusal> {
  const { config, health, crew, random } = deps;
  const { selector, signal, avoid = [], group, ticket, words, count, sameModel } = request;
  const { twins = [] } = request;
  const out = new Map(twins.map((twin) => [twin.node, passedOverTwin(twin)]));
  const reasonOf = (node: Node) => ruledOut(node, selector) ?? out.get(node.name);
  const unfit = request.nodes.flatMap((node) => reasonOf(node) ?? []);
  const nodes = request.nodes.filter((node) => reasonOf(node) === undefined);
  const maxAgeMs = selector.gpus > 0 ? GPU_AGE_MS : LOAD_AGE_MS;
  const rows = await health.check(nodes, { maxAgeMs, signal });
  // From here to the placements nobody else in this process gets a turn.
  const { placements } = crew;
  const candidates = pairs(rows, { nodes, deps, group });
  const asker = { owner: placements.owner, ticket, run: words.run, lastsMs: words.lastsMs };
  const wish = { selector, weights: config, avoid, random, asker, group, count, sameModel };
  const { chosen, fitting, passedOver } = chooseGang(candidates, wish);
  const reasons = [...unfit, ...passedOver];
  if (chosen === undefined) {
    const isEnding = selector.gpus > 0 && rows.some((row) => isEndingOn(row, placements));
    return { reasons, fitting, isEnding };
  }
  const ranked = inConfigOrder(chosen, nodes);
  const lost = await takeAll(deps, request, ranked);
  if (lost !== undefined) {
    const reason = "others were faster";
    const turn = { before: 0, startsInMs: undefined };
    const taken = { node: lost.name, reason, isFinal: false, turn };
    return { reasons: [...reasons, taken], fitting: count - 1, isEnding: false };
  }
  crew.keepUp();
  return ranked.map(({ candidate: { node, health } }) => ({
    node: node.name,
    health,
    passedOver: reasons.map(({ node, reason }) => ({ node, reason })),
  }));
}

function pairs(
  rows: readonly NodeHealth[],
  { nodes, deps: { crew, health }, group }: {
    readonly nodes: readonly Node[];
    readonly deps: SelectDeps;
    readonly group: string;
  },
): Candidate[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const own = crew.placements.points(nodes);
  return rows.flatMap((row) => {
    const node = byName.get(row.node);
    if (node === undefined) return [];
    const points = (own.get(node) ?? 0) + health.others(node);
    const gpus = crew.placements.promisedGpus(node, { group });
    return [{ node, health: row, placed: { points, gpus } }];
  });
}

/** Ranks stay what they are while the set of nodes does. */
function inConfigOrder(chosen: readonly Chosen[], nodes: readonly Node[]): readonly Chosen[] {
  return chosen.toSorted((a, b) =>
    nodes.indexOf(a.candidate.node) - nodes.indexOf(b.candidate.node)
  );
}

/** The node at which others were faster; undefined where all were had. */
async function takeAll(
  deps: SelectDeps,
  request: Waiter,
  ranked: readonly Chosen[],
): Promise<Node | undefined> {
  const { crew, health } = deps;
  const { selector, signal, group, words } = request;
  const { gpus: count } = selector;
  const taken: string[] = [];
  const free = () => taken.forEach((holder) => crew.release(holder));
  const add = (node: Node, holder: string, keys: readonly string[]) => {
    crew.placements.add({ node, holder, group, gpus: count, keys });
    taken.push(holder);
  };
  try {
    for (const { candidate: { node }, gpus } of ranked) {
      // Promised to nobody else in this process while the nodes are asked one after the other.
      const rank = ranked.findIndex(({ candidate }) => candidate.node === node);
      add(node, gangHolder(request.holder, rank), heldKeys(gpus.slice(0, count)));
    }
    if (count === 0) {
      for (const { candidate: { node } } of ranked) crew.presence.tell(node).catch(() => {});
      return undefined;
    }
    const wish = { ...selector, group, words };
    for (const { candidate: { node }, gpus } of inTakingOrder(ranked)) {
      const rank = ranked.findIndex(({ candidate }) => candidate.node === node);
      const holder = gangHolder(request.holder, rank);
      const held = await crew.holds.take(node, { holder, wish, gpus, signal });
      if (held === undefined) {
        free();
        await health.check([node], { maxAgeMs: 0, signal });
        return node;
      }
      add(node, holder, heldKeys(held));
    }
    crew.presence.served(words.run);
    return undefined;
  } catch (error) {
    free();
    throw error;
  }
}

/** In the line before each node that it may take some time, also those that are free now. */
async function standEverywhere(
  { crew }: SelectDeps,
  { selector, nodes, ticket, words, signal }: Waiter,
  reasons: readonly PassedOver[],
): Promise<void> {
  if (selector.gpus === 0) return;
  const never = new Set(reasons.filter(({ isFinal }) => isFinal).map(({ node }) => node));
  const silent = new Set(
    reasons.filter(({ turn, isFinal }) => turn === undefined && !isFinal).map(({ node }) => node),
  );
  const { gpus, minFreeVramBytes, model } = selector;
  const place = { id: ticket, gpus, minFreeVramBytes, model, words };
  await Promise.all(
    nodes.filter(({ name }) => !never.has(name) && !silent.has(name))
      .map((node) => crew.presence.stand(node, place, signal)),
  );
  crew.keepUp();
}

function wanted({ count, selector: { gpus }, sameModel }: Gathering): string {
  const each = gpus === 0 ? "" : ` with ${gpus === 1 ? "a GPU" : `${gpus} GPUs`} each`;
  return `${count} nodes${each}${sameModel && gpus > 0 ? ", of one model" : ""}`;
}

function waitWords(
  { reasons, fitting }: Refusal,
  request: Waiter,
): { readonly place: string; readonly all: string } {
  const missing = reasons.filter(({ isFinal }) => !isFinal);
  const first = missing.find(({ turn }) => turn !== undefined);
  const place = `waits for ${wanted(request)}: ${fitting} of them can be had now`;
  const line = first?.turn === undefined
    ? ""
    : `, ${placeWords(first.turn, request.selector.gpus)} on ${first.node}`;
  return {
    place: place + (first?.node ?? ""),
    all: `${place}${line}; ${passedOverWords(missing)}`,
  };
}

function tooFew({ reasons, fitting }: Refusal, request: Waiter): GridError {
  const { selector: { waitMs }, count } = request;
  const mayPass = fitting + reasons.filter(({ isFinal }) => !isFinal).length >= count;
  const waited = waitMs > 0 && mayPass ? ` within ${formatDuration(waitMs)}` : "";
  const why = reasons.length === 0 ? "" : `; ${passedOverWords(reasons)}`;
  return new GridError({
    code: "no-node",
    message: `Cannot choose ${wanted(request)}${waited}: ${fitting} can be had${
      mayPass ? " now" : ""
    }${why}`,
    hint: mayPass
      ? waitMs === 0
        ? "wait for them: node: { wait: 30m } beside nodes:; grid queue shows who is there"
        : "grid queue shows who holds what, and who waits"
      : "no waiting cures that: ask for fewer nodes, or for less of each",
  });
}
