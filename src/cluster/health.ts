/** How all nodes are, from the cache where it is fresh. */
import type { Clock } from "../core/clock.ts";
import type { GridError } from "../core/errors.ts";
import { getLogger } from "../core/log.ts";
import type { TransportPool } from "../transport/transport.ts";
import type { HealthCache } from "./cluster.ts";
import type { HealthConfig } from "./config.ts";
import { HealthRows, rememberedScore } from "./health_rows.ts";
import { KeptRows } from "./kept_rows.ts";
import type { Node, NodeFacts, NodeHealth } from "./node.ts";
import type { Placements } from "./placements.ts";
import { failedRow, probeNode, type ProbeRow } from "./probe_node.ts";
import { eachOf } from "./patient_queue.ts";
import { withSharers } from "./shared_home.ts";
import { othersPoints } from "./others.ts";
import { placeOf } from "./presence.ts";
import { type NodeWork, wordOf } from "./claim.ts";
import { SharedWork } from "./shared_work.ts";
import { Teller } from "./teller.ts";

export interface HealthDeps {
  readonly config: HealthConfig;
  readonly pool: TransportPool;
  readonly cache: HealthCache;
  readonly clock: Clock;
  readonly placements: Pick<Placements, "points" | "owner">;
}

export interface CheckOptions {
  /** Rows older than this are asked for again; 0 asks always. */
  readonly maxAgeMs: number;
  readonly signal?: AbortSignal | undefined;
  /** How long each node may take; default `health_check.timeout`. */
  readonly timeoutMs?: number | undefined;
  /** Called with the rows so far as nodes answer, a few times each second. */
  readonly onRows?: ((rows: readonly NodeHealth[]) => void) | undefined;
  /** Nothing is asked of these nodes afterwards. */
  readonly isLast?: boolean | undefined;
  /**
   * Whether the rows so far will do. Then nodes that take much longer than the others are not waited
   * for: they have a row that says so, and go on being asked.
   */
  readonly isEnough?: ((rows: readonly NodeHealth[]) => boolean) | undefined;
  /** Whether no row to come can be better than the best of those so far: then none is waited for. */
  readonly isBest?: ((rows: readonly NodeHealth[]) => boolean) | undefined;
}

export interface HealthCheck extends Disposable {
  /**
   * What came of using a node, which knows better than a row of a moment ago: a failure is the row
   * from now on; a success makes a row that says otherwise be asked for again.
   */
  learn(node: Node, failure?: GridError): void;
  /** Points for what other runners have on a node, as it told last. */
  others(node: Node): number;
  /** What a node has just told of who is there, besides a look. */
  hear(node: Node, work: NodeWork): void;
  /** The last row of a node, whatever its age, without asking it. */
  known(node: Node): ProbeRow | undefined;
  /** One row per node, in the same order. */
  check(nodes: readonly Node[], options: CheckOptions): Promise<readonly NodeHealth[]>;
  /** What the last look at each saw, whoever looked and when; none of those nobody looked at. */
  seen(nodes: readonly Node[]): readonly NodeHealth[];
}

/** A node that is down may be up again soon; its row is trusted for a part of the interval only. */
const DOWN_SHARE = 0.25;
/** What people mend is asked again as soon as they can have mended it; not for each of many steps. */
const MENDABLE_MS = 2000;
/** A node that has not answered after so long lets the next be asked; how many log in the pool decides. */
const TURN_MS = 25;
/** Whoever takes so many times as long as the first to answer is late, but nobody before this. */
const LATE_FACTOR = 3;
const LATE_MS = 500;
/** In this time all of a few have answered, and chance has as many as possible to choose from. */
const HEAD_START_MS = 300;
/** Looks that follow each other, as while waiting or watching, ask only for what moves quickly. */
const STANDING_MS = 60_000;

/** For so long an answer holds as to who else is there. */
const HEARD_MS = 10_000;

const log = getLogger("cluster");

interface Answers {
  readonly fresh: ReadonlyMap<Node, ProbeRow>;
  readonly probed: ReadonlyMap<Node, ProbeRow>;
}

interface Look {
  readonly row: ProbeRow;
  /** On the monotonic clock. */
  readonly since: number;
}

