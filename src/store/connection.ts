import type { DatabaseSync, StatementSync } from "node:sqlite";
import { BUSY_TIMEOUT_MS, inTransaction, openDatabase } from "./database.ts";
import { explaining, movedError } from "./sqlite_problem.ts";

/** Bytes of the log beside the file. */
const MUCH_LOG = 128 * 1024;

/** The open file, its statements prepared once, its complaints in Grid's words. */
export class Connection implements Disposable {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #file: string;

  /** @throws {GridError} `usage` for a file that is damaged, foreign or newer; `conflict` if locked */
  constructor(path: string) {
    this.#path = path;
    this.#database = openDatabase(path);
    this.#file = fileAt(path);
  }

  /** @throws {GridError} `usage` where others find another file at the path, or none */
  checkPlace(): void {
    if (fileAt(this.#path) !== this.#file) throw movedError(this.#path);
  }

  read<T>(work: () => T): T {
    return explaining({ path: this.#path, action: "read" }, work);
  }

  write<T>(work: () => T): T {
    return explaining({ path: this.#path, action: "write to" }, work);
  }

  /** What `work` reads stays true until it has written. */
  transaction<T>(work: () => T): T {
    return this.write(() => inTransaction(this.#database, work));
  }

  prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Not shared: a reader may stop half-way while another begins. */
  prepareOnce(sql: string): StatementSync {
    return this.#database.prepare(sql);
  }

  /**
   * Gives the disk back what the file needs no more; says how many bytes it has then. Nobody may be
   * reading or writing: else it stays as it is, and another time will do.
   */
  compact(): number {
    try {
      this.#database.exec("VACUUM");
      this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (error) {
      if (!(error instanceof Error && /locked|busy/.test(error.message))) throw error;
    }
    return this.bytes();
  }

  /**
   * Moves what stands in the log beside the file into it, where that is much, and gives the log's room back:
   * both take long on some disks. Waits for nobody; what cannot be moved now stays where it is, whole.
   */
  settle(): void {
    const log = statsOf(`${this.#path}-wal`);
    if ((log?.size ?? 0) < MUCH_LOG) return;
    try {
      this.#database.exec("PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // A disk that is full or broken is told by what is written next.
    } finally {
      this.#database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    }
  }

  bytes(): number {
    return this.#pragma("page_count") * this.#pragma("page_size");
  }

  /** https://www.sqlite.org/pragma.html#pragma_data_version */
  dataVersion(): number {
    return this.#pragma("data_version");
  }

  #pragma(name: string): number {
    return Number(this.#database.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
  }

  [Symbol.dispose](): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }
}

/** The same text for the same file; empty where there is none. */
function fileAt(path: string): string {
  const stats = statsOf(path);
  return stats === undefined ? "" : `${stats.dev} ${stats.ino}`;
}

function statsOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
