/** Totals over all runs: what is kept of those that are over, and what the others have done since. */
import type { GridError } from "../core/errors.ts";
import type { Event } from "../engine/event.ts";
import type { Work } from "./reading.ts";
import { COUNTED_EVENTS, RunCounter } from "./run_counter.ts";
import {
  addConnections,
  addTally,
  emptyTally,
  readTally,
  type Tally,
  TALLY_FORM,
  tallyJson,
  type TransportCounts,
} from "./tally.ts";

/** Where totals are kept; the store's `Tallies`. */
export interface TallyLedger {
  total(form: number): string | undefined;
  open(form: number): readonly OpenRun[];
  eventsAfter(
    run: string,
    options: {
      readonly seq: number;
      readonly types: readonly Event["type"][];
      readonly onUnreadable: (error: GridError) => void;
    },
  ): Iterable<{ readonly seq: number; readonly event: Event }>;
  keep(form: number, tallies: readonly Omit<OpenRun, "connections">[]): void;
  settle(
    form: number,
    runs: readonly string[],
    merge: (total: string | undefined, open: ReadonlySet<string>) => string,
  ): void;
  forget(): void;
  keepConnections(run: string, json: string): void;
}

interface OpenRun {
  readonly run: string;
  readonly seq: number;
  readonly json: string | undefined;
  readonly connections: string | undefined;
}

export interface TotalsOptions {
  /** Whether a process is at a run that has no end. */
  readonly isAlive: (run: string) => boolean;
  /** Told of events that cannot be read; they are left out. */
  readonly onUnreadable: (error: GridError, run: string) => void;
  /** Told where what was counted could not be kept: the next to ask counts it again. */
  readonly onNotKept: (error: unknown) => void;
}

type ActiveRuns = NonNullable<Work["activeRuns"]>;

interface Counted {
  readonly run: string;
  readonly counter: RunCounter;
  readonly seq: number;
  /** Whether there was anything new. */
  readonly grew: boolean;
  readonly connections: Connections;
}

type Connections = ReadonlyMap<string, TransportCounts>;

/** Counts what is new, keeps it, and says how everything stands. */
export function collectTotals(ledger: TallyLedger, options: TotalsOptions): Work {
  if (!isReadable(ledger.total(TALLY_FORM))) ledger.forget();
  const open = ledger.open(TALLY_FORM).map((run) => countRun(ledger, { run, options }));
  const tally = readTotal(ledger.total(TALLY_FORM));
  const over = open.filter(({ counter }) => counter.isOver);
  try {
    keepAll(ledger, { open, over });
  } catch (error) {
    options.onNotKept(error);
  }
  const alive = open.filter(({ run, counter }) => !counter.isOver && options.isAlive(run));
  for (const { run, counter, connections } of open) {
    addRun(tally, { tally: counter.tally, connections });
    if (!counter.isOver && !options.isAlive(run)) addTally(tally, counter.stopped());
  }
  return {
    tally,
    activeTasks: alive.reduce((sum, { counter }) => sum + counter.active, 0),
    activeRuns: activeRuns(alive.map(({ counter }) => counter)),
  };
}

function activeRuns(counters: readonly RunCounter[]): ActiveRuns {
  const active = new Map<string, { runs: number; startedAt: number }>();
  for (const { pipeline, startedAt } of counters) {
    if (pipeline === undefined) continue;
    const known = active.get(pipeline);
    active.set(pipeline, {
      runs: (known?.runs ?? 0) + 1,
      startedAt: Math.min(known?.startedAt ?? startedAt, startedAt),
    });
  }
  return active;
}

