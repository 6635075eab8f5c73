import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openStore } from "../../../src/store/open.ts";
import { APPLICATION_ID, MIGRATIONS } from "../../../src/store/schema.ts";
import { runFinished, runStarted, START_MS, warned } from "../../support/events.ts";
import { tempDir } from "../../support/temp_dir.ts";

Deno.test("openStore() makes the folders and the file", () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "a", "b", "grid.db"));
  assert.deepEqual(store.runs(), []);
});

Deno.test("openStore() gives back events as they were, in order, after closing", () => {
  using dir = tempDir();
  const path = join(dir.path, "grid.db");
  const events = [runStarted("r1"), warned("first \u0000 ünï 🎉"), warned("second"), runFinished()];
  {
    using store = openStore(path);
    for (const event of events) store.append("r1", [event]);
  }
  using store = openStore(path);
  assert.deepEqual(store.events("r1"), events);
});

Deno.test("openStore() lists runs, newest first, with their results", () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  store.append("r1", [runStarted("r1", { at: START_MS })]);
  store.append("r2", [runStarted("r2", { at: START_MS + 5 })]);
  store.append("r1", [runFinished({ state: "failed", exitCode: 1, at: START_MS + 9 })]);
  assert.deepEqual(store.runs(), [
    {
      run: "r2",
      pipeline: "train",
      file: "pipelines/train.yaml",
      startedAt: START_MS + 5,
      finishedAt: undefined,
      result: "running",
      exitCode: undefined,
      lastEventAt: START_MS + 5,
    },
    {
      run: "r1",
      pipeline: "train",
      file: "pipelines/train.yaml",
      startedAt: START_MS,
      finishedAt: START_MS + 9,
      result: "failed",
      exitCode: 1,
    },
  ]);
  assert.deepEqual(store.runs({ limit: 1 }).map(({ run }) => run), ["r2"]);
});

Deno.test("openStore() lists what a run was resumed as", () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  store.append("r1", [runStarted("r1", { at: START_MS })]);
  store.append("r2", [runStarted("r2", { at: START_MS, resumes: "r1" })]);
  assert.deepEqual(store.runs().map(({ resumedAs }) => resumedAs), [undefined, "r2"]);
});

Deno.test("openStore() takes the run that was begun last for the last, whatever the clock says", () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  store.append("r1", [runStarted("r1", { at: START_MS })]);
  store.append("r2", [runStarted("r2", { at: START_MS - 3_600_000 })]);
  assert.equal(store.resolveRun("last"), "r2");
  assert.deepEqual(store.runs().map(({ run }) => run), ["r2", "r1"]);
});

Deno.test("openStore() keeps the events of two runs apart", () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  store.append("r1", [runStarted("r1")]);
  store.append("r2", [runStarted("r2")]);
  store.append("r1", [warned("one")]);
  store.append("r2", [warned("two")]);
  assert.deepEqual(store.events("r1").slice(1), [warned("one")]);
  assert.deepEqual(store.events("r2").slice(1), [warned("two")]);
});

Deno.test("openStore() refuses an event of a run that never started, and a second start", () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  assert.throws(() => store.append("ghost", [warned("x")]), { code: "bug" });
  store.append("r1", [runStarted("r1")]);
  assert.throws(() => store.append("r1", [runStarted("r1")]), /it has begun already/);
  assert.equal(store.events("r1").length, 1);
});

Deno.test("append() keeps all events of a call or none, and goes on after one that failed", () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  store.append("r1", [runStarted("r1")]);
  assert.throws(
    () => store.append("r1", [warned("a"), warned("b"), runStarted("r1")]),
    /it has begun already/,
  );
  assert.equal(store.events("r1").length, 1);
  store.append("r1", [warned("c"), warned("d")]);
  assert.deepEqual(store.events("r1").slice(1), [warned("c"), warned("d")]);
});

Deno.test("resolveRun() takes a full id, a unique prefix, or the word last", () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  assert.throws(() => store.resolveRun("last"), { code: "usage", message: /none yet/ });
  const ids = ["20260131-120000-abcd", "20260131-120000-abce", "20260201-000000-zzzz", "2026"];
  ids.forEach((id, index) => store.append(id, [runStarted(id, { at: START_MS + index })]));
  assert.equal(store.resolveRun("20260201"), "20260201-000000-zzzz");
  assert.equal(store.resolveRun("20260131-120000-abce"), "20260131-120000-abce");
  assert.equal(store.resolveRun("2026"), "2026", "a whole id wins over longer ones");
  assert.equal(store.resolveRun("last"), "2026");
  assert.throws(() => store.resolveRun("20260131"), {
    code: "usage",
    message: 'Cannot tell which run "20260131" is: 2 begin so',
  });
  assert.throws(() => store.resolveRun("%"), { code: "usage", message: /there is none/ });
  assert.throws(() => store.resolveRun("nope"), { code: "usage", hint: "see: grid runs" });
});

