import { parseJson, pythonJson } from "../core/exact_json.ts";
import type { Event } from "../engine/event.ts";
import type { CachedResult, GroupPlace } from "../engine/ports.ts";
import { NodeRunners } from "./node_runners.ts";
import { Connection } from "./connection.ts";
import { IN_MEMORY } from "./database.ts";
import { RunJournal } from "./journal.ts";
import { Keep, type KeptRows } from "./keep.ts";
import { type EnterOptions, Runners } from "./runners.ts";
import { Schedules } from "./schedules.ts";
import type { CopiedEvent, RunRow, Store, Tidied } from "./store.ts";
import { type CountedEvent, Tallies } from "./tallies.ts";

/**
 * Opens the store at `path`, making the file and its folders where they are missing.
 *
 * @throws {GridError} `usage` for a file that is damaged, foreign or newer; `conflict` if locked
 */
export function openStore(path: string): Store {
  return new SqliteStore(new Connection(path));
}

/** A store that knows of no run, without a file: for who only reads where no run has been yet. */
export function openNoStore(): Store {
  return openStore(IN_MEMORY);
}

/** One connection, handed to what keeps journals, cached rows and the list of runners. */
class SqliteStore implements Store {
  readonly #connection: Connection;
  readonly #journal: RunJournal;
  readonly #cache: Keep;
  readonly #results: Keep;
  readonly #runners: Runners;
  readonly tallies: Tallies;
  readonly schedules: Schedules;
  readonly nodeRunners: NodeRunners;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#journal = new RunJournal(connection);
    this.#cache = new Keep(connection, "cache");
    this.#results = new Keep(connection, "results");
    this.#runners = new Runners(connection);
    this.tallies = new Tallies(connection);
    this.schedules = new Schedules(connection, this.#runners);
    this.nodeRunners = new NodeRunners(connection);
  }

  append(run: string, events: readonly Event[]): void {
    this.#journal.append(run, events);
  }

  copy(run: string, events: readonly CopiedEvent[]): void {
    this.#journal.copy(run, events);
  }

  runs(options?: { readonly limit?: number }): readonly RunRow[] {
    return this.#journal.runs(options);
  }

  eachRun(): Iterable<RunRow> {
    return this.#journal.eachRun();
  }

  events(run: string): readonly Event[] {
    return this.#journal.events(run);
  }

  eventsSince(run: string, seq: number): readonly CountedEvent[] {
    return this.#journal.eventsSince(run, seq);
  }

  row(run: string): RunRow | undefined {
    return this.#journal.row(run);
  }

  checkPlace(): void {
    this.#connection.checkPlace();
  }

  dataVersion(): number {
    return this.#connection.read(() => this.#connection.dataVersion());
  }

  listVersion(): string {
    return this.#journal.listVersion();
  }

  resolveRun(name: string): string {
    return this.#journal.resolveRun(name);
  }

  latestOf(run: string): string {
    return this.#journal.latestOf(run);
  }

  setNote(run: string, note: string): void {
    this.#journal.setNote(run, note);
  }

  load(keys: readonly string[]): KeptRows {
    return this.#cache.load(keys);
  }

  save(rows: KeptRows): void {
    this.#cache.save(rows);
  }

  find(key: string): CachedResult | undefined {
    const row = this.#results.load([key]).get(key);
    return row && parseJson(row.json) as unknown as CachedResult;
  }

  keep(key: string, result: CachedResult): void {
    this.#results.save(new Map([[key, { at: result.at, json: pythonJson(result) }]]));
  }

  enter(run: string, options?: EnterOptions): void {
    this.#runners.enter(run, options);
  }

  leave(run: string): void {
    this.#runners.leave(run);
  }

  forgetEarlierBoot(run: string): void {
    this.#runners.forgetEarlierBoot(run);
  }

  isAlive(run: string): boolean {
    return this.nodeRunners.find(run)?.isAlive ?? this.#runners.isAlive(run);
  }

  join(run: string, options: { readonly group: string; readonly max: number }): GroupPlace {
    return this.#runners.join(run, options);
  }

  requestCancel(run: string, reason: string): boolean {
    return this.#runners.requestCancel(run, reason);
  }

  cancelRequest(run: string): string | undefined {
    return this.#runners.cancelRequest(run);
  }

  settle(): void {
    this.#connection.settle();
  }

  tidy(before: number): Tidied {
    const was = this.#connection.bytes();
    const rows = this.#cache.dropBefore(before) + this.#results.dropBefore(before);
    const bytes = this.#connection.write(() => this.#connection.compact());
    return { rows, bytes, freed: Math.max(0, was - bytes) };
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }
}