export function createHealthCheck(deps: HealthDeps): HealthCheck {
  const { config, pool, cache, clock, placements } = deps;
  const kept = new KeptRows(cache, clock);
  const described = new HealthRows(config);
  const looks = new Map<Node, Look>();
  /** When this process asked each node last. */
  const asked = new Map<Node, Look>();

  /** By the time that passed, where we know it: only others' answers have nothing but a date. */
  function ageOf(node: Node, row: ProbeRow): number {
    const own = asked.get(node);
    return own?.row.at === row.at ? clock.monotonic() - own.since : clock.now() - row.at;
  }
  let isClosed = false;

  /** Cores, memory and disk of a look that was not brief, while they may be taken as they were. */
  function standingFacts(node: Node): NodeFacts | undefined {
    const look = looks.get(node);
    return look && clock.monotonic() - look.since < STANDING_MS ? look.row.facts : undefined;
  }

  /** Who is there, as each node told last; since when on the monotonic clock. */
  const heard = new Map<Node, { readonly work: NodeWork; readonly since: number }>();

  /** Of the latest look at each node. */
  const patience = new Map<Node, number>();

  /** Steps that start together ask each node once. */
  const probes = new SharedWork<Node, ProbeRow>(async (node, signal) => {
    const standing = standingFacts(node);
    const row = await probeNode(node, {
      transport: pool.transport(node.endpoint),
      timeoutMs: patience.get(node) ?? config.timeoutMs,
      now: () => clock.now(),
      signal,
      known: standing,
    });
    const look = { row, since: clock.monotonic() };
    asked.set(node, look);
    if (row.status !== "ok") looks.delete(node);
    else if (standing === undefined) looks.set(node, look);
    // What the end of this process cut off says nothing about the node.
    if (row.facts?.work !== undefined) hear(node, row.facts.work);
    return isClosed ? row : keep(node, withoutOwn(row));
  });

  function keep(node: Node, row: ProbeRow): ProbeRow {
    return kept.keep(node, { row, score: rememberedScore(node, { row, config }) });
  }

  /** For others: what is this process's own they ask the node for. */
  function withoutOwn(row: ProbeRow): ProbeRow {
    const { facts } = row;
    const work = facts?.work;
    if (facts === undefined || work === undefined) return row;
    const isOthers = ({ owner }: { readonly owner: string }) => owner !== placements.owner;
    const given = work.given.filter(isOthers);
    return { ...row, facts: { ...facts, work: { ...work, given } } };
  }

  async function check(nodes: readonly Node[], options: CheckOptions) {
    const now = clock.now();
    const cached = kept.load(nodes, now);
    const isFresh = ([node, row]: readonly [Node, ProbeRow]) =>
      ageOf(node, row) < trustMs(row, options.maxAgeMs);
    const fresh = new Map([...cached].filter(isFresh));
    const wasDown = (node: Node) => cached.get(node)?.status === "unreachable" ? 1 : 0;
    const stale = nodes.filter((node) => !fresh.has(node))
      .toSorted((one, other) => wasDown(one) - wasDown(other));
    const probed = new Map<Node, ProbeRow>();
    const { isEnough, isBest, isLast, onRows, signal, timeoutMs } = options;
    // Who shares a home is found out once, in the end: it is a product.
    const soFar = () => rowsOf(nodes, { fresh, probed });
    for (const node of stale) patience.set(node, timeoutMs ?? config.timeoutMs);
    using teller = onRows && new Teller(clock, () => onRows(soFar()));
    using _together = kept.together();
    await eachOf(stale, {
      atOnce: config.maxWorkers,
      turnMs: TURN_MS,
      lateFactor: LATE_FACTOR,
      lateMs: LATE_MS,
      queuedMs: (node) => pool.transport(node.endpoint).stats.queuedMs ?? 0,
      isSilent: (node) => pool.transport(node.endpoint).stats.isSilent ?? false,
      now: () => clock.monotonic(),
      work: async (node) => {
        probed.set(node, await probes.get(node, signal));
        teller?.tell();
        if (isLast) leave(node);
      },
      isEnough: isEnough && (() => isEnough(soFar())),
      headStartMs: HEAD_START_MS,
      isBest: isBest && (() => isBest(soFar())),
    });
    for (const node of stale) if (!probed.has(node)) fresh.set(node, late(clock.now()));
    return describe(nodes, { fresh, probed });
  }

  /** A thousand connections that nobody uses any more are much memory, here and there. */
  function leave(node: Node): void {
    pool.transport(node.endpoint).rest?.()
      .catch((error) =>
        log.debug("{node}: {problem}", { node: node.name, problem: String(error) })
      );
  }

  function seen(nodes: readonly Node[]) {
    const fresh = kept.load(nodes, clock.now());
    return describe(nodes, { fresh, probed: new Map() });
  }

  function describe(nodes: readonly Node[], rows: Answers): NodeHealth[] {
    return withSharers(rowsOf(nodes, rows));
  }

  /** A choice looks often, and does not ask who shares a home. */
  function rowsOf(nodes: readonly Node[], rows: Answers): NodeHealth[] {
    const points = placements.points(nodes);
    return nodes.flatMap((node) => {
      const row = rows.probed.get(node) ?? rows.fresh.get(node);
      if (row === undefined) return [];
      const fromCache = !rows.probed.has(node);
      const placed = (points.get(node) ?? 0) + others(node);
      return [described.of(node, { row, fromCache, placed })];
    });
  }

  /** What an older answer says of others may long be over. */
  function others(node: Node): number {
    const known = heard.get(node);
    const ageMs = known === undefined ? 0 : clock.monotonic() - known.since;
    if (known === undefined || ageMs > HEARD_MS) return 0;
    const place = wordOf(placeOf(node));
    return othersPoints(known.work, { owner: placements.owner, place, weights: config, ageMs });
  }

  function learn(node: Node, failure?: GridError): void {
    if (failure !== undefined) {
      looks.delete(node);
      keep(node, failedRow(failure, clock.now()));
      return;
    }
    const row = kept.load([node], clock.now()).get(node);
    if (row !== undefined && row.status !== "ok") kept.forget(node);
  }

  function hear(node: Node, work: NodeWork): void {
    if (work.isWhole) heard.set(node, { work, since: clock.monotonic() });
  }

  return {
    check,
    seen,
    learn,
    hear,
    others,
    known: (node) => asked.get(node)?.row ?? kept.load([node], clock.now()).get(node),
    [Symbol.dispose]() {
      isClosed = true;
      kept[Symbol.dispose]();
    },
  };
}

/** How old a row may be and still be taken for the truth. */
function trustMs({ status, isMendable, facts }: ProbeRow, maxAgeMs: number): number {
  if (status === "ok") return maxAgeMs;
  // One that answers is asked cheaply, and is made usable by what people do there.
  const isSoon = isMendable || facts !== undefined;
  return Math.min(DOWN_SHARE * maxAgeMs, isSoon ? MENDABLE_MS : Number.POSITIVE_INFINITY);
}

/** The row of a node that was not waited for. */
function late(at: number): ProbeRow {
  const reason = "it has not answered yet, others have";
  return { at, status: "unreachable", reason, hint: undefined, facts: undefined };
}