Deno.test("resolveRun() takes the name or the file of a pipeline, and counts back behind @", () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  const add = (run: string, pipeline: string) =>
    store.append(run, [{ ...runStarted(run), pipeline, file: `pipelines/${pipeline}.yaml` }]);
  add("r1", "train");
  add("r2", "night");
  add("r3", "train");
  assert.equal(store.resolveRun("train"), "r3");
  assert.equal(store.resolveRun("pipelines/night.yaml"), "r2");
  assert.equal(store.resolveRun("train@1"), "r3");
  assert.equal(store.resolveRun("train@2"), "r1");
  assert.equal(store.resolveRun("last@2"), "r2");
  assert.throws(() => store.resolveRun("train@3"), { message: /"train" has not run so often/ });
  assert.throws(() => store.resolveRun("tran"), {
    message: /no pipeline of that name has run/,
    hint: 'did you mean "train"? All are in: grid runs',
  });
  assert.throws(() => store.resolveRun("tran@2"), { hint: /did you mean "train"/ });
  assert.throws(() => store.resolveRun("train@3"), { hint: "see: grid runs" });
  assert.throws(() => store.resolveRun("20260131-120000-abcd"), {
    message: 'Cannot find run "20260131-120000-abcd": this project has none of that id',
    hint: /grid queue; the runs of this one: grid runs$/,
  });
  store.append("c1", [{ ...runStarted("c1"), pipeline: "command", file: "" }]);
  assert.throws(() => store.resolveRun("x"), { hint: "see: grid runs" });
  assert.throws(() => store.resolveRun("lats"), { hint: /did you mean "last"/ });
  assert.throws(() => store.resolveRun("evaluate"), { hint: "see: grid runs" });
});

Deno.test("events() accepts a prefix and last", () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  store.append("abc", [runStarted("abc")]);
  assert.equal(store.events("a").length, 1);
  assert.equal(store.events("last").length, 1);
});

Deno.test("save() and load() keep rows by key; the last writer wins", () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  store.save(new Map([["a", { at: 1, json: "{}" }], ["b", { at: 2, json: "[]" }]]));
  store.save(new Map([["a", { at: 3, json: '"x"' }]]));
  assert.deepEqual([...store.load(["a", "missing", "b"])], [
    ["a", { at: 3, json: '"x"' }],
    ["b", { at: 2, json: "[]" }],
  ]);
});

Deno.test("openStore() says what to do with a file that is no database", () => {
  using dir = tempDir();
  const path = join(dir.path, "grid.db");
  Deno.writeTextFileSync(path, "this is not a database ".repeat(100));
  assert.throws(() => openStore(path), {
    code: "usage",
    message: `Cannot open the run database ${path}: the file is damaged or is no Grid database`,
    hint: `move it away and Grid starts a new one: mv ${path} ${path}.broken`,
  });
  assert.match(Deno.readTextFileSync(path), /^this is not/, "the file was left as it is");
});

Deno.test("openStore() says that a file stands where its folder should be", () => {
  using dir = tempDir();
  const grid = join(dir.path, ".grid");
  Deno.writeTextFileSync(grid, "");
  for (const path of [join(grid, "grid.db"), join(grid, "deeper", "grid.db")]) {
    assert.throws(() => openStore(path), {
      code: "usage",
      message: /a file stands where its folder/,
    });
  }
});

Deno.test("openStore() notices a file whose pages are damaged", () => {
  using dir = tempDir();
  const path = join(dir.path, "grid.db");
  {
    using store = openStore(path);
    store.append("r1", [runStarted("r1")]);
    for (let i = 0; i < 500; i++) store.append("r1", [warned("x".repeat(200))]);
  }
  const bytes = Deno.readFileSync(path);
  bytes.fill(0x5a, 4096);
  Deno.writeFileSync(path, bytes);
  assert.throws(() => {
    using store = openStore(path);
    store.events("r1");
  }, { code: "usage", message: /the file is damaged/ });
});

Deno.test("openStore() refuses a file that a newer Grid wrote, and one of another program", () => {
  using dir = tempDir();
  const path = join(dir.path, "grid.db");
  openStore(path)[Symbol.dispose]();
  exec(path, "PRAGMA user_version = 99");
  assert.throws(() => openStore(path), { code: "usage", message: /a newer Grid wrote it/ });
  const other = join(dir.path, "other.db");
  exec(other, "CREATE TABLE bookmarks (url TEXT)");
  assert.throws(() => openStore(other), { code: "usage", message: /another program/ });
});

/** An event as a Grid with that version of the tables wrote it. */
function insertInto(version: number, n: number): string {
  const json = `{"type":"warned","at":1,"message":"n${n}"}`;
  return version < 3
    ? `INSERT INTO events (run_id, type, json) VALUES (7, 'warned', '${json}');`
    : `INSERT INTO journal (run_id, seq, type, json) VALUES (7, ${n}, 'warned', '${json}');`;
}

Deno.test("openStore() brings a file of every earlier version up to date, and keeps its events", () => {
  for (let version = 1; version < MIGRATIONS.length; version++) {
    using dir = tempDir();
    const path = join(dir.path, "grid.db");
    exec(
      path,
      MIGRATIONS.slice(0, version).join("\n") +
        `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version};
         INSERT INTO runs (id, run, pipeline, file, started_at, result)
         VALUES (7, 'old', 'p', 'p.yaml', 1, 'running');
         ${insertInto(version, 1)} ${insertInto(version, 2)}`,
    );
    using store = openStore(path);
    store.append("old", [warned("three")]);
    assert.deepEqual(store.events("old"), [
      { type: "warned", at: 1, message: "n1" },
      { type: "warned", at: 1, message: "n2" },
      warned("three"),
    ]);
    store.enter("old");
  }
});

Deno.test("openStore() says that the folder cannot be opened", () => {
  using dir = tempDir();
  assert.throws(() => openStore(dir.path), { code: "usage", message: /cannot be opened/ });
});

Deno.test("openStore() can be closed twice", () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  store[Symbol.dispose]();
});

function exec(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
}
