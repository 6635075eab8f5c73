import type { Connection } from "./connection.ts";

export type KeptRows = ReadonlyMap<string, { readonly at: number; readonly json: string }>;

/** Rows by key in one table; the last writer wins. */
export class Keep {
  readonly #connection: Connection;
  readonly #select: string;
  readonly #upsert: string;
  readonly #delete: string;

  constructor(connection: Connection, table: "cache" | "results") {
    this.#connection = connection;
    this.#select =
      `SELECT key, at, json FROM ${table} WHERE key IN (SELECT value FROM json_each(?))`;
    this.#delete = `DELETE FROM ${table} WHERE at < ?`;
    this.#upsert = `INSERT INTO ${table} (key, at, json) VALUES (?, ?, ?)
      ON CONFLICT (key) DO UPDATE SET at = excluded.at, json = excluded.json`;
  }

  load(keys: readonly string[]): KeptRows {
    return this.#connection.read(() => {
      // All at once: a question for each of a thousand takes longer than all else of a table of nodes.
      const found = this.#connection.prepare(this.#select).all(JSON.stringify(keys));
      return new Map(
        found.map((row) =>
          [String(row["key"]), { at: Number(row["at"]), json: String(row["json"]) }] as const
        ),
      );
    });
  }

  save(rows: KeptRows): void {
    this.#connection.transaction(() => {
      const upsert = this.#connection.prepare(this.#upsert);
      for (const [key, { at, json }] of rows) upsert.run(key, Math.round(at), json);
    });
  }

  /** Removes rows that were last written before; says how many. */
  dropBefore(at: number): number {
    return this.#connection.write(() =>
      Number(this.#connection.prepare(this.#delete).run(Math.round(at)).changes)
    );
  }
}
