/** What became of the times of schedules, one by one. */
import type { Connection } from "./connection.ts";
import { isRunning, ownProcess, type ProcessName } from "./process_name.ts";
import type { Runners } from "./runners.ts";

/** Of each schedule; older ones are forgotten, but for those that are not over. */
const SLOTS_KEPT = 100;
/** On a machine that we cannot look at, a runner has begun by then, or never will. */
const START_MS = 120_000;

export type SlotState =
  /** Its run waits until another has ended. */
  | "queued"
  /** Somebody is about to start its run, whose id is known. */
  | "starting"
  | "running"
  | "over"
  /** A run was in the way, or the schedule was switched off. */
  | "skipped"
  /** Nobody was there. */
  | "missed"
  /** Its run could not begin. */
  | "failed";

export interface Slot {
  /** Milliseconds since the Unix epoch, as all times here. */
  readonly at: number;
  readonly state: SlotState;
  readonly run: string | undefined;
  /** Why its run could not begin. */
  readonly said: string | undefined;
  readonly decidedAt: number;
}

/** Those that are not over. */
export interface OpenSlots {
  readonly running: readonly { readonly at: number; readonly run: string }[];
  /** Whoever was to start their runs is gone, and did not. */
  readonly abandoned: readonly { readonly at: number; readonly run: string }[];
  readonly queued: readonly number[];
}

type Row = Record<string, unknown>;

/** All within a transaction, or a read, of whoever asks; `id` is of the schedule. */
export class Slots {
  readonly #connection: Connection;
  readonly #runners: Pick<Runners, "isAlive">;

  constructor(connection: Connection, runners: Pick<Runners, "isAlive">) {
    this.#connection = connection;
    this.#runners = runners;
  }

  /** What is not over yet; a run that has ended meanwhile is marked so. */
  open(id: number, now: number): OpenSlots {
    const running: { at: number; run: string }[] = [];
    const abandoned: { at: number; run: string }[] = [];
    const queued: number[] = [];
    const rows = this.#connection.prepare(
      `SELECT slots.*, runs.run AS begun, runs.finished_at AS finished FROM slots
       LEFT JOIN runs ON runs.run = slots.run
       WHERE schedule_id = ? AND state IN ('queued', 'starting', 'running') ORDER BY at`,
    ).all(id);
    for (const row of rows) {
      const at = Number(row["at"]);
      const run = textIn(row["run"]);
      if (row["state"] === "queued" || run === undefined) queued.push(at);
      else if (row["begun"] !== null) {
        const isOver = row["finished"] !== null || !this.#runners.isAlive(run);
        if (isOver) this.setState(id, at, "over");
        else running.push({ at, run });
        if (row["state"] === "starting") this.count(id, "started");
        if (row["state"] === "starting" && !isOver) this.setState(id, at, "running");
      } else if (this.#runners.isAlive(run) || isStarting(row, now)) running.push({ at, run });
      else abandoned.push({ at, run });
    }
    return { running, abandoned, queued };
  }

  setState(id: number, at: number, state: SlotState): void {
    this.#connection.prepare("UPDATE slots SET state = ? WHERE schedule_id = ? AND at = ?")
      .run(state, id, at);
  }

  count(id: number, counter: "started" | "failed"): void {
    this.#connection.prepare(`UPDATE schedules SET ${counter} = ${counter} + 1 WHERE id = ?`).run(
      id,
    );
  }

  put(
    id: number,
    { at, state, run, now }: {
      readonly at: number;
      readonly state: SlotState;
      readonly run?: string;
      readonly now: number;
    },
  ): void {
    this.#connection.prepare(
      `INSERT INTO slots (schedule_id, at, state, run, decided_at, place, pid, born)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (schedule_id, at) DO UPDATE SET state = excluded.state,
         run = excluded.run, decided_at = excluded.decided_at, place = excluded.place,
         pid = excluded.pid, born = excluded.born
       WHERE state IN ('queued', 'starting')`,
    ).run(id, at, state, run ?? null, now, ...ownWords());
  }

  list(id: number): Slot[] {
    return this.#connection.prepare(
      "SELECT * FROM slots WHERE schedule_id = ? ORDER BY at DESC LIMIT ?",
    ).all(id, SLOTS_KEPT).map((row) => ({
      at: Number(row["at"]),
      state: String(row["state"]) as SlotState,
      run: textIn(row["run"]),
      said: textIn(row["said"]),
      decidedAt: Number(row["decided_at"]),
    }));
  }

  prune(id: number): void {
    this.#connection.prepare(
      `DELETE FROM slots WHERE schedule_id = ?1 AND state NOT IN ('queued', 'starting', 'running')
         AND at < (SELECT at FROM slots WHERE schedule_id = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2)`,
    ).run(id, SLOTS_KEPT - 1);
  }
}

/** Of this process, as both tables have it. */
export function ownWords(): [place: string, pid: number, born: string] {
  const { place, pid, born } = ownProcess();
  return [place, pid, born];
}

export function processIn(row: Row): ProcessName {
  return { place: String(row["place"]), pid: Number(row["pid"]), born: String(row["born"]) };
}

/** Whoever was to start its run still may. */
function isStarting(row: Row, now: number): boolean {
  return isRunning(processIn(row)) ?? Math.abs(now - Number(row["decided_at"])) < START_MS;
}

function textIn(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
