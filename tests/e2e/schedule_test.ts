/**
 * `grid serve --schedule` as processes: every time has one run, whoever is killed; and what systemd
 * makes of the same times. `GRID_TEST_MINUTE=1` waits for a real minute instead of seconds.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { CronTimes } from "../../src/schedule/cron.ts";
import { crontabOf, systemdUnits } from "../../src/cli/schedule_units.ts";
import { openStore } from "../../src/store/open.ts";
import { onCalendar } from "../../src/schedule/other_words.ts";
import { grid, project, startGrid, until } from "../support/cli.ts";
import { testWith } from "../support/requires.ts";
import { startServing } from "../support/serve.ts";

const isMinute = Deno.env.get("GRID_TEST_MINUTE") === "1";
const OFTEN = `name: often
inputs: { word: { required: true } }
schedule:
  cron: "${isMinute ? "* * * * *" : "*/2 * * * * *"}"
  time-zone: Europe/Berlin
  overlap: queue
  with: { word: it's 100 % }
steps:
  - { id: say, node: local1, run: "echo \${{ inputs.word }}; sleep 0.5" }
`;

interface Slot {
  readonly at: string;
  readonly state: string;
  readonly result: string;
  readonly run: string | null;
}

Deno.test("a time has one run, though two serve and one is killed; runs go on without them", async () => {
  using home = project({ "pipelines/often.yaml": OFTEN });
  const at = { cwd: home.path };
  const look = async () => {
    const { stdout, stderr, code } = await grid(["schedule", "--last", "100", "--json"], at);
    assert.equal(code, 0, stderr);
    const [found] = JSON.parse(stdout).schedules;
    return found as { last: Slot[]; servedBy: number | null; next: string[] };
  };
  const before = await look();
  assert.deepEqual([before.last, before.servedBy, before.next.length], [[], null, 1]);
  using store = openStore(join(home.path, ".grid", "grid.db"));
  const begun = () =>
    store.schedules.all().flatMap(({ slots }) =>
      slots.flatMap(({ run }) => run !== undefined && store.row(run) !== undefined ? run : [])
    );
  const seconds = isMinute ? 200 : 60;
  {
    await using first = await startServing(home.path, ["--schedule"]);
    await until(() => begun().length >= 1, { what: "a first run", seconds });
    assert.match(await first.text("/schedule"), /next <b>2\d{3}-/);
    first.process.signal("SIGKILL");
    await first.process.ended;
  }
  const killed = begun().length;
  await using second = startGrid(["serve", "--schedule", "--port", "0", "--no-open"], at);
  await using third = startGrid(
    ["serve", "--schedule", "pipelines", "--port", "0", "--no-open"],
    at,
  );
  await until(() => begun().length > killed + 1, { what: "runs of the next two", seconds });
  for (const one of [second, third]) one.signal("SIGINT");
  await Promise.all([second.ended, third.ended]);
  // A runner that was started at that moment may still be on its way.
  await until(
    () =>
      begun().every((run) => !store.isAlive(run)) &&
      store.schedules.all()[0]?.slots.every(({ state, run = "" }) =>
          state !== "starting" || store.row(run) !== undefined
        ) === true,
    { what: "the last run to end" },
  );
  const { last } = await look();
  const { stdout } = await grid(["runs", "--json", "-n", "1000"], at);
  const runs: { run: string; result: string; inputs: { word: string } }[] = JSON.parse(stdout).runs;
  const started = last.flatMap(({ run }) => run ?? []);
  assert.deepEqual(runs.map(({ run }) => run).toSorted(), started.toSorted(), "one run per time");
  assert.equal(new Set(last.map(({ at }) => at)).size, last.length);
  assert.deepEqual([...new Set(runs.map(({ result }) => result))], ["succeeded"]);
  assert.equal(runs[0]?.inputs.word, "it's 100 %");
  const kept = runs.filter(({ run }) =>
    existsSync(join(home.path, ".grid", "runs", run, "runner.log"))
  );
  assert.ok(kept.length >= killed, "what the runners of the killed one said lies with their runs");
});

Deno.test("grid serve and grid schedule say what they cannot look after", async () => {
  using home = project({
    "bad.yaml": 'schedule: { cron: "61 * * * *" }\nsteps: [{ id: a, run: x }]\n',
    "by_hand.yaml": "steps: [{ id: a, run: x }]\n",
  });
  const at = { cwd: home.path };
  const told = async (...args: string[]) => {
    const { code, stdout, stderr } = await grid(args, at);
    return [code, stdout + stderr] as const;
  };
  const [noFolder, folderWords] = await told("serve", "--schedule", "--port", "0");
  assert.equal(noFolder, 2);
  assert.match(
    folderWords,
    /^error: Cannot find pipelines .*: the project has no folder pipelines/,
  );
  assert.match(
    (await told("serve", "by_hand.yaml"))[1],
    /hint: .*grid serve --schedule by_hand\.yaml/,
  );
  assert.match((await told("serve", "--schedule", "gone.yaml"))[1], /no such file or folder/);
  const [wrong, words] = await told("schedule", ".");
  assert.equal(wrong, 2);
  assert.match(words, /warning: .*see: grid validate bad\.yaml/);
  assert.match((await told("schedule", "by_hand.yaml"))[1], /^no pipeline begins by itself/);
  Deno.writeTextFileSync(join(home.path, "bad.yaml"), OFTEN);
  assert.match(
    (await told("schedule", "--pause", "bad.yaml"))[1],
    /^error: Cannot pause .*: nobody has looked after it yet/,
  );
  assert.match(
    (await told("schedule", "--unpause", "bad.yaml"))[1],
    /^error: Cannot unpause .*: nobody has looked after it yet\nhint: so it is not paused/,
  );
  assert.match((await told("schedule", "--pause", "--unpause"))[1], /say --pause or --unpause/);
  assert.match((await told("schedule", "--pause", "bad"))[1], /hint: did you mean bad\.yaml\?/);
  Deno.writeTextFileSync(
    join(home.path, "off.yaml"),
    OFTEN.replace("  overlap", "  enabled: false\n  overlap"),
  );
  for (const system of ["cron", "systemd"]) {
    assert.match(
      (await told("ci", "init", system, "--pipeline", "off.yaml"))[1],
      /^error: Cannot let off\.yaml begin by itself: its schedule is switched off/,
    );
  }
});

testWith(["systemd-analyze"], "systemd understands the same times, and the units", async () => {
  const crons = [
    "17 2 * * *",
    "*/20 8-10 1,15 * MON-WED",
    "0 0 L * *",
    "5 4 * JAN-MAR sun",
    "@weekly",
  ];
  const from = Date.parse("2026-03-01T12:00:00Z");
  for (const cron of crons) {
    const times = new CronTimes(cron, "America/New_York");
    const ours: number[] = [];
    for (
      let time = times.next(from);
      time !== undefined && ours.length < 6;
      time = times.next(time)
    ) {
      ours.push(time);
    }
    const specs = onCalendar({ cron, zone: "America/New_York" }) ?? [];
    const theirs = (await Promise.all(specs.map((spec) =>
      elapses(spec, "2026-03-01 12:00:00 UTC")
    )))
      .flat();
    const first = [...new Set(theirs)].toSorted((a, b) => a - b).slice(0, 6);
    assert.deepEqual(first, ours, `${cron}: ${specs.join("; ")}`);
  }
  using home = project({
    "pipelines/n.yaml": OFTEN.replace(/"[^"]+"\n/, '"17 2 * * *"\n'),
    "pipelines/l.yaml": 'schedule: { cron: "0 0 * * 5#2" }\nsteps: [{ id: a, run: x }]\n',
  });
  const at = { cwd: home.path };
  const made = await grid(["ci", "init", "systemd", "--pipeline", "pipelines/n.yaml"], at);
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stderr, /next {5}systemctl --user link /);
  const read = (name: string) => Deno.readTextFileSync(join(home.path, "ci", name));
  assert.match(read("grid-often.timer"), /^OnCalendar=\*-\*-\* 02:17:00 Europe\/Berlin$/m);
  assert.match(read("grid-often.timer"), /^Persistent=true$/m);
  assert.match(
    read("grid-often.service"),
    /^ExecStart=.*grid run pipelines\/n\.yaml -i "word=it's 100 %%" --quiet$/m,
  );
  const again = await grid(["ci", "init", "systemd", "--pipeline", "pipelines/n.yaml"], at);
  assert.equal(again.code, 5, again.stderr);
  const second = await grid(["ci", "init", "systemd", "--pipeline", "pipelines/l.yaml"], at);
  assert.match(second.stderr, /^error: Cannot say "0 0 \* \* 5#2" in the words of systemd/);
});

Deno.test("a crontab has the schedule's times and inputs, or says that cron cannot", () => {
  const schedule = {
    name: "schedule",
    cron: "17 2 * JAN-MAR mon,7",
    zone: "Europe/Berlin",
    overlap: "skip",
    catchUp: "last",
    startWithinMs: undefined,
    inputs: { word: "it's 100 %" },
    isEnabled: true,
  } as const;
  const options = {
    pipeline: "often",
    file: "pipelines/often.yaml",
    project: "/srv/a project",
    program: "/opt/grid",
    schedules: [schedule],
  };
  const line = "17 2 * 1,2,3 0,1 cd '/srv/a project' && exec /opt/grid run pipelines/often.yaml" +
    ` -i 'word=it'\\''s 100 \\%' --quiet`;
  const linesOf = (zone: string, knowsZones = false) =>
    crontabOf(options, { zone, knowsZones }).text.split("\n").filter((line) =>
      !/^(#|$)/.test(line)
    );
  assert.deepEqual(linesOf("Europe/Berlin"), [line]);
  assert.deepEqual(linesOf("Etc/UTC", true), ["CRON_TZ=Europe/Berlin", line]);
  assert.throws(() => linesOf("Etc/UTC"), /crontab for Europe\/Berlin: cron goes by .*, Etc\/UTC/);
  for (const cron of ["*/2 * * * * *", "0 0 L * *", "0 0 15W * *"]) {
    const schedules = [{ ...schedule, cron }];
    const facts = { zone: "Europe/Berlin", knowsZones: false };
    assert.throws(() => crontabOf({ ...options, schedules }, facts), /in the words of cron/);
  }
});

