/** What the metrics are made of: plain numbers that add up over runs, and are kept as JSON. */
import {
  addHistogram,
  emptyHistogram,
  type Histogram,
  SYNC_BOUNDS,
  TASK_BOUNDS,
} from "./histogram.ts";
import { addRecent, emptyRecent, type Recent } from "./recent.ts";

/** Of the JSON; totals of another form are counted anew from the journal. */
export const TALLY_FORM = 1;

export type Counts = Map<string, number>;

export interface Tally {
  /** By pipeline and result. */
  readonly runs: Map<string, Counts>;
  /** Those that reports count: no matrix or template as such. */
  readonly steps: Counts;
  /** Hooks that were called for. */
  readonly hooks: Counts;
  /** By name of the pipeline; of those that ended. */
  readonly pipelines: Map<string, PipelineTally>;
  readonly tasks: Counts;
  readonly batchItems: Counts;
  /** Retries by code of the failure before. */
  readonly retries: Counts;
  /** The last score of each node that was chosen. */
  readonly nodeScores: Counts;
  readonly taskSeconds: Histogram;
  readonly syncSeconds: Histogram;
  /** `syncedFiles` and the like. */
  readonly transfers: Counts;
  readonly connections: Map<string, TransportCounts>;
  readonly recent: Recent;
}

/** As the transports count. */
export interface TransportCounts {
  readonly handshakes: number;
  readonly reconnects: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/** The last run of a pipeline; seconds since the Unix epoch. */
export interface PipelineTally {
  readonly endedAt: number;
  readonly status: string;
  readonly seconds: number;
  /** When one last succeeded. */
  readonly succeededAt?: number;
  /** How long the last ones that succeeded took, the newest last. */
  readonly usual?: readonly number[];
}

/** Runs that say what is usual. */
const MOST_USUAL = 10;

export function emptyTally(): Tally {
  return {
    runs: new Map(),
    steps: new Map(),
    hooks: new Map(),
    pipelines: new Map(),
    tasks: new Map(),
    batchItems: new Map(),
    retries: new Map(),
    nodeScores: new Map(),
    taskSeconds: emptyHistogram(TASK_BOUNDS),
    syncSeconds: emptyHistogram(SYNC_BOUNDS),
    transfers: new Map(),
    connections: new Map(),
    recent: emptyRecent(),
  };
}

export function increase(counts: Counts, name: string, by = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}

/** Adds what another tally counted. */
export function addTally(to: Tally, from: Tally): void {
  for (const [pipeline, counts] of from.runs) addCounts(countsOf(to.runs, pipeline), counts);
  for (const name of ["steps", "hooks", "tasks", "batchItems", "retries", "transfers"] as const) {
    addCounts(to[name], from[name]);
  }
  for (const [node, score] of from.nodeScores) to.nodeScores.set(node, score);
  for (const [name, last] of from.pipelines) to.pipelines.set(name, later(to, { name, last }));
  addHistogram(to.taskSeconds, from.taskSeconds);
  addHistogram(to.syncSeconds, from.syncSeconds);
  for (const [node, counts] of from.connections) addConnections(to, { node, counts });
  addRecent(to.recent, from.recent);
}

export function addConnections(
  { connections }: Tally,
  { node, counts }: { readonly node: string; readonly counts: TransportCounts },
): void {
  const before = connections.get(node);
  connections.set(node, {
    handshakes: counts.handshakes + (before?.handshakes ?? 0),
    reconnects: counts.reconnects + (before?.reconnects ?? 0),
    bytesSent: counts.bytesSent + (before?.bytesSent ?? 0),
    bytesReceived: counts.bytesReceived + (before?.bytesReceived ?? 0),
  });
}

export function countsOf(runs: Map<string, Counts>, name: string): Counts {
  const known = runs.get(name) ?? new Map();
  runs.set(name, known);
  return known;
}

function addCounts(to: Counts, from: Counts): void {
  for (const [name, count] of from) increase(to, name, count);
}

/** Runs are counted in the order in which they are found to be over, which may not be that of time. */
function later(
  { pipelines }: Tally,
  { name, last }: { readonly name: string; readonly last: PipelineTally },
): PipelineTally {
  const before = pipelines.get(name);
  if (!before) return last;
  const [older, newer] = last.endedAt >= before.endedAt ? [before, last] : [last, before];
  const succeededAt = Math.max(older.succeededAt ?? 0, newer.succeededAt ?? 0);
  const usual = [...older.usual ?? [], ...newer.usual ?? []].slice(-MOST_USUAL);
  return {
    endedAt: newer.endedAt,
    status: newer.status,
    seconds: newer.seconds,
    ...(succeededAt > 0 && { succeededAt }),
    ...(usual.length > 0 && { usual }),
  };
}

/** Every map as its entries: names of people may be `__proto__`. */
export function tallyJson(tally: Tally): string {
  return JSON.stringify(tally, asEntries);
}

export function asEntries(_key: string, value: unknown): unknown {
  return value instanceof Map ? [...value] : value;
}

/** @throws {SyntaxError} for text that is no JSON */
export function readTally(json: string): Tally {
  return tallyOf(JSON.parse(json) as PlainTally);
}

export function tallyOf(plain: PlainTally): Tally {
  return {
    runs: new Map(plain.runs.map(([name, counts]) => [name, new Map(counts)])),
    steps: new Map(plain.steps),
    hooks: new Map(plain.hooks),
    pipelines: new Map(plain.pipelines),
    tasks: new Map(plain.tasks),
    batchItems: new Map(plain.batchItems),
    retries: new Map(plain.retries),
    nodeScores: new Map(plain.nodeScores),
    taskSeconds: plain.taskSeconds,
    syncSeconds: plain.syncSeconds,
    transfers: new Map(plain.transfers),
    connections: new Map(plain.connections),
    recent: {
      steps: new Map(plain.recent.steps.map(([at, counts]) => [at, new Map(counts)])),
      syncs: new Map(plain.recent.syncs.map(([at, counts]) => [at, new Map(counts)])),
    },
  };
}

type Entries<M> = M extends Map<infer K, infer V> ? [K, Entries<V>][]
  : M extends Histogram | readonly unknown[] ? M
  : M extends object ? { [name in keyof M]: Entries<M[name]> }
  : M;
export type PlainTally = Entries<Tally>;
