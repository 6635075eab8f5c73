/** What became of the times of schedules, decided by one process at a time. */
import { newRunId } from "../core/ids.ts";
import type { Decision, Known } from "../schedule/decide.ts";
import type { Connection } from "./connection.ts";
import { isRunning } from "./process_name.ts";
import type { Runners } from "./runners.ts";
import { ownWords, processIn, type Slot, Slots, type SlotState } from "./slots.ts";

export interface ScheduleRow {
  /** As the runs of it are given it. */
  readonly file: string;
  readonly name: string;
  readonly pipeline: string;
  readonly cron: string;
  readonly zone: string;
  readonly isEnabled: boolean;
  /** By whom it was paused. */
  readonly paused: string | undefined;
  /** The first time of which nothing is decided yet; past where nobody looks after it. */
  readonly nextAt: number | undefined;
  readonly started: number;
  readonly missed: number;
  readonly skipped: number;
  readonly failed: number;
  /** Whether somebody looks after it; undefined where that cannot be seen from here. */
  readonly isServed: boolean | undefined;
  readonly pid: number;
  /** Newest first. */
  readonly slots: readonly Slot[];
}

export interface ScheduleKey {
  readonly file: string;
  readonly name: string;
}

export interface ScheduleDetails extends ScheduleKey {
  readonly pipeline: string;
  readonly cron: string;
  readonly zone: string;
  readonly isEnabled: boolean;
}

/** What was decided, and when the next time is. */
export interface SlotDecision extends Decision {
  readonly nextAt: number | undefined;
}

export interface Start {
  readonly at: number;
  /** Id that its run has to get: whoever else starts it comes too late. */
  readonly run: string;
}

export interface Decided {
  readonly starts: readonly Start[];
  /** Runs that shall make room. */
  readonly cancel: readonly string[];
  readonly miss: readonly number[];
  readonly missed: number;
  readonly skip: readonly number[];
}

type Row = Record<string, unknown>;

export class Schedules {
  readonly #connection: Connection;
  readonly #slots: Slots;

  constructor(connection: Connection, runners: Pick<Runners, "isAlive">) {
    this.#connection = connection;
    this.#slots = new Slots(connection, runners);
  }

