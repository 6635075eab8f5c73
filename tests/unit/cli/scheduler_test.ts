/** The scheduler over a real store, with a clock that is told: what begins, once, whoever dies meanwhile. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { runStarted } from "../../support/events.ts";
import { GridError } from "../../../src/core/errors.ts";
import type { Begun, NotBegun } from "../../../src/cli/runner_elsewhere.ts";
import { type RunOrder, Scheduler } from "../../../src/cli/scheduler.ts";
import type { Schedule } from "../../../src/schedule/schedule.ts";
import { openStore } from "../../../src/store/open.ts";
import type { Store } from "../../../src/store/store.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { tempDir } from "../../support/temp_dir.ts";

const HOUR = 3_600_000;
const HOURLY: Schedule = {
  name: "schedule",
  cron: "30 * * * *",
  zone: "UTC",
  overlap: "skip",
  catchUp: "last",
  startWithinMs: undefined,
  inputs: { lr: "1e-3" },
  isEnabled: true,
};

interface Rig extends Disposable {
  readonly path: string;
  readonly store: Store;
  readonly clock: FakeClock;
  readonly orders: RunOrder[];
  /** File → its schedules; a text is what is wrong with it. */
  readonly files: Map<string, readonly Schedule[] | string>;
  answer: (order: RunOrder) => Begun | NotBegun | Promise<never>;
  scheduler(): Scheduler;
  /** Asks once, and lets what begins begin. */
  look(scheduler: Scheduler): Promise<void>;
  finish(run: string): void;
  slots(): readonly string[];
  /** Ends a scheduler that runs. */
  stop(): void;
}

function rig(): Rig {
  const dir = tempDir();
  const path = join(dir.path, "grid.db");
  const store = openStore(path);
  const clock = new FakeClock(Date.UTC(2026, 0, 31, 12, 0, 0));
  const told: Pick<Rig, "orders" | "files"> = { orders: [], files: new Map() };
  const end = new AbortController();
  let writes = 0;
  const { orders, files } = told;
  files.set("p.yaml", [HOURLY]);
  const rig: Rig = {
    path,
    store,
    clock,
    ...told,
    answer: ({ run }) => {
      begin(store, { run, at: clock.now() });
      return { run, pid: 1 };
    },
    scheduler: () => {
      const made = new Scheduler({
        store,
        clock,
        files: () => new Map([...files].map(([file, what]) => [file, `${what}${writes}`])),
        load: (file) => {
          const found = files.get(file);
          if (typeof found !== "string") {
            return Promise.resolve({ pipeline: "p", schedules: found ?? [] });
          }
          return Promise.reject(new GridError({ code: "usage", message: found }));
        },
        start: async (order) => {
          orders.push(order);
          return await rig.answer(order);
        },
        signal: end.signal,
      });
      return made;
    },
    look: async (scheduler) => {
      writes++;
      // As long after the look before that files are looked at, too.
      await clock.advance(5000);
      await scheduler.look();
      await clock.advance(0);
    },
    finish: (run) =>
      store.append(run, [{
        type: "run.finished",
        at: clock.now(),
        state: "succeeded",
        exitCode: 0,
      }]),
    slots: () =>
      store.schedules.all().flatMap(({ slots }) =>
        slots.map(({ at, state }) => `${new Date(at).toISOString().slice(11, 16)} ${state}`)
      ),
    stop: () => end.abort(),
    [Symbol.dispose]: () => {
      store[Symbol.dispose]();
      dir[Symbol.dispose]();
    },
  };
  return rig;
}

function begin(store: Store, { run, at }: { readonly run: string; readonly at: number }): void {
  store.enter(run);
  store.append(run, [{ ...runStarted(run), at }]);
}

/** As if the process that last decided were gone. */
function kill(path: string): void {
  using database = new DatabaseSync(path);
  database.exec("UPDATE slots SET born = '1'; UPDATE schedules SET born = '1'");
}

Deno.test("a time that has come is started once, by one of two schedulers, with its inputs", async () => {
  using it = rig();
  const [first, second] = [it.scheduler(), it.scheduler()];
  await it.look(first);
  await it.look(second);
  assert.equal(it.orders.length, 0, "a schedule that is new makes up for nothing");
  await it.clock.advance(HOUR / 2);
  await it.look(second);
  await it.look(first);
  const [order] = it.orders;
  assert.equal(it.orders.length, 1);
  assert.deepEqual([order?.file, order?.inputs], ["p.yaml", { lr: "1e-3" }]);
  assert.deepEqual(it.slots(), ["12:30 running"]);
  it.finish(order?.run ?? "");
  await it.look(first);
  assert.deepEqual(it.slots(), ["12:30 over"]);
  const [row] = it.store.schedules.all();
  assert.deepEqual([row?.started, row?.isServed], [1, true]);
  assert.equal(row?.nextAt, Date.UTC(2026, 0, 31, 13, 30));
});

Deno.test("a scheduler that is killed before its runner begins is followed by one that starts the same run", async () => {
  using it = rig();
  const first = it.scheduler();
  await it.look(first);
  it.answer = () => new Promise<never>(() => {});
  await it.clock.advance(HOUR / 2);
  await it.look(first);
  await it.look(first);
  assert.deepEqual(it.slots(), ["12:30 starting"]);
  kill(it.path);
  const second = it.scheduler();
  it.answer = ({ run }) => {
    begin(it.store, { run, at: it.clock.now() });
    return { run, pid: 1 };
  };
  await it.look(second);
  assert.equal(it.orders.length, 2);
  assert.equal(new Set(it.orders.map(({ run }) => run)).size, 1, "one id, of which one runs");
  assert.deepEqual(it.slots(), ["12:30 running"]);
  // The runner that came too late is refused.
  assert.throws(() => it.store.enter(it.orders[0]?.run ?? ""), /another process runs it already/);
  it.finish(it.orders[0]?.run ?? "");
  it.store.leave(it.orders[0]?.run ?? "");
  assert.throws(
    () => begin(it.store, { run: it.orders[0]?.run ?? "", at: 0 }),
    /it has begun already/,
  );
});

