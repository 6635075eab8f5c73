/** Runs whose runner lives on a node: where, and whether it still did when it was last asked. */
import type { Connection } from "./connection.ts";

export interface NodeRunner {
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

export class NodeRunners {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  put({ run, node, folder, project, isAlive, seenAt }: NodeRunner): void {
    this.#connection.write(() =>
      this.#connection.prepare(
        "INSERT OR REPLACE INTO node_runners (run, node, folder, project, alive, seen_at)" +
          " VALUES (?, ?, ?, ?, ?, ?)",
      ).run(run, node, folder, project, isAlive ? 1 : 0, seenAt)
    );
  }

  /** Undefined for a run whose runner lives here. */
  find(run: string): NodeRunner | undefined {
    return this.#connection.read(() => {
      const row = this.#connection.prepare("SELECT * FROM node_runners WHERE run = ?").get(run);
      return row && nodeRunner(row);
    });
  }

  /** Those that may have news. */
  living(): readonly NodeRunner[] {
    return this.all().filter(({ isAlive }) => isAlive);
  }

  all(): readonly NodeRunner[] {
    return this.#connection.read(() =>
      this.#connection.prepare("SELECT * FROM node_runners ORDER BY run").all().map(nodeRunner)
    );
  }

  forget(run: string): void {
    this.#connection.write(() =>
      this.#connection.prepare("DELETE FROM node_runners WHERE run = ?").run(run)
    );
  }
}

function nodeRunner(row: Readonly<Record<string, unknown>>): NodeRunner {
  return {
    run: String(row["run"]),
    node: String(row["node"]),
    folder: String(row["folder"]),
    project: String(row["project"]),
    isAlive: Number(row["alive"]) === 1,
    seenAt: Number(row["seen_at"]),
  };
}
