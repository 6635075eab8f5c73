/** Runs whose runner lives on a node: where, and whether it still did when it was last asked. */
import type { Connection } from "./connection.ts";

export interface AwayRun {
  readonly run: string;
  /** As the cluster config calls it. */
  readonly node: string;
  /** Absolute, on the node: all that was brought for the run. */
  readonly folder: string;
  /** Absolute, on the node: the project, with its own `.grid`. */
  readonly project: string;
  /** When it was last asked; what nobody can ask is taken for what it was. */
  readonly isAlive: boolean;
  /** Milliseconds since the Unix epoch. */
  readonly seenAt: number;
}

export class AwayRuns {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  put({ run, node, folder, project, isAlive, seenAt }: AwayRun): void {
    this.#connection.write(() =>
      this.#connection.prepare(
        "INSERT OR REPLACE INTO away (run, node, folder, project, alive, seen_at)" +
          " VALUES (?, ?, ?, ?, ?, ?)",
      ).run(run, node, folder, project, isAlive ? 1 : 0, seenAt)
    );
  }

  /** Undefined for a run whose runner lives here. */
  find(run: string): AwayRun | undefined {
    return this.#connection.read(() => {
      const row = this.#connection.prepare("SELECT * FROM away WHERE run = ?").get(run);
      return row && awayRun(row);
    });
  }

  /** Those that may have news. */
  living(): readonly AwayRun[] {
    return this.all().filter(({ isAlive }) => isAlive);
  }

  all(): readonly AwayRun[] {
    return this.#connection.read(() =>
      this.#connection.prepare("SELECT * FROM away ORDER BY run").all().map(awayRun)
    );
  }

  forget(run: string): void {
    this.#connection.write(() =>
      this.#connection.prepare("DELETE FROM away WHERE run = ?").run(run)
    );
  }
}

function awayRun(row: Readonly<Record<string, unknown>>): AwayRun {
  return {
    run: String(row["run"]),
    node: String(row["node"]),
    folder: String(row["folder"]),
    project: String(row["project"]),
    isAlive: Number(row["alive"]) === 1,
    seenAt: Number(row["seen_at"]),
  };
}
