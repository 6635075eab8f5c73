import { systemClock } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";
import type { GroupPlace } from "../engine/ports.ts";
import type { Connection } from "./connection.ts";
import { isOfEarlierBoot, isRunning, ownProcess, type ProcessName } from "./process_name.ts";

/** A runner that says nothing for so long, on a machine we cannot look at, counts as gone. */
const SILENCE_MS = 60_000;
/** A sign of life is written no more often than this. */
const SIGN_MS = 5000;

interface RunnerRow extends ProcessName {
  readonly run: string;
  readonly seenAt: number;
  readonly holds: boolean;
}

export interface EnterOptions {
  /** The run that this one goes on from. */
  readonly resumes?: string | undefined;
}

/** The runs that are under way, each with its process; whose process is gone is forgotten. */
export class Runners {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @throws {GridError} `conflict` where another process runs it, or has gone on from the same run */
  enter(run: string, { resumes }: EnterOptions = {}): void {
    const { place, pid, born } = ownProcess();
    this.#connection.transaction(() => {
      this.#forgetDead();
      if (this.#select("run = ?", run).length > 0) throw alreadyRuns(run);
      const other = resumes === undefined ? undefined : this.#resumptionOf(resumes);
      if (other !== undefined) throw alreadyResumed(resumes ?? "", other);
      this.#connection.prepare(
        "INSERT INTO runners (run, place, pid, born, seen_at, resumes) VALUES (?, ?, ?, ?, ?, ?)",
      ).run(run, place, pid, born, systemClock.now(), resumes ?? null);
    });
  }

  /** One that begins now, or that has journaled its beginning. */
  #resumptionOf(run: string): string | undefined {
    const row = this.#connection.prepare(
      "SELECT run FROM runners WHERE resumes = ? UNION SELECT run FROM runs WHERE resumes = ?",
    ).get(run, run);
    return row && String(row["run"]);
  }

  leave(run: string): void {
    this.#connection.write(() =>
      this.#connection.prepare("DELETE FROM runners WHERE run = ?").run(run)
    );
  }

  /** Forgets a runner that ended with its machine; one that may live elsewhere stays. */
  forgetEarlierBoot(run: string): void {
    this.#connection.transaction(() => {
      const [row] = this.#select("run = ?", run);
      if (row === undefined || !isOfEarlierBoot(row)) return;
      this.#connection.prepare("DELETE FROM runners WHERE run = ?").run(run);
    });
  }

  isAlive(run: string): boolean {
    const [row] = this.#connection.read(() => this.#select("run = ?", run));
    return row !== undefined && isAlive(row);
  }

  /** The run must have entered. Those that asked first come first. */
  join(run: string, { group, max }: { readonly group: string; readonly max: number }): GroupPlace {
    return this.#connection.transaction(() => {
      this.#forgetDead();
      this.#connection.prepare(
        "UPDATE runners SET concurrency_group = ? WHERE run = ? AND concurrency_group IS NULL",
      ).run(group, run);
      const members = this.#select("concurrency_group = ?", group);
      const own = members.findIndex((row) => row.run === run);
      const ahead = members.filter((row, index) => index !== own && (row.holds || index < own));
      if (ahead.length >= max) return { joined: false, ahead: ahead.map((row) => row.run) };
      this.#connection.prepare("UPDATE runners SET holds = 1 WHERE run = ?").run(run);
      return { joined: true };
    });
  }

  requestCancel(run: string, reason: string): boolean {
    return this.#connection.transaction(() => {
      this.#forgetDead();
      const { changes } = this.#connection.prepare("UPDATE runners SET cancel = ? WHERE run = ?")
        .run(reason, run);
      return Number(changes) > 0;
    });
  }

  cancelRequest(run: string): string | undefined {
    return this.#connection.write(() => {
      const row = this.#connection.prepare("SELECT cancel, seen_at FROM runners WHERE run = ?")
        .get(run);
      const now = systemClock.now();
      // Also where the clock was set back.
      if (row && Math.abs(now - Number(row["seen_at"])) > SIGN_MS) {
        this.#connection.prepare("UPDATE runners SET seen_at = ? WHERE run = ?").run(now, run);
      }
      const cancel = row?.["cancel"];
      return typeof cancel === "string" ? cancel : undefined;
    });
  }

  #forgetDead(): void {
    const remove = this.#connection.prepare("DELETE FROM runners WHERE run = ?");
    for (const row of this.#select("true")) {
      if (!isAlive(row)) remove.run(row.run);
    }
  }

  /** In the order they came. */
  #select(where: string, ...values: string[]): RunnerRow[] {
    return this.#connection.prepare(`SELECT * FROM runners WHERE ${where} ORDER BY seq`)
      .all(...values).map((row) => ({
        run: String(row["run"]),
        place: String(row["place"]),
        pid: Number(row["pid"]),
        born: String(row["born"]),
        seenAt: Number(row["seen_at"]),
        holds: Number(row["holds"]) === 1,
      }));
  }
}

function isAlive(row: RunnerRow): boolean {
  return isRunning(row) ?? systemClock.now() - row.seenAt < SILENCE_MS;
}

function alreadyRuns(run: string): GridError {
  return new GridError({
    code: "conflict",
    message: `Cannot start run ${run}: another process runs it already`,
    hint: `follow it: grid logs ${run} -f`,
  });
}

function alreadyResumed(run: string, other: string): GridError {
  return new GridError({
    code: "conflict",
    message: `Cannot resume run ${run}: run ${other} went on from it already`,
    hint: `follow that one: grid logs ${other} -f; or go on from it: grid resume ${other}`,
  });
}
