import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { batchNames } from "../../../src/steps/ray_batch.ts";
import type { BatchResults } from "../../support/batch_results.ts";
import { grid, startGrid } from "../../support/cli.ts";
import { labConfig } from "../../support/lab.ts";
import { RayLab, until } from "../../support/ray_lab.ts";
import { testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** 60 take two minutes, 1,000 a few more. */
const ITEMS = Number(Deno.env.get("GRID_TEST_RAY_ITEMS") ?? 0);

const WORK = `
import os, time

def note(name, task):
    with open(os.path.join(os.environ["NOTES"], name), "a") as file:
        file.write("%d\\n" % task)

def steady(task):
    time.sleep(0.05)
    note("ended", task)
    return task * 2

def slow(task):
    note("begun", task)
    time.sleep(0.5)
    return task

def broken(task):
    note("tried", task)
    if task == 7 and not os.path.exists(os.path.join(os.environ["NOTES"], "mended")):
        raise ValueError("not yet")
    return task
`;

const NAME = "every kind of kill: each item has one result, none that was kept runs again";

// Too long for every time: GRID_TEST_RAY_ITEMS=60 deno task test tests/integration/ray/kills_test.ts
if (ITEMS === 0) Deno.test({ name: `${NAME} (needs GRID_TEST_RAY_ITEMS)`, ignore: true, fn() {} });
else {testWith(
    ["ray"],
    NAME,
    async (t) => {
      await using lab = await RayLab.start({ nodes: 1, work: WORK });
      const up = await lab.start();
      assert.deepEqual(up.map(({ state }) => state), ["alive"]);
      const notes = join(lab.head.home, "notes");
      Deno.mkdirSync(notes);
      const env = { NOTES: notes };
      const noted = (name: string) => {
        const path = join(notes, name);
        if (!existsSync(path)) return [];
        return Deno.readTextFileSync(path).split("\n").slice(0, -1).map(Number);
      };
      const named = (step: string, run: string) =>
        batchNames({ run, pipeline: "kills", step, attempt: 1, resumeJob: undefined });

      await t.step("a worker, the driver, the head", async () => {
        const kept = new Set<number>();
        const steady = (run: string, onDone: (done: number) => void): Promise<BatchResults> =>
          lab.run({
            ...named("steady", run),
            target: { call: "work:steady" },
            tasks: Array.from({ length: ITEMS }, (_, index) => index),
            batchSize: 5,
            env,
          }, { progress: ({ done }) => onDone(done) });
        /** Kills once this many are done. */
        const killAt = (part: number, kill: () => void) => {
          let isOver = false;
          return (done: number) => {
            if (isOver || done < part * ITEMS) return;
            isOver = true;
            kill();
          };
        };
        const worker = killAt(
          0.1,
          () => lab.kill((command) => command.startsWith("ray::ray_batch"), 1),
        );
        const driver = killAt(
          0.3,
          () => lab.kill((command) => command.includes("batch_driver.py")),
        );
        await assert.rejects(
          steady("one", (done) => [worker, driver].forEach((look) => look(done))),
          /the driver stopped on node1/,
        );
        keptBy(lab).forEach((index) => kept.add(index));
        assert.ok(kept.size >= 0.2 * ITEMS, `${kept.size} are kept`);
        const head = killAt(
          0.6,
          () => lab.kill((command) => /gcs_server|raylet\/raylet/.test(command)),
        );
        await assert.rejects(steady("two", head));
        keptBy(lab).forEach((index) => kept.add(index));
        await lab.start();
        const before = noted("ended").length;
        const { results, failed } = await steady("three", () => {});
        assert.equal(failed, 0);
        assert.deepEqual(
          results.map((result) => result.ok && result.value),
          Array.from({ length: ITEMS }, (_, index) => index * 2),
        );
        const counts = new Map<number, number>();
        for (const index of noted("ended")) counts.set(index, (counts.get(index) ?? 0) + 1);
        // Only those that the last run had to do ran in it.
        assert.equal(noted("ended").length - before, ITEMS - kept.size);
        assert.equal(counts.size, ITEMS);
      });

      await t.step("the runner: the next one takes up what goes on without it", async () => {
        using project = tempDir();
        const file = (name: string) => join(project.path, name);
        Deno.mkdirSync(file("code"));
        Deno.writeTextFileSync(file("code/work.py"), WORK);
        Deno.writeTextFileSync(file("lab.yaml"), configText(lab));
        Deno.writeTextFileSync(
          file("kills.yaml"),
          `name: kills
env: { NOTES: ${JSON.stringify(notes)} }
steps:
  - { id: code, sync: { from: code, to: all } }
  - id: batch
    needs: code
    ray-batch: { call: "work:steady", tasks: { range: ${ITEMS} }, batch-size: 5 }
`,
        );
        const before = noted("ended").length;
        const ran = () => noted("ended").slice(before);
        const args = ["--config", "lab.yaml"];
        await using first = startGrid(["run", "kills.yaml", ...args], { cwd: project.path });
        await until(() => ran().length >= 0.3 * ITEMS || first.isOver(), "no item has ended");
        assert.ok(!first.isOver(), "the run has ended by itself");
        await first.kill();
        assert.ok(ran().length < ITEMS, "all was over before the kill");
        const resumed = await grid(["resume", "last", ...args], {
          cwd: project.path,
          timeoutMs: 600_000,
        });
        assert.equal(resumed.code, 0, resumed.stderr);
        // Each ran once, although its first runner died.
        assert.deepEqual(
          ran().toSorted((a, b) => a - b),
          Array.from({ length: ITEMS }, (_, index) => index),
        );
        const { stdout } = await grid(["show", "last", "--json", ...args], { cwd: project.path });
        const step = JSON.parse(stdout).steps.find(({ id }: { id: string }) => id === "batch");
        const results: number[] = Deno.readTextFileSync(step.outputs.file).trim().split("\n")
          .map(Number);
        assert.deepEqual(results, Array.from({ length: ITEMS }, (_, index) => index * 2));
      });

      await t.step("one failing item, mended: that one runs again", async () => {
        const broken = (run: string) =>
          lab.run({
            ...named("broken", run),
            target: { call: "work:broken" },
            tasks: Array.from({ length: ITEMS }, (_, index) => index),
            batchSize: 10,
            env,
          });
        assert.equal((await broken("one")).failed, 1);
        assert.equal(noted("tried").length, ITEMS);
        Deno.writeTextFileSync(join(notes, "mended"), "");
        assert.equal((await broken("two")).failed, 0);
        assert.deepEqual(noted("tried").slice(ITEMS), [7]);
      });

      await t.step("a batch that is cancelled keeps what its items have handed in", async () => {
        const slow = (run: string, signal: AbortSignal) =>
          lab.run({
            ...named("slow", run),
            target: { call: "work:slow" },
            tasks: [0, 1, 2, 3, 4, 5],
            batchSize: 6,
            env,
          }, { signal });
        const controller = new AbortController();
        const timer = setInterval(() => {
          if (noted("begun").length >= 4) controller.abort(new Error("enough"));
        }, 50);
        await assert.rejects(slow("one", controller.signal), { message: "enough" })
          .finally(() => clearInterval(timer));
        const first = noted("begun").length;
        await slow("two", new AbortController().signal);
        // The item that was cut off ran again, and what had not begun.
        assert.equal(noted("begun").length - first, 6 - (first - 1));
      });
    },
  );}

// By hand: GRID_TEST_STARTS=10 deno task test tests/integration/ray/kills_test.ts
const STARTS = Number(Deno.env.get("GRID_TEST_STARTS") ?? 0);
const AT_ONCE = "two starts at once make one cluster, of which stop leaves nothing";
if (STARTS === 0) Deno.test({ name: `${AT_ONCE} (needs GRID_TEST_STARTS)`, ignore: true, fn() {} });
else {testWith(["ray"], AT_ONCE, async (t) => {
    await using lab = await RayLab.start({ nodes: 2 });
    using project = tempDir();
    Deno.writeTextFileSync(join(project.path, "lab.yaml"), configText(lab));
    const cluster = (word: string) =>
      grid(["cluster", word, "--config", "lab.yaml"], { cwd: project.path, timeoutMs: 300_000 });
    for (let round = 1; round <= STARTS; round++) {
      await t.step(`round ${round}`, async () => {
        for (const { code, stderr } of await Promise.all([cluster("start"), cluster("start")])) {
          assert.equal(code, 0, stderr);
        }
        const running = lab.leftovers();
        const count = (name: RegExp) => running.filter((line) => name.test(line)).length;
        assert.deepEqual([count(/\/gcs_server /), count(/\/raylet /)], [1, 2], running.join("\n"));
        const stopped = await cluster("stop");
        assert.equal(stopped.code, 0, stopped.stderr);
        assert.deepEqual(await lab.stayers(), []);
      });
    }
  });}

function configText({ lab, config: { gcsPort, dashboardPort } }: RayLab): string {
  return labConfig({ lab, rayMode: "managed" }).replace(
    "ray: { mode: managed }",
    `ray: { mode: managed, redis_port: ${gcsPort}, dashboard_port: ${dashboardPort}, ` +
      "object_store_memory: 100000000 }",
  );
}

/** Indices that stand in the results files of the head with a value. */
function keptBy(lab: RayLab): number[] {
  const batches = join(lab.head.root, ".grid", "batches");
  const names = [...Deno.readDirSync(batches)].map(({ name }) => name);
  return names.filter((name) => name !== "compiled").flatMap((name) => {
    const folder = join(batches, name, "results");
    return [...Deno.readDirSync(folder)].flatMap((file) =>
      Deno.readTextFileSync(join(folder, file.name)).split("\n")
        .filter((line) => line.includes('"ok": true') && line.endsWith("}"))
        .map((line): number => JSON.parse(line).index)
    );
  });
}
