/**
 * Alerts against what `grid metrics` really says: each situation is lived through with real runs, in a
 * time of its own, and promtool evaluates the rules over the days that follow.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { CronTimes } from "../../../src/schedule/cron.ts";
import { decide } from "../../../src/schedule/decide.ts";
import { RunTotals } from "../../../src/metrics/totals.ts";
import { killIfThere, programArgs, REPOSITORY, until } from "../../support/cli.ts";
import { findProgram, testWith } from "../../support/requires.ts";
import { type Host, seriesOf, Situation } from "../../support/situations_rig.ts";
import { tempDir } from "../../support/temp_dir.ts";

const ALERTS = join(REPOSITORY, "config", "alerts.yaml");
const HOUR = 60;
const DAY = 24 * HOUR;

async function promtool(args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(
    findProgram("promtool") ?? "promtool",
    { args: [...args] },
  ).output();
  const decoder = new TextDecoder();
  const words = decoder.decode(stdout) + decoder.decode(stderr);
  assert.ok(success, words);
  return words;
}

testWith(["promtool"], "config/alerts.yaml passes promtool check rules", async () => {
  assert.match(await promtool(["check", "rules", ALERTS]), /SUCCESS: 15 rules found/);
});

/** Alerts that fire at each minute, as `GridNodeDown gone`: name, then node, pipeline or instance. */
type Expected = Readonly<Record<number, readonly string[]>>;

interface Lived {
  readonly hosts: readonly Host[];
  readonly fires: Expected;
}

/** The word of an alert's labels that says what it is about. */
const SUBJECTS = ["node", "pipeline"] as const;

/** JSON is YAML: the file that `promtool test rules` reads. */
function ruleTest({ hosts, fires }: Lived): string {
  const minutes = Object.keys(fires).map(Number);
  const last = Math.max(...minutes);
  // Days by the minute would take promtool as long as all other tests of this file together.
  const step = last > 2 * HOUR ? 5 : 1;
  return JSON.stringify({
    rule_files: [ALERTS],
    evaluation_interval: `${step}m`,
    tests: [{
      interval: `${step}m`,
      input_series: seriesOf(hosts, { minutes: last, step }),
      promql_expr_test: minutes.map((minute) => ({
        expr: 'count by (alertname, node, pipeline, instance) (ALERTS{alertstate="firing"})',
        eval_time: `${minute}m`,
        exp_samples: fires[minute]?.map((words) => {
          const [name = "", subject = "", instance = "host"] = words.split(" ");
          const label = SUBJECTS[/^GridNode|^GridConn|^GridSync/.test(name) ? 0 : 1];
          const own = subject === "-" || subject === "" ? "" : `,${label}="${subject}"`;
          const host = instance === "-" ? "" : `,instance="${instance}"`;
          return { labels: `{alertname="${name}"${host}${own}}`, value: 1 };
        }),
      })),
    }],
  });
}

function situation(name: string, live: () => Promise<Lived>): void {
  testWith(["promtool"], `alerts: ${name}`, async () => {
    const lived = await live();
    using folder = tempDir();
    const file = join(folder.path, "test.yaml");
    Deno.writeTextFileSync(file, ruleTest(lived));
    await promtool(["test", "rules", file]);
  });
}

function one({ snapshots }: Situation): Host[] {
  return [{ instance: "host", snapshots }];
}

const GOOD = "name: nightly\nsteps: [{ id: a, node: n1, run: 'true' }]\n";
const NIGHTLY = new Map([["nightly", 26 * 3600]]);

situation(
  "a fresh install raises nothing in its first night, what is expected and never comes does",
  async () => {
    await using here = await Situation.open({ expected: NIGHTLY });
    await here.tell();
    return {
      hosts: one(here),
      fires: { 20: [], [25 * HOUR]: [], [27 * HOUR]: ["GridRunNeverSucceeded nightly"] },
    };
  },
);

/** A thousand with `GRID_TEST_ROUNDS=20`. */
const MANY = Array.from(
  { length: Number(Deno.env.get("GRID_TEST_ROUNDS") ?? 1) >= 20 ? 1000 : 8 },
  (_, index) => index,
);

situation("idle nodes after many steps raise nothing", async () => {
  await using here = await Situation.open();
  await here.tell();
  await here.at(2).run(
    `name: m\nsteps: [{ id: c, matrix: { i: [${MANY}] }, node: n1, run: 'true' }]\n`,
  );
  await here.tell();
  await here.at(HOUR).tell();
  return { hosts: one(here), fires: { 5: [], 15: [], [12 * HOUR]: [] } };
});

