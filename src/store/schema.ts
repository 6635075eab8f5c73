/** Tables of the store. A change adds a migration; one that is published never changes. */

/** Each takes the file from version `index` to `index + 1`. */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE runs (
     id INTEGER PRIMARY KEY,
     run TEXT NOT NULL UNIQUE,
     pipeline TEXT NOT NULL,
     file TEXT NOT NULL,
     started_at INTEGER NOT NULL,
     finished_at INTEGER,
     result TEXT NOT NULL,
     exit_code INTEGER
   ) STRICT;
   CREATE TABLE events (
     seq INTEGER PRIMARY KEY,
     run_id INTEGER NOT NULL REFERENCES runs (id),
     type TEXT NOT NULL,
     json TEXT NOT NULL
   ) STRICT;
   CREATE INDEX events_by_run ON events (run_id);
   CREATE INDEX events_by_type ON events (type);
   CREATE TABLE cache (
     key TEXT PRIMARY KEY,
     at INTEGER NOT NULL,
     json TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;`,
  `CREATE TABLE runners (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     run TEXT NOT NULL UNIQUE,
     place TEXT NOT NULL,
     pid INTEGER NOT NULL,
     born TEXT NOT NULL,
     seen_at INTEGER NOT NULL,
     concurrency_group TEXT,
     holds INTEGER NOT NULL DEFAULT 0,
     cancel TEXT
   ) STRICT;
   CREATE INDEX runners_by_group ON runners (concurrency_group);
   CREATE TABLE results (
     key TEXT PRIMARY KEY,
     at INTEGER NOT NULL,
     json TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;`,
  // Every index is one more page to write per event; one tree in run order halves the cost.
  `CREATE TABLE journal (
     run_id INTEGER NOT NULL REFERENCES runs (id),
     seq INTEGER NOT NULL,
     type TEXT NOT NULL,
     json TEXT NOT NULL,
     PRIMARY KEY (run_id, seq)
   ) STRICT, WITHOUT ROWID;
   INSERT INTO journal SELECT run_id, seq, type, json FROM events;
   DROP TABLE events;`,
  // Which run goes on from which: two must not go on from the same one.
  `ALTER TABLE runs ADD COLUMN resumes TEXT;
   UPDATE runs SET resumes =
     (SELECT json ->> '$.resumes' FROM journal WHERE run_id = runs.id AND type = 'run.started');
   CREATE INDEX runs_by_resumes ON runs (resumes);
   ALTER TABLE runners ADD COLUMN resumes TEXT;`,
  // Measured, where the difference of two dates is none.
  `ALTER TABLE runs ADD COLUMN duration_ms INTEGER;`,
  // Totals over runs that are over, and how far others were counted; `note` is a person's.
  `ALTER TABLE runs ADD COLUMN tallied INTEGER;
   CREATE INDEX runs_untallied ON runs (id) WHERE tallied IS NULL;
   CREATE TABLE tallies (
     run_id INTEGER PRIMARY KEY,
     form INTEGER NOT NULL,
     seq INTEGER NOT NULL,
     json TEXT NOT NULL
   ) STRICT;
   CREATE TABLE connections (
     run_id INTEGER PRIMARY KEY,
     json TEXT NOT NULL
   ) STRICT;
   ALTER TABLE runs ADD COLUMN note TEXT;`,
  // Times of schedules: each ends in one way, whoever looks after them, and whoever dies meanwhile.
  `CREATE TABLE schedules (
     id INTEGER PRIMARY KEY,
     file TEXT NOT NULL,
     name TEXT NOT NULL,
     pipeline TEXT NOT NULL,
     cron TEXT NOT NULL,
     zone TEXT NOT NULL,
     enabled INTEGER NOT NULL,
     paused TEXT,
     decided_to INTEGER NOT NULL,
     next_at INTEGER,
     started INTEGER NOT NULL DEFAULT 0,
     missed INTEGER NOT NULL DEFAULT 0,
     skipped INTEGER NOT NULL DEFAULT 0,
     failed INTEGER NOT NULL DEFAULT 0,
     place TEXT NOT NULL,
     pid INTEGER NOT NULL,
     born TEXT NOT NULL,
     UNIQUE (file, name)
   ) STRICT;
   CREATE TABLE slots (
     schedule_id INTEGER NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
     at INTEGER NOT NULL,
     state TEXT NOT NULL,
     run TEXT,
     said TEXT,
     decided_at INTEGER NOT NULL,
     place TEXT NOT NULL,
     pid INTEGER NOT NULL,
     born TEXT NOT NULL,
     PRIMARY KEY (schedule_id, at)
   ) STRICT, WITHOUT ROWID;`,
  // Runs whose runner lives on a node, and as much of their journals as has come home.
  `CREATE TABLE away (
     run TEXT PRIMARY KEY,
     node TEXT NOT NULL,
     folder TEXT NOT NULL,
     project TEXT NOT NULL,
     alive INTEGER NOT NULL,
     seen_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;`,
  `ALTER TABLE away RENAME TO node_runners;`,
];

/** Marks a file as Grid's: "Grid" in ASCII, kept in SQLite's application_id. */
export const APPLICATION_ID = 0x47726964;
