import { DatabaseSync } from "node:sqlite";
import { makePrivateFile } from "./ground.ts";
import { explaining, foreignError, newerError } from "./sqlite_problem.ts";
import { APPLICATION_ID, MIGRATIONS } from "./schema.ts";

/** Instead of a path: a database that is gone when it is closed. */
export const IN_MEMORY = ":memory:";

/** How long to wait for another process to finish its write. */
export const BUSY_TIMEOUT_MS = 10_000;
/** Two processes that make the file at the same moment: SQLite refuses one without waiting. */
const WAL_TRIES = 100;
const WAL_PAUSE_MS = 20;

/**
 * Opens the file, making it and its folders where they are missing, and brings it to our version.
 *
 * @throws {GridError} `usage` for a file that is damaged, foreign or newer; `conflict` if locked
 */
export function openDatabase(path: string): DatabaseSync {
  return explaining({ path, action: "open" }, () => {
    if (path !== IN_MEMORY) makePrivateFile(path);
    const database = new DatabaseSync(path);
    try {
      database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
      if (path !== IN_MEMORY) useWriteAheadLog(database);
      // With a write-ahead log NORMAL loses nothing when a process dies, and never corrupts.
      database.exec("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON");
      migrate(database, path);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

function useWriteAheadLog(database: DatabaseSync): void {
  for (let attempt = 1;; attempt++) {
    try {
      database.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      const locked = error instanceof Error && /locked|busy/.test(error.message);
      if (!locked || attempt === WAL_TRIES) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAL_PAUSE_MS);
    }
  }
}

function migrate(database: DatabaseSync, path: string): void {
  if (versionOf(database, path) === MIGRATIONS.length) return;
  inTransaction(database, () => {
    // Another process may have done it while this one waited for the lock.
    for (const sql of MIGRATIONS.slice(versionOf(database, path))) database.exec(sql);
    database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  });
}

function versionOf(database: DatabaseSync, path: string): number {
  const version = pragma(database, "user_version");
  const application = pragma(database, "application_id");
  const tables = database.prepare("SELECT count(*) AS n FROM sqlite_schema").get();
  if (application !== APPLICATION_ID && Number(tables?.["n"]) > 0) throw foreignError(path);
  if (version > MIGRATIONS.length) throw newerError(path);
  return version;
}

function pragma(database: DatabaseSync, name: "user_version" | "application_id"): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

/** Takes the write lock at once, so that what `work` reads stays true until it has written. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}
