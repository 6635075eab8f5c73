import type { GridError } from "../core/errors.ts";
import type { Event } from "../engine/event.ts";
import type { Connection } from "./connection.ts";
import { readEvent, unreadable } from "./read_event.ts";

/** A run that is not part of the total, and how far it was counted. */
export interface OpenTally {
  readonly run: string;
  /** Last event that `json` has; 0 where there is none. */
  readonly seq: number;
  readonly json: string | undefined;
  /** What its runner last said of its connections. */
  readonly connections: string | undefined;
}

export interface CountedEvent {
  /** Counts the events of its run. */
  readonly seq: number;
  readonly event: Event;
}

export interface EventsAfter {
  readonly seq: number;
  readonly types: readonly Event["type"][];
  readonly onUnreadable: (error: GridError) => void;
}

/** Given the total so far and those of the runs that are not in it yet; gives the new total. */
export type Merge = (total: string | undefined, open: ReadonlySet<string>) => string;

/** The row of the total; runs have numbers from 1. */
const TOTAL = 0;

/**
 * Running totals over all journals, so that nobody reads those of runs that are over again. What
 * they hold is their reader's business; `form` names how that is written, and a total of another
 * form counts as none.
 */
export class Tallies {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  total(form: number): string | undefined {
    return this.#connection.read(() => this.#total(form));
  }

  /** Runs that are not in the total, oldest first. */
  open(form: number): readonly OpenTally[] {
    return this.#connection.read(() => {
      const all = this.#total(form) === undefined;
      const rows = this.#connection.prepare(
        `SELECT run, coalesce(tallies.seq, 0) AS seq, tallies.json AS json,
           connections.json AS connections
         FROM runs
         LEFT JOIN tallies ON tallies.run_id = runs.id AND tallies.form = ?
         LEFT JOIN connections ON connections.run_id = runs.id
         WHERE ${all ? "true" : "tallied IS NULL"} ORDER BY id`,
      ).all(form);
      return rows.map((row) => ({
        run: String(row["run"]),
        seq: Number(row["seq"]),
        json: textIn(row["json"]),
        connections: textIn(row["connections"]),
      }));
    });
  }

  *eventsAfter(run: string, { seq, types, onUnreadable }: EventsAfter): Iterable<CountedEvent> {
    const marks = types.map(() => "?").join(", ");
    const statement = this.#connection.prepareOnce(
      `SELECT seq, json FROM journal
       WHERE run_id = (SELECT id FROM runs WHERE run = ?) AND seq > ? AND type IN (${marks})
       ORDER BY seq`,
    );
    for (const row of statement.iterate(run, seq, ...types)) {
      const event = readEvent(String(row["json"]));
      if (typeof event !== "string") yield { seq: Number(row["seq"]), event };
      else onUnreadable(unreadable(run, `event ${row["seq"]} ${event}`));
    }
  }

  /** Keeps how far runs that go on were counted; what another process kept and is further stays. */
  keep(form: number, tallies: readonly Omit<OpenTally, "connections">[]): void {
    this.#connection.transaction(() => {
      const keep = this.#connection.prepare(
        `INSERT INTO tallies (run_id, form, seq, json)
         SELECT id, ?, ?, ? FROM runs WHERE run = ? AND tallied IS NULL
         ON CONFLICT (run_id) DO UPDATE SET form = excluded.form, seq = excluded.seq,
           json = excluded.json WHERE form <> excluded.form OR seq < excluded.seq`,
      );
      for (const { run, seq, json } of tallies) keep.run(form, seq, json ?? "", run);
    });
  }

  /** Adds runs to the total; none is added twice, whoever does it. */
  settle(form: number, runs: readonly string[], merge: Merge): void {
    this.#connection.transaction(() => {
      const total = this.#total(form);
      if (total === undefined) this.#forgetAll();
      const mark = this.#connection.prepare(
        "UPDATE runs SET tallied = 1 WHERE run = ? AND tallied IS NULL",
      );
      const open = new Set(runs.filter((run) => Number(mark.run(run).changes) > 0));
      this.#connection.prepare(
        "INSERT OR REPLACE INTO tallies (run_id, form, seq, json) VALUES (?, ?, 0, ?)",
      ).run(TOTAL, form, merge(total, open));
      const forget = this.#connection.prepare(
        "DELETE FROM tallies WHERE run_id = (SELECT id FROM runs WHERE run = ?)",
      );
      for (const run of open) forget.run(run);
    });
  }

  /** For what stands there and cannot be read: everything is counted anew. */
  forget(): void {
    this.#connection.transaction(() => this.#forgetAll());
  }

  keepConnections(run: string, json: string): void {
    this.#connection.write(() =>
      this.#connection.prepare(
        "INSERT OR REPLACE INTO connections (run_id, json) SELECT id, ? FROM runs WHERE run = ?",
      ).run(json, run)
    );
  }

  #total(form: number): string | undefined {
    const row = this.#connection.prepare("SELECT json FROM tallies WHERE run_id = ? AND form = ?")
      .get(TOTAL, form);
    return textIn(row?.["json"]);
  }

  /** A total of another form is of no use, and neither is what is known of its runs. */
  #forgetAll(): void {
    this.#connection.prepare("DELETE FROM tallies").run();
    this.#connection.prepare("UPDATE runs SET tallied = NULL WHERE tallied IS NOT NULL").run();
  }
}

function textIn(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