Deno.test("what a crontab or a unit would read as a line of its own, or not to its end, is refused", () => {
  const schedule = {
    name: "schedule",
    cron: "17 2 * * *",
    zone: "UTC",
    overlap: "skip",
    catchUp: "last",
    startWithinMs: undefined,
    inputs: {},
    isEnabled: true,
  } as const;
  const options = { pipeline: "p", file: "-p.yaml", project: "/srv/p", program: "/opt/grid" };
  const cron = { zone: "UTC", knowsZones: false };
  const plain = { ...options, schedules: [schedule] };
  assert.match(crontabOf(plain, cron).text, / run \.\/-p\.yaml --quiet$/m);
  assert.match(systemdUnits(plain)[0]?.text ?? "", / run \.\/-p\.yaml --quiet$/m);
  const broken = { ...options, schedules: [{ ...schedule, inputs: { text: "a\n* * * * * b" } }] };
  assert.throws(() => crontabOf(broken, cron), /"text=a\\n.* has a line break/);
  assert.match(systemdUnits(broken)[0]?.text ?? "", /-i "text=a\\n\* \* \* \* \* b"/);
  const folder = { ...plain, project: "/srv/a\nb" };
  assert.throws(() => crontabOf(folder, cron), /has a line break/);
  assert.throws(() => systemdUnits(folder), /has a line break/);
  const long = { ...options, schedules: [{ ...schedule, inputs: { text: "x".repeat(1000) } }] };
  assert.throws(() => crontabOf(long, cron), /has 10\d\d bytes, and cron reads 998/);
  assert.match(crontabOf(long, { ...cron, knowsZones: true }).text, /x{1000}/);
});

/** Times of a calendar event by systemd itself, in milliseconds since the Unix epoch. */
async function elapses(spec: string, base: string): Promise<number[]> {
  const { stdout, success } = await new Deno.Command("systemd-analyze", {
    args: ["calendar", "--iterations", "6", "--base-time", base, spec],
    env: { TZ: "UTC", LC_ALL: "C" },
  }).output();
  assert.ok(success, spec);
  return [...new TextDecoder().decode(stdout).matchAll(/(?:Next elapse|Iter. #\d): \w+ (.+) UTC/g)]
    .map(([, time]) => Date.parse(`${time?.replace(" ", "T")}Z`));
}