  /**
   * Reads, decides and keeps what was decided, with nobody in between: what it says to start nobody
   * else is told to start, as long as this process lives. A schedule that is new, or has other times
   * than before, begins now.
   */
  decide(
    details: ScheduleDetails,
    now: number,
    decide: (known: Known) => SlotDecision,
  ): Decided {
    return this.#connection.transaction(() => {
      const row = this.#enter(details, now);
      const id = Number(row["id"]);
      const open = this.#slots.open(id, now);
      const decision = decide({
        decidedTo: Number(row["decided_to"]),
        running: open.running.length,
        queued: open.queued,
        abandoned: open.abandoned.map(({ at }) => at),
        isPaused: row["paused"] !== null,
      });
      const runs = new Map(open.abandoned.map(({ at, run }) => [at, run]));
      const starts = decision.start.map((at) => ({ at, run: runs.get(at) ?? newRunId(now) }));
      for (const { at, run } of starts) this.#slots.put(id, { at, state: "starting", run, now });
      const waits = decision.queue.filter((at) => !open.queued.includes(at));
      for (const at of waits) this.#slots.put(id, { at, state: "queued", now });
      for (const at of decision.skip) this.#slots.put(id, { at, state: "skipped", now });
      for (const at of decision.miss) this.#slots.put(id, { at, state: "missed", now });
      const { missed, skip, miss, decidedTo, nextAt } = decision;
      const own = ownWords();
      const isNews = starts.length + waits.length + skip.length + missed > 0 ||
        Number(row["next_at"]) !== nextAt || row["pid"] !== own[1] || row["place"] !== own[0];
      // Pages look again at what was written.
      if (isNews) {
        this.#connection.prepare(
          `UPDATE schedules SET decided_to = ?, next_at = ?, missed = missed + ?,
             skipped = skipped + ?, place = ?, pid = ?, born = ? WHERE id = ?`,
        ).run(decidedTo, nextAt ?? null, missed, skip.length, ...own, id);
        this.#slots.prune(id);
      }
      return {
        starts,
        cancel: decision.cancel ? open.running.map(({ run }) => run) : [],
        miss,
        missed,
        skip,
      };
    });
  }

  /** Its run has begun, and is found under its id. */
  began(key: ScheduleKey, at: number): void {
    this.#end(key, at, { state: "running", counter: "started" });
  }

  /** Its run never began. */
  failed(key: ScheduleKey, at: number, said: string): void {
    this.#end(key, at, { state: "failed", counter: "failed", said });
  }

  /** @returns false where there is no such schedule */
  pause({ file, name }: ScheduleKey, by: string): boolean {
    return this.#connection.write(() =>
      Number(
        this.#connection.prepare("UPDATE schedules SET paused = ? WHERE file = ? AND name = ?")
          .run(by, file, name).changes,
      ) > 0
    );
  }

  /** Goes on from now: what it would have started meanwhile was not wanted. */
  unpause({ file, name }: ScheduleKey, now: number): boolean {
    return this.#connection.write(() =>
      Number(
        this.#connection.prepare(
          `UPDATE schedules SET paused = NULL, decided_to = CASE WHEN paused IS NULL
             THEN decided_to ELSE max(decided_to, ?) END WHERE file = ? AND name = ?`,
        ).run(now, file, name).changes,
      ) > 0
    );
  }

  /** Forgets the schedules of a file but for these: it has them no more. */
  keepOnly(file: string, names: readonly string[]): void {
    this.#connection.transaction(() => {
      for (
        const row of this.#connection.prepare("SELECT * FROM schedules WHERE file = ?").all(file)
      ) {
        if (names.includes(String(row["name"]))) continue;
        this.#connection.prepare("DELETE FROM schedules WHERE id = ?").run(Number(row["id"]));
      }
    });
  }

  all(): readonly ScheduleRow[] {
    return this.#connection.read(() =>
      this.#connection.prepare("SELECT * FROM schedules ORDER BY file, name").all().map((row) => {
        const process = processIn(row);
        return {
          file: String(row["file"]),
          name: String(row["name"]),
          pipeline: String(row["pipeline"]),
          cron: String(row["cron"]),
          zone: String(row["zone"]),
          isEnabled: Number(row["enabled"]) === 1,
          paused: textIn(row["paused"]),
          nextAt: row["next_at"] === null ? undefined : Number(row["next_at"]),
          started: Number(row["started"]),
          missed: Number(row["missed"]),
          skipped: Number(row["skipped"]),
          failed: Number(row["failed"]),
          isServed: isRunning(process),
          pid: process.pid,
          slots: this.#slots.list(Number(row["id"])),
        };
      })
    );
  }

  /** Whether a run of it goes on, begins or waits: what becomes of it is to be seen. */
  hasOpen({ file, name }: ScheduleKey): boolean {
    return this.#connection.read(() =>
      this.#connection.prepare(
        `SELECT 1 FROM slots WHERE state IN ('queued', 'starting', 'running') AND schedule_id =
           (SELECT id FROM schedules WHERE file = ? AND name = ?)`,
      ).get(file, name) !== undefined
    );
  }

  #enter(details: ScheduleDetails, now: number): Row {
    const { file, name, pipeline, cron, zone, isEnabled } = details;
    this.#connection.prepare(
      `INSERT INTO schedules (file, name, pipeline, cron, zone, enabled, decided_to, place, pid, born)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (file, name) DO UPDATE SET pipeline = excluded.pipeline,
         decided_to = CASE WHEN cron = excluded.cron AND zone = excluded.zone
           AND enabled = excluded.enabled THEN decided_to ELSE excluded.decided_to END,
         cron = excluded.cron, zone = excluded.zone, enabled = excluded.enabled
       WHERE (pipeline, cron, zone, enabled) IS NOT
         (excluded.pipeline, excluded.cron, excluded.zone, excluded.enabled)`,
    ).run(file, name, pipeline, cron, zone, isEnabled ? 1 : 0, now, ...ownWords());
    return this.#connection.prepare("SELECT * FROM schedules WHERE file = ? AND name = ?")
      .get(file, name) ?? {};
  }

  #end(
    { file, name }: ScheduleKey,
    at: number,
    { state, counter, said }: {
      readonly state: SlotState;
      readonly counter: "started" | "failed";
      readonly said?: string;
    },
  ): void {
    this.#connection.transaction(() => {
      const row = this.#connection.prepare(
        `SELECT schedule_id AS id FROM slots WHERE at = ? AND state = 'starting' AND schedule_id =
           (SELECT id FROM schedules WHERE file = ? AND name = ?)`,
      ).get(at, file, name);
      // Somebody else has seen it, or the schedule is gone.
      if (row === undefined) return;
      const id = Number(row["id"]);
      this.#slots.setState(id, at, state);
      this.#slots.count(id, counter);
      if (said === undefined) return;
      this.#connection.prepare("UPDATE slots SET said = ? WHERE schedule_id = ? AND at = ?")
        .run(said, id, at);
    });
  }
}

function textIn(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