situation("a node that others overload is told for as long as it lasts", async () => {
  await using here = await Situation.open();
  await here.tell();
  await here.at(5).tell({ load: 3 });
  await here.at(3 * HOUR).tell({ load: 0.5 });
  await here.at(4 * HOUR).tell({ load: 3 });
  await here.at(4 * HOUR + 5).tell();
  const busy = ["GridNodeOverloaded n1"];
  return {
    hosts: one(here),
    fires: { 10: [], 20: busy, 175: busy, 180: [], [4 * HOUR]: [], [5 * HOUR]: [] },
  };
});

situation("a node that nothing can run on is told, unless somebody has drained it", async () => {
  await using here = await Situation.open();
  await here.tell({ state: "unusable" });
  await here.at(HOUR).tell({ state: "drained" });
  await here.at(2 * HOUR).tell({ state: "unusable" });
  const told = ["GridNodeUnusable n1"];
  return { hosts: one(here), fires: { 10: [], 30: told, 80: [], 119: [], 140: told } };
});

situation("a node that is dead is told after an hour and after two days", async () => {
  await using here = await Situation.open({
    nodes: "{ name: n1, transport: local }, { name: gone, host: 127.0.0.1, port: 1, user: nobody }",
  });
  await here.tell();
  await here.at(DAY).tell();
  const dead = ["GridNodeDown gone"];
  return { hosts: one(here), fires: { 0: [], 10: dead, 60: dead, 240: dead, [2 * DAY]: dead } };
});

const EIGHT_OF_TEN =
  "name: sweep\nsteps: [{ id: c, matrix: { i: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] }, node: n1, run: '[ ${{ matrix.i }} -gt 8 ]' }]\n";

situation("the first run ever, with eight of ten steps failed, is told", async () => {
  await using here = await Situation.open();
  await here.tell();
  assert.equal(await here.at(5).run(EIGHT_OF_TEN), "failed");
  await here.tell();
  await here.at(36).tell();
  const failing = ["GridStepsFailing"];
  return { hosts: one(here), fires: { 4: [], 8: failing, 35: failing, 37: [] } };
});

situation("a first run that failed before anybody collected metrics is told, too", async () => {
  await using here = await Situation.open();
  await here.at(0).run(EIGHT_OF_TEN);
  await here.at(1).tell();
  return { hosts: one(here), fires: { 4: ["GridStepsFailing"] } };
});

situation("a retry that helped raises nothing", async () => {
  await using here = await Situation.open();
  await here.tell();
  const script = 'echo x >> tries; [ "$(grep -c x tries)" -gt 1 ]';
  const yaml =
    `name: again\nsteps: [{ id: a, node: n1, retry: { max: 2, on: [any], delay: 1ms }, run: '${script}' }]\n`;
  assert.equal(await here.at(5).run(yaml), "succeeded");
  await here.tell();
  return { hosts: one(here), fires: { 8: [], 20: [], 90: [] } };
});

situation(
  "a night that is missing is told until one succeeds, a failed one by itself",
  async () => {
    await using here = await Situation.open({ expected: NIGHTLY });
    await here.at(1).run(GOOD);
    await here.tell();
    await here.at(3 * DAY).run(GOOD.replace("'true'", "'exit 3'"));
    await here.tell();
    await here.at(3 * DAY + 60).run(GOOD);
    await here.tell();
    const missing = "GridRunMissing nightly";
    return {
      hosts: one(here),
      fires: {
        [25 * HOUR]: [],
        [27 * HOUR]: [missing],
        [2 * DAY]: [missing],
        [3 * DAY + 5]: ["GridRunFailed nightly", missing],
        [3 * DAY + 65]: [],
      },
    };
  },
);