function countRun(
  ledger: TallyLedger,
  { run, options }: { readonly run: OpenRun; readonly options: TotalsOptions },
): Counted {
  const kept = run.json === undefined ? undefined : readCounter(run.json);
  const counter = kept ?? new RunCounter();
  let seq = kept === undefined ? 0 : run.seq;
  const events = ledger.eventsAfter(run.run, {
    seq,
    types: COUNTED_EVENTS,
    onUnreadable: (error) => options.onUnreadable(error, run.run),
  });
  for (const each of events) {
    counter.count(each.event);
    seq = each.seq;
  }
  return {
    run: run.run,
    counter,
    seq,
    grew: seq > run.seq || kept === undefined,
    connections: readConnections(run.connections),
  };
}

function keepAll(
  ledger: TallyLedger,
  { open, over }: { readonly open: readonly Counted[]; readonly over: readonly Counted[] },
): void {
  const grown = open.filter(({ grew, counter }) => grew && !counter.isOver);
  if (grown.length > 0) {
    ledger.keep(
      TALLY_FORM,
      grown.map(({ run, seq, counter }) => ({ run, seq, json: counter.json() })),
    );
  }
  if (over.length === 0) return;
  ledger.settle(TALLY_FORM, over.map(({ run }) => run), (json, open) => {
    const total = readTotal(json);
    for (const { run, counter, connections } of over) {
      if (open.has(run)) addRun(total, { tally: counter.tally, connections });
    }
    return tallyJson(total);
  });
}

interface RunSum {
  readonly tally: Tally;
  readonly connections: Connections;
}

function addRun(total: Tally, { tally, connections }: RunSum): void {
  addTally(total, tally);
  for (const [node, counts] of connections) addConnections(total, { node, counts });
}

/** Keeps what a runner knows of its own run: of its connections as they come, of all at its end. */
export class RunTotals {
  readonly #ledger: TallyLedger;
  readonly #run: string;
  #kept = "[]";

  constructor(ledger: TallyLedger, run: string) {
    this.#ledger = ledger;
    this.#run = run;
  }

  keepConnections(connections: Connections): void {
    const json = connectionsJson(connections);
    if (json === this.#kept) return;
    this.#ledger.keepConnections(this.#run, json);
    this.#kept = json;
  }

  /** The run is over. Where somebody else found that out before, only what they could not know. */
  settle({ tally, connections }: RunSum): void {
    const kept = readConnections(this.#kept);
    this.#ledger.settle(TALLY_FORM, [this.#run], (json, open) => {
      const total = readTotal(json);
      const isOpen = open.has(this.#run);
      const rest = isOpen ? connections : differences(connections, kept);
      addRun(total, { tally: isOpen ? tally : emptyTally(), connections: rest });
      return tallyJson(total);
    });
  }
}

export function differences(now: Connections, before: Connections): Connections {
  return new Map([...now].map(([node, counts]) => {
    const known = before.get(node);
    return [node, {
      handshakes: counts.handshakes - (known?.handshakes ?? 0),
      reconnects: counts.reconnects - (known?.reconnects ?? 0),
      bytesSent: counts.bytesSent - (known?.bytesSent ?? 0),
      bytesReceived: counts.bytesReceived - (known?.bytesReceived ?? 0),
    }];
  }));
}

function isReadable(total: string | undefined): boolean {
  try {
    readTotal(total);
    return true;
  } catch {
    return false; // the file was damaged, or changed by hand
  }
}

function readCounter(json: string): RunCounter | undefined {
  try {
    return RunCounter.from(json);
  } catch {
    return undefined; // as above
  }
}

function readTotal(json: string | undefined): Tally {
  return json === undefined ? emptyTally() : readTally(json);
}

function connectionsJson(connections: Connections): string {
  return JSON.stringify([...connections].map(([node, counts]) => [node, {
    handshakes: counts.handshakes,
    reconnects: counts.reconnects,
    bytesSent: counts.bytesSent,
    bytesReceived: counts.bytesReceived,
  }]));
}

function readConnections(json: string | undefined): Connections {
  try {
    return new Map(JSON.parse(json ?? "[]") as [string, TransportCounts][]);
  } catch {
    return new Map(); // as above
  }
}
