/** Chooses a node, waiting for one where the caller allows it. */
import type { Clock } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";
import { formatDuration } from "../core/duration.ts";
import { type Candidate, choose, isUnbeatable, type PassedOver, ruledOut } from "./node_choice.ts";
import type { Placement, SelectOptions } from "./cluster.ts";
import type { HealthConfig } from "./config.ts";
import type { HealthCheck } from "./health.ts";
import { claimKey } from "./claim_key.ts";
import type { Node, NodeHealth } from "./node.ts";
import { passedOverWords } from "./passed_over.ts";
import { randomWord } from "../core/ids.ts";
import type { Crew } from "./crew.ts";
import type { Placements } from "./placements.ts";
import { placeWords } from "./turn_words.ts";
import type { NodeSelector } from "./node_selector.ts";
import { hold, isStillBest, MOST_MOVES } from "./settle.ts";

export interface SelectDeps {
  readonly config: HealthConfig;
  readonly health: HealthCheck;
  readonly crew: Crew;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Between two looks at nodes that are all taken: soon at first, then with less haste. */
const FIRST_POLL_MS = 500;
const LONGEST_POLL_MS = 5000;
const LONGEST_GPU_POLL_MS = 2000;
const NEXT_POLL_MS = 1000;
/** What is over lets go of its GPUs in a moment: when its last process is gone, and that was seen. */
const GIVEN_MS = 500;
const ENDING_MS = 5000;
const ENDING_POLL_MS = 250;
/** Many who wait look at one answer. */
const POLL_AGE_MS = 300;
/** How much longer nodes may take on a second look, where on the first none has answered. */
const PATIENT_FACTOR = 3;
/** A choice from older facts is verified by asking the chosen node again. */
const VERIFY_AGE_MS = 10_000;
/** Free GPUs are taken by other people at any moment. */
const VERIFY_GPU_AGE_MS = 1000;

/** What is waited for, and where it may be. */
export interface Sought {
  readonly selector: NodeSelector;
  readonly nodes: readonly Node[];
}

/** Whoever waits. */
export interface Waiting {
  /** Names its place in the line, in all lines that it stands in. */
  readonly ticket: string;
}

interface SelectRequest extends SelectOptions, Sought {
  /** How long each node may take to answer; default `health_check.timeout`. */
  readonly timeoutMs?: number | undefined;
}

/** @throws {GridError} `no-node` with every node's reason */
export async function awaitNode(deps: SelectDeps, request: SelectRequest): Promise<Placement> {
  const { presence } = deps.crew;
  const ticket = randomWord(8);
  try {
    return await waitForNode(deps, { ...request, ticket });
  } finally {
    presence.leave(ticket);
  }
}

type Waiter = SelectRequest & Waiting;

async function waitForNode(deps: SelectDeps, request: Waiter): Promise<Placement> {
  const { selector, signal } = request;
  const { clock, config, crew } = deps;
  const began = clock.monotonic();
  const deadline = began + selector.waitMs;
  let pollMs = FIRST_POLL_MS;
  let told: string | undefined;
  for (let maxAgeMs = config.refreshIntervalMs;; maxAgeMs = POLL_AGE_MS) {
    let tried = await tryOnce(deps, request, maxAgeMs);
    // "Nothing fits" must not rest on what was true a minute ago.
    if (!("node" in tried) && tried.fromCache && maxAgeMs > POLL_AGE_MS) continue;
    if (!("node" in tried) && tried.isSilence) {
      // All of them at once: rather this machine or its network is slow.
      const timeoutMs = PATIENT_FACTOR * config.timeoutMs;
      tried = await tryOnce(deps, { ...request, timeoutMs }, 0);
      if (!("node" in tried) && tried.isSilence) throw nobodyAnswered(tried.reasons, timeoutMs);
    }
    if ("node" in tried) return tried;
    const { reasons } = tried;
    const left = deadline - clock.monotonic();
    if (left <= 0 || reasons.every(({ isFinal }) => isFinal)) {
      if (clock.monotonic() - began < (tried.patienceMs ?? 0)) {
        await crew.pause(ENDING_POLL_MS, signal);
        continue;
      }
      throw noNode(reasons, selector.waitMs);
    }
    await standInLine(deps, request, reasons);
    const words = waitWords(reasons, selector);
    if (words.place !== told) request.onWait?.(words.all);
    told = words.place;
    await crew.pause(Math.min(pollMs, left), signal);
    pollMs = Math.min(2 * pollMs, selector.gpus > 0 ? gpuPollMs(reasons) : LONGEST_POLL_MS);
  }
}

/** Whoever is next looks often; that there are others before takes time to change. */
function gpuPollMs(reasons: readonly PassedOver[]): number {
  return reasons.some(({ turn }) => turn?.before === 0) ? NEXT_POLL_MS : LONGEST_GPU_POLL_MS;
}

/** On every node where waiting may help. */
async function standInLine(
  { crew }: SelectDeps,
  { selector, nodes, ticket, words, signal }: Waiter,
  reasons: readonly PassedOver[],
): Promise<void> {
  if (selector.gpus === 0 || words === undefined) return;
  const waiting = new Set(
    reasons.filter(({ isFinal, turn }) => !isFinal && turn !== undefined).map(({ node }) => node),
  );
  const { gpus, minFreeVramBytes, model } = selector;
  const place = { id: ticket, gpus, minFreeVramBytes, model, words };
  await Promise.all(
    nodes.filter(({ name }) => waiting.has(name))
      .map((node) => crew.presence.stand(node, place, signal)),
  );
  crew.keepUp();
}

/** Where it will be its turn first, as far as anybody knows. */
function waitWords(
  reasons: readonly PassedOver[],
  { gpus }: NodeSelector,
): { readonly place: string; readonly all: string } {
  const soon = (turn: PassedOver["turn"]) => turn?.startsInMs ?? Number.POSITIVE_INFINITY;
  const [best] = reasons.filter(({ isFinal, turn }) => !isFinal && turn !== undefined)
    .toSorted((a, b) =>
      soon(a.turn) === soon(b.turn)
        ? (a.turn?.before ?? 0) - (b.turn?.before ?? 0)
        : soon(a.turn) - soon(b.turn)
    );
  if (best?.turn === undefined) {
    const all = passedOverWords(reasons.filter(({ isFinal }) => !isFinal));
    return { place: all, all: `waits for a node: ${all}` };
  }
  const others = reasons.length > 1 ? ` (and ${reasons.length - 1} more looked at)` : "";
  const place = `${placeWords({ ...best.turn, startsInMs: undefined }, gpus)} on ${best.node}`;
  const all = `${placeWords(best.turn, gpus)} on ${best.node}${others}: ${best.reason}`;
  return { place, all };
}

interface Refusal {
  readonly reasons: readonly PassedOver[];
  /** Whether any reason rests on an older answer. */
  readonly fromCache: boolean;
  /** No node that was asked has answered at all. */
  readonly isSilence: boolean;
  /** Since this process has, or has had, what may go in a moment. */
  readonly patienceMs?: number;
}

async function tryOnce(
  deps: SelectDeps,
  request: Waiter,
  maxAgeMs: number,
): Promise<Placement | Refusal> {
  const { config, health, crew, clock, random } = deps;
  const { placements } = crew;
  const { selector, signal, avoid = [], holder, group, ticket, words } = request;
  const unfit = request.nodes.flatMap((node) => ruledOut(node, selector) ?? []);
  const nodes = request.nodes.filter((node) => ruledOut(node, selector) === undefined);
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const { owner } = placements;
  const asker = { owner, ticket, run: words?.run, lastsMs: words?.lastsMs };
  const rules = { selector, weights: config, avoid, random, asker, group };
  const { share } = selector;
  const promised = (node: Node) => placements.promisedGpus(node, { group, share });
  /** With what is placed on the nodes now, not when the rows came. */
  const paired = (rows: readonly NodeHealth[]): Candidate[] => {
    const own = placements.points(nodes);
    return rows.flatMap((health) => {
      const node = byName.get(health.node);
      if (node === undefined) return [];
      const points = (own.get(node) ?? 0) + deps.health.others(node);
      return [{ node, health, placed: { points, gpus: promised(node) } }];
    });
  };
  let age = maxAgeMs;
  // Each round asks at least one more node anew, so this ends after as many rounds as there are nodes.
  for (let round = 0; round <= nodes.length + MOST_MOVES; round++) {
    const rows = await health.check(nodes, {
      maxAgeMs: age,
      signal,
      timeoutMs: request.timeoutMs,
      isEnough: (rows) => choose(paired(rows), rules).chosen !== undefined,
      isBest: (rows) => isUnbeatable(choose(paired(rows), rules)),
    });
    age = Number.POSITIVE_INFINITY;
    // From here to the placement nobody else in this process gets a turn.
    const { chosen, gpus, passedOver } = choose(paired(rows), rules);
    if (chosen === undefined) {
      const fromCache = maxAgeMs > 0 && rows.some((row) => row.fromCache);
      const isSilence = rows.length > 1 && rows.every((row) => row.isSilent);
      const isEnding = selector.gpus > 0 && rows.some((row) => isEndingOn(row, placements));
      // Of a step that has just ended the next one may hear before its GPUs are given back.
      const isGiven = selector.gpus > 0 && nodes.some((node) => promised(node).size > 0);
      const patienceMs = isEnding ? ENDING_MS : isGiven ? GIVEN_MS : 0;
      return { reasons: [...unfit, ...passedOver], fromCache, isSilence, patienceMs };
    }
    const patience = selector.gpus > 0 ? VERIFY_GPU_AGE_MS : VERIFY_AGE_MS;
    const ageMs = clock.now() - chosen.health.at;
    // An answer of the future is one from before the clock was set back.
    if (ageMs < 0 || ageMs > patience) {
      await health.check([chosen.node], { maxAgeMs: 0, signal });
      continue;
    }
    const placement = {
      node: chosen.node.name,
      health: chosen.health,
      passedOver: [...unfit, ...passedOver].map(({ node, reason }) => ({ node, reason })),
    };
    if (holder === undefined) return placement;
    const keys = gpus.slice(0, selector.gpus).map(claimKey);
    placements.add({ node: chosen.node, holder, group, gpus: selector.gpus, share, keys });
    const isSettled = selector.gpus > 0 && group !== undefined && words !== undefined
      ? await hold(deps, { ...request, node: chosen.node, gpus, holder, group, words })
      : await isStillBest(deps, { ...request, chosen, others: rows.length > 1, round });
    if (isSettled) return placement;
    crew.release(holder);
  }
  const lost = { reason: "others were faster", isFinal: false };
  const reasons = [...unfit, ...nodes.map(({ name }) => ({ node: name, ...lost }))];
  return { reasons, fromCache: false, isSilence: false };
}

/** Whether work of this process is just letting go of GPUs there. */
export function isEndingOn({ facts }: NodeHealth, placements: Placements): boolean {
  return (facts?.work?.claims ?? []).some(({ owner, gpus, group }) =>
    owner === placements.owner && gpus.length > 0 && !placements.hasGroup(group)
  );
}

function nobodyAnswered(reasons: readonly PassedOver[], timeoutMs: number): GridError {
  return new GridError({
    code: "no-node",
    message: `Cannot choose a node: none of ${reasons.length} answered, not within ${
      formatDuration(timeoutMs)
    } either`,
    hint: "is this machine's network up, or this machine overloaded? look at one: ssh -v <node>",
  });
}

function noNode(reasons: readonly PassedOver[], waitMs: number): GridError {
  const mayPass = reasons.some(({ isFinal }) => !isFinal);
  // Nobody waits for what waiting cannot cure.
  const waited = waitMs > 0 && mayPass ? ` within ${formatDuration(waitMs)}` : "";
  const soon = Math.min(...reasons.map(({ turn }) => turn?.startsInMs ?? Number.POSITIVE_INFINITY));
  const next = Number.isFinite(soon) && soon > 0
    ? `; next free in about ${formatDuration(soon)}`
    : "";
  return new GridError({
    code: "no-node",
    message: `Cannot choose a node${waited}: ${passedOverWords(reasons)}`,
    hint: hintOfAll(reasons) ??
      (mayPass && waitMs === 0
        ? `wait for one with wait: 30m in the selector, or --wait${next}; grid queue shows who is there`
        : mayPass
        ? `grid queue shows who holds what, and who waits${next}`
        : "see grid health --explain, and the labels and gpus of the cluster config"),
  });
}

/** Where something can be done about each node: what, of one, and where the others' stands. */
function hintOfAll(reasons: readonly PassedOver[]): string | undefined {
  const [first, ...others] = new Set(reasons.map(({ hint }) => hint));
  if (others.length === 0 || first === undefined || others.includes(undefined)) {
    return others.length === 0 ? first : undefined;
  }
  return `${first}; grid health says what to do about ${
    others.length === 1 ? "the other" : "the others"
  }`;
}
