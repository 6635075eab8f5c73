/** Running totals against the real store. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Event } from "../../../src/engine/event.ts";
import { RunCounter } from "../../../src/metrics/run_counter.ts";
import { collectTotals, RunTotals } from "../../../src/metrics/totals.ts";
import type { Store } from "../../../src/store/store.ts";
import { openStore } from "../../../src/store/open.ts";
import { failedRun, succeededRun } from "../../support/sample_runs.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** Up to where its training runs. */
const BEGUN = 16;
const COUNTS = { handshakes: 1, reconnects: 2, bytesSent: 10, bytesReceived: 20 };

function named(run: string, events: readonly Event[]): Event[] {
  return events.map((event) => event.type === "run.started" ? { ...event, run } : event);
}

function collect(store: Store, alive: readonly string[] = []) {
  return collectTotals(store.tallies, {
    isAlive: (run) => alive.includes(run),
    onUnreadable: (error) => {
      throw error;
    },
    onNotKept: (error) => {
      throw error;
    },
  });
}

Deno.test("collectTotals() counts the same whenever it is asked meanwhile", () => {
  using dir = tempDir();
  using once = openStore(join(dir.path, "once.db"));
  using often = openStore(join(dir.path, "often.db"));
  for (const [run, events] of [["a", succeededRun()], ["b", failedRun()]] as const) {
    for (const event of named(run, events)) {
      for (const store of [once, often]) store.append(run, [event]);
      collect(often, [run]);
    }
  }
  assert.deepEqual(collect(often).tally, collect(once).tally);
  assert.deepEqual(collect(once).tally, collect(once).tally);
});

Deno.test("collectTotals() reads the journal of a run that is over once", () => {
  using dir = tempDir();
  const path = join(dir.path, "grid.db");
  using store = openStore(path);
  for (const run of ["a", "b"]) store.append(run, named(run, succeededRun()));
  const before = collect(store).tally;
  using database = new DatabaseSync(path);
  database.exec("DELETE FROM journal");
  assert.deepEqual(collect(store).tally, before);
});

Deno.test("collectTotals() counts what is under way in every run whose runner lives", () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  for (const run of ["long", "killed", "second"]) {
    store.append(run, named(run, succeededRun().slice(0, BEGUN)));
  }
  // A short one that began and ended meanwhile.
  store.append("short", named("short", failedRun()));
  const { activeTasks, activeRuns, tally } = collect(store, ["long", "second"]);
  assert.equal(activeTasks, 2);
  assert.equal(activeRuns?.get("train")?.runs, 2);
  assert.equal(tally.runs.get("train")?.get("failed"), 1);
  // It was taken for dead, and is not.
  store.append("killed", named("killed", succeededRun().slice(BEGUN)));
  assert.equal(collect(store, ["long", "second"]).tally.runs.get("train")?.get("succeeded"), 1);
});

Deno.test("RunTotals.settle() adds a run once, whoever was quicker", () => {
  for (const order of ["runner", "asker"]) {
    using dir = tempDir();
    using store = openStore(join(dir.path, "grid.db"));
    const events = named("a", succeededRun());
    const counter = new RunCounter();
    for (const event of events) counter.count(event);
    store.append("a", events);
    const totals = new RunTotals(store.tallies, "a");
    totals.keepConnections(new Map([["gpu1", COUNTS]]));
    if (order === "asker") collect(store);
    const connections = new Map([["gpu1", { ...COUNTS, reconnects: 5 }]]);
    totals.settle({ tally: counter.tally, connections });
    const { tally } = collect(store);
    assert.equal(tally.runs.get("train")?.get("succeeded"), 1, order);
    assert.deepEqual(tally.connections, connections, order);
  }
});

Deno.test("collectTotals() tells of connections while their run goes on, and after its runner died", () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  store.append("a", named("a", succeededRun().slice(0, BEGUN)));
  new RunTotals(store.tallies, "a").keepConnections(new Map([["gpu1", COUNTS]]));
  for (const alive of [["a"], []]) {
    assert.deepEqual(collect(store, alive).tally.connections.get("gpu1"), COUNTS);
  }
});

Deno.test("tallies of another form are counted anew", () => {
  using dir = tempDir();
  const path = join(dir.path, "grid.db");
  using store = openStore(path);
  store.append("a", named("a", succeededRun()));
  const before = collect(store).tally;
  {
    using database = new DatabaseSync(path);
    database.exec("UPDATE tallies SET form = form + 1, json = 'other'");
  }
  store.append("b", named("b", failedRun()));
  const counter = new RunCounter();
  for (const event of named("b", failedRun())) counter.count(event);
  new RunTotals(store.tallies, "b").settle({ tally: counter.tally, connections: new Map() });
  const { tally } = collect(store);
  assert.equal(tally.runs.get("train")?.get("succeeded"), 1);
  assert.equal(tally.runs.get("train")?.get("failed"), 1);
  assert.equal(before.runs.get("train")?.get("succeeded"), 1);
});

Deno.test("tallies that cannot be read are counted anew", () => {
  using dir = tempDir();
  const path = join(dir.path, "grid.db");
  using store = openStore(path);
  store.append("a", named("a", succeededRun()));
  store.append("b", named("b", succeededRun().slice(0, BEGUN)));
  const before = collect(store, ["b"]);
  for (const json of ["", "{", "[]", "null"]) {
    using database = new DatabaseSync(path);
    database.prepare("UPDATE tallies SET json = ?").run(json);
    assert.deepEqual(collect(store, ["b"]), before, json);
  }
});