situation("a runner that was killed is told until its pipeline runs again", async () => {
  await using here = await Situation.open({ expected: NIGHTLY });
  await here.at(1).run(GOOD);
  await here.tell();
  const { project, store } = here.grid;
  Deno.writeTextFileSync(join(project, "long.yaml"), GOOD.replace("'true'", "'sleep 20'"));
  const runner = new Deno.Command(Deno.execPath(), {
    args: programArgs(["run", "long.yaml", "--config", join(project, "cluster.yaml"), "--quiet"]),
    cwd: project,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await until(() => {
    const [run] = store.runs({ limit: 1 });
    return run?.result === "running" &&
      store.events(run.run).some(({ type }) => type === "job.started");
  });
  killIfThere(runner);
  await runner.status;
  await here.at(10).tell();
  await here.at(DAY).tell();
  const died = ["GridRunnerDied nightly"];
  return { hosts: one(here), fires: { 5: [], 15: died, [20 * HOUR]: died, [DAY]: died } };
});

situation(
  "one of two hosts that stops to report is told by its name, whatever the other does",
  async () => {
    await using here = await Situation.open();
    await here.tell();
    const { snapshots } = here;
    const hosts = [{ instance: "a", snapshots }, { instance: "b", snapshots, goneAt: 30 }];
    const missing = ["GridMetricsMissing - b"];
    return {
      hosts,
      fires: { 30: [], 40: [], 60: missing, [DAY]: missing, [3 * DAY]: missing },
    };
  },
);

situation("nothing that ever reported is told as nothing", async () => {
  await using here = await Situation.open();
  return { hosts: one(here), fires: { 10: [], [DAY]: ["GridMetricsAbsent - -"] } };
});

situation("connections that break again and again are told while the run goes on", async () => {
  await using here = await Situation.open();
  await here.tell();
  const over = new AbortController();
  const run = here.at(1).run(GOOD.replace("'true'", "'sleep 30'"), over.signal);
  await until(() => here.grid.store.runs().length > 0);
  const totals = new RunTotals(here.grid.store.tallies, here.grid.store.resolveRun("last"));
  for (let minute = 2; minute <= 12; minute++) {
    const counts = { handshakes: minute, reconnects: minute - 1, bytesSent: 0, bytesReceived: 0 };
    totals.keepConnections(new Map([["n1", counts]]));
    await here.at(minute).tell();
  }
  over.abort(new Error("enough"));
  await run.catch(() => {});
  return { hosts: one(here), fires: { 3: [], 12: ["GridConnectionsUnstable n1"], 40: [] } };
});

situation("syncs that take two minutes are told", async () => {
  await using here = await Situation.open();
  await here.tell();
  const { project, store } = here.grid;
  Deno.mkdirSync(join(project, "src"));
  Deno.writeTextFileSync(join(project, "src", "a.py"), "1\n");
  const sync = "name: code\nsteps: [{ id: s, sync: { from: src, to: [n1] } }]\n";
  assert.equal(await here.at(5).run(sync), "succeeded");
  {
    using database = new DatabaseSync(join(project, ".grid", "grid.db"));
    const slow = "UPDATE journal SET json = json_set(json, '$.durationMs', 120000)";
    const { changes } = database.prepare(`${slow} WHERE type = 'sync.finished'`).run();
    assert.equal(changes, 1);
  }
  store.tallies.forget();
  await here.tell();
  await here.at(36).tell();
  return { hosts: one(here), fires: { 6: [], 12: ["GridSyncSlow n1"], 37: [] } };
});

situation("a run far beyond what is usual is told, one that is late is not", async () => {
  await using here = await Situation.open();
  for (const minute of [1, 2, 3]) await here.at(minute).run(GOOD);
  await here.tell();
  const over = new AbortController();
  const run = here.at(10).run(GOOD.replace("'true'", "'sleep 60'"), over.signal);
  await until(() => here.grid.store.runs().length === 4);
  await here.tell();
  const stuck = ["GridRunStuck nightly"];
  over.abort(new Error("enough"));
  await run;
  return { hosts: one(here), fires: { 20: [], 40: [], 50: stuck, [DAY]: stuck } };
});

situation(
  "a schedule that nobody looks after is told, and so is a time that was missed",
  async () => {
    await using here = await Situation.open();
    const times = new CronTimes("0 * * * *", "UTC");
    const { store } = here.grid;
    const look = async (minute: number) => {
      const now = minute * 60_000;
      const key = { file: "n.yaml", name: "schedule", pipeline: "nightly" };
      const schedule = { ...key, cron: "0 * * * *", zone: "UTC", isEnabled: true };
      const rule = {
        ...schedule,
        overlap: "skip",
        catchUp: "none",
        startWithinMs: undefined,
      } as const;
      store.schedules.decide(schedule, now, (known) => ({
        ...decide({ ...rule, inputs: {} }, known, { times, now }),
        nextAt: times.next(now),
      }));
      await here.at(minute).tell();
    };
    await here.tell();
    await look(1);
    // It looks just as a run is due, and not for three hours.
    await look(HOUR);
    await look(4 * HOUR + 30);
    await look(5 * HOUR);
    const left = "GridScheduleLeft nightly";
    const missed = "GridScheduleMissed nightly";
    return {
      hosts: one(here),
      fires: {
        55: [],
        [2 * HOUR]: [],
        [2 * HOUR + 20]: [left],
        [4 * HOUR + 25]: [left],
        [4 * HOUR + 45]: [missed],
        [20 * HOUR]: [left, missed],
        [30 * HOUR]: [left],
      },
    };
  },
);

testWith(["promtool"], "alerts use only metrics that Grid exports", () => {
  const page = Deno.readTextFileSync(join(REPOSITORY, "docs", "metrics.md"));
  const documented = new Set([...page.matchAll(/^\| `(grid_\w+)`/gm)].map(([, name]) => name));
  for (const [word] of Deno.readTextFileSync(ALERTS).matchAll(/\bgrid_[a-z_]+/g)) {
    assert.ok(documented.has(word), `${word} is not exported`);
  }
});