Deno.test("a run that began, unseen by who was killed, is found and not started again", async () => {
  using it = rig();
  const first = it.scheduler();
  await it.look(first);
  it.answer = ({ run }) => {
    begin(it.store, { run, at: it.clock.now() });
    return new Promise<never>(() => {});
  };
  await it.clock.advance(HOUR / 2);
  await it.look(first);
  kill(it.path);
  await it.look(it.scheduler());
  assert.equal(it.orders.length, 1);
  assert.deepEqual(it.slots(), ["12:30 running"]);
  assert.equal(it.store.schedules.all()[0]?.started, 1);
});

Deno.test("a run that cannot begin is told of; one that goes on is skipped for, and a runner that died is not", async () => {
  using it = rig();
  const scheduler = it.scheduler();
  await it.look(scheduler);
  const { answer } = it;
  it.answer = () => ({
    run: undefined,
    problem: new GridError({ code: "no-node", message: "Cannot start: no node", hint: "wait" }),
  });
  await it.clock.advance(HOUR / 2);
  await it.look(scheduler);
  const [failed] = it.store.schedules.all()[0]?.slots ?? [];
  assert.deepEqual([failed?.state, failed?.said], ["failed", "Cannot start: no node; wait"]);
  it.answer = answer;
  await it.clock.advance(HOUR);
  await it.look(scheduler);
  await it.clock.advance(HOUR);
  await it.look(scheduler);
  assert.deepEqual(it.slots(), ["14:30 skipped", "13:30 running", "12:30 failed"]);
  it.store.leave(it.orders.at(-1)?.run ?? "");
  await it.clock.advance(HOUR);
  await it.look(scheduler);
  assert.deepEqual(it.slots().slice(0, 3), ["15:30 running", "14:30 skipped", "13:30 over"]);
  const [row] = it.store.schedules.all();
  assert.deepEqual([row?.started, row?.failed, row?.skipped, row?.missed], [2, 1, 1, 0]);
});

Deno.test("what waits begins when the run before has ended, also one that was asked to", async () => {
  for (const overlap of ["queue", "cancel-oldest"] as const) {
    using it = rig();
    it.files.set("p.yaml", [{ ...HOURLY, overlap }]);
    const scheduler = it.scheduler();
    await it.look(scheduler);
    for (const _ of [1, 2]) {
      await it.clock.advance(HOUR);
      await it.look(scheduler);
    }
    assert.deepEqual(it.slots(), ["13:30 queued", "12:30 running"]);
    const run = it.orders[0]?.run ?? "";
    assert.equal(it.store.cancelRequest(run) !== undefined, overlap === "cancel-oldest");
    it.finish(run);
    await it.look(scheduler);
    assert.deepEqual(it.slots(), ["13:30 running", "12:30 over"]);
  }
});

Deno.test("a machine that slept makes up for the last time; what nobody started is counted", async () => {
  using it = rig();
  await it.look(it.scheduler());
  kill(it.path);
  assert.equal(it.store.schedules.all()[0]?.isServed, false);
  it.clock.jump(10 * HOUR);
  await it.look(it.scheduler());
  const [row] = it.store.schedules.all();
  assert.deepEqual([row?.missed, row?.started, row?.slots.length], [9, 1, 10]);
  assert.deepEqual(it.slots().slice(0, 2), ["21:30 running", "20:30 missed"]);
});

Deno.test("a schedule that is paused, changed, broken or taken away", async () => {
  using it = rig();
  const scheduler = it.scheduler();
  await it.look(scheduler);
  const key = { file: "p.yaml", name: "schedule" };
  assert.ok(it.store.schedules.pause(key, "ada"));
  await it.clock.advance(3 * HOUR);
  await it.look(scheduler);
  assert.ok(it.store.schedules.unpause(key, it.clock.now()));
  await it.look(scheduler);
  assert.deepEqual([it.orders.length, it.slots()], [0, []]);
  // Other times begin now; times before are none of theirs.
  it.files.set("p.yaml", [{ ...HOURLY, cron: "*/5 * * * *" }]);
  await it.look(scheduler);
  assert.equal(it.orders.length, 0);
  // What cannot be read stays as it was.
  it.files.set("p.yaml", "Cannot read it");
  await it.look(scheduler);
  assert.deepEqual([...scheduler.problems], [["p.yaml", "p.yaml: Cannot read it"]]);
  await it.clock.advance(HOUR / 12);
  await it.look(scheduler);
  assert.equal(it.orders.length, 1);
  it.files.set("p.yaml", []);
  await it.look(scheduler);
  assert.deepEqual(it.store.schedules.all(), []);
  assert.equal(scheduler.problems.size, 0);
  assert.ok(!it.store.schedules.pause(key, "ada"));
});

Deno.test("a scheduler wakes for the next time, and looks often enough to notice a sleep", async () => {
  using it = rig();
  const lines: string[] = [];
  const running = it.scheduler().run((line) => lines.push(line));
  await it.clock.advance(HOUR / 2 + 2000);
  assert.ok(Math.max(...it.clock.sleeps) <= 1000);
  assert.deepEqual(it.slots(), ["12:30 running"]);
  assert.match(lines.join("\n"), /^p: run .* began$/);
  it.stop();
  await running;
});
