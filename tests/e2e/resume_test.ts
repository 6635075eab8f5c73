import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { grid, killIfThere, programArgs, project, startGrid, until } from "../support/cli.ts";

/** How often the runner is killed; `GRID_TEST_KILLS=50` for the long version. */
const KILLS = Number(Deno.env.get("GRID_TEST_KILLS") ?? "8");
const STEPS = 30;
/** Long enough for the whole run on a slow machine to be hit at every phase. */
const LATEST_KILL_MS = 1200;

Deno.test("a runner killed with -9 at any moment can be resumed, and nothing is done twice", async () => {
  using home = project({ "pipeline.yaml": thirtySteps() });
  const undisturbed = await grid(["run", "pipeline.yaml", "--quiet", "--json"], { cwd: home.path });
  assert.equal(undisturbed.code, 0, undisturbed.stderr);
  const expected = outcomes(undisturbed.stdout);
  for (let kill = 0; kill < KILLS; kill++) {
    const afterMs = Math.round((kill + Math.random()) * LATEST_KILL_MS / KILLS);
    const moment = `killed after ${afterMs} ms`;
    Deno.writeTextFileSync(join(home.path, "effects"), "");
    const before = await runCount(home.path);
    await killedRun(home.path, afterMs);
    // A runner that is killed before it journaled anything leaves nothing to resume.
    if (await runCount(home.path) === before) continue;
    // The second runner is killed too, now and then.
    if (kill % 3 === 2) await killed(["resume", "--quiet"], home.path, afterMs / 2);
    const resumed = await grid(["resume", "last", "--quiet", "--json"], { cwd: home.path });
    assert.equal(resumed.code, 0, `${moment}: ${resumed.stderr}`);
    assert.deepEqual(outcomes(resumed.stdout), expected, moment);
    assert.deepEqual(
      effects(home.path),
      Object.fromEntries(stepIds().map((id) => [id, 1])),
      moment,
    );
  }
});

Deno.test("a run is gone on from once, however many ask at the same time or later", async () => {
  using home = project({
    "pipeline.yaml": `name: p
steps:
  - { id: a, node: local, run: "echo a >> effects; sleep 3" }
  - { id: b, needs: a, node: local, run: "echo b >> effects; sleep 1" }
`,
  });
  const seen = () => existsSync(join(home.path, "effects"));
  await using run = startGrid(["run", "pipeline.yaml"], { cwd: home.path });
  await until(seen);
  await run.kill();
  const [row] = JSON.parse((await grid(["runs", "--json"], { cwd: home.path })).stdout).runs;
  const resume = () => grid(["resume", row.run], { cwd: home.path });
  const results = await Promise.all([resume(), resume(), resume()]);
  assert.deepEqual(results.map(({ code }) => code).toSorted(), [0, 5, 5]);
  for (const { stderr } of results.filter(({ code }) => code === 5)) {
    assert.match(stderr, /went on from it already|it still runs/);
  }
  assert.equal(Deno.readTextFileSync(join(home.path, "effects")), "a\nb\n");

  const later = await resume();
  assert.equal(later.code, 0, later.stderr);
  assert.match(later.stderr, /run \S+ went on from \S+ already: going on from there/);
  assert.equal(Deno.readTextFileSync(join(home.path, "effects")), "a\nb\n");
});

Deno.test("grid resume repeats the failed step with what was mended since", async () => {
  using home = project({
    "pipeline.yaml": `name: p
steps:
  - id: prepare
    node: local
    run: echo prepared >> effects
  - id: train
    needs: prepare
    node: local
    run: test -e mended && echo trained >> effects
`,
  });
  const first = await grid(["run", "pipeline.yaml", "--quiet"], { cwd: home.path });
  assert.equal(first.code, 1, first.stderr);
  Deno.writeTextFileSync(join(home.path, "mended"), "");
  const second = await grid(["resume", "--json", "--quiet"], { cwd: home.path });
  assert.equal(second.code, 0, second.stderr);
  assert.equal(Deno.readTextFileSync(join(home.path, "effects")), "prepared\ntrained\n");
});

Deno.test("grid resume repeats what came after a sync whose files changed, and plan foretells it", async () => {
  using home = project({
    "src/train.sh": "echo v1",
    "p.yaml": `name: p
steps:
  - id: code
    sync: { from: . }
  - id: train
    needs: code
    run: sh src/train.sh > model.txt
  - id: model
    needs: train
    fetch: { node: "\${{ steps.train.node }}", from: model.txt, to: results }
  - id: eval
    needs: model
    node: local
    run: exit 1
`,
  });
  const options = { cwd: home.path };
  const model = () => Deno.readTextFileSync(join(home.path, "results", "model.txt"));
  assert.equal((await grid(["run", "p.yaml"], options)).code, 1);
  assert.equal(model(), "v1\n");

  assert.deepEqual(await foretold(home.path), ["run", "reuse", "reuse", "run"]);
  const same = await grid(["resume", "--json"], options);
  assert.deepEqual(statesOf(same.stdout), ["succeeded", "reused", "reused", "failed"], same.stderr);

  Deno.writeTextFileSync(join(home.path, "src", "train.sh"), "echo v2");
  assert.deepEqual(await foretold(home.path), ["run", "run", "run", "run"]);
  const other = await grid(["resume"], options);
  assert.equal(model(), "v2\n", other.stderr);
  const { stdout } = await grid(["why", "last", "train"], options);
  assert.match(stdout, /; done because "code" brings other files than in run /);
});

Deno.test("bare grid resume takes the newest that did not succeed; a pipeline's name is a run", async () => {
  using home = project({
    "good.yaml": "name: good\nsteps:\n  - { id: a, node: local, run: echo good }\n",
    "bad.yaml":
      "name: bad\nsteps:\n  - { id: a, node: local, run: 'test -e mended && echo well' }\n",
  });
  const options = { cwd: home.path };
  assert.equal((await grid(["run", "bad.yaml"], options)).code, 1);
  for (const target of ["good.yaml", "echo hi"]) await grid(["run", target], options);
  const logs = await grid(["logs", "good", "a"], options);
  assert.equal(logs.stdout, "good\n");
  assert.equal((await grid(["logs", "good@2", "a"], options)).code, 2);
  const resumed = await grid(["resume"], options);
  assert.match(resumed.stderr, /going on from run \d{8}-\d{6}-\w{4}\n/);
  assert.match(resumed.stderr, /of bad/);
});

Deno.test("grid resume fetches again what was removed here, and plan foretells it", async () => {
  using home = project({
    "src/a": "a",
    "p.yaml": `name: p
steps:
  - id: code
    sync: { from: src }
  - id: train
    needs: code
    run: echo m > model.txt
  - id: model
    needs: train
    fetch: { node: "\${{ steps.train.node }}", from: model.txt, to: results }
  - id: eval
    needs: model
    node: local
    run: cat results/model.txt; test -e mended
`,
  });
  const options = { cwd: home.path };
  assert.equal((await grid(["run", "p.yaml"], options)).code, 1);
  Deno.removeSync(join(home.path, "results"), { recursive: true });
  Deno.writeTextFileSync(join(home.path, "mended"), "");
  assert.deepEqual(await foretold(home.path), ["run", "reuse", "run", "run"]);
  const { code, stdout, stderr } = await grid(["resume", "--json"], options);
  assert.equal(code, 0, stderr);
  assert.deepEqual(statesOf(stdout), ["succeeded", "reused", "succeeded", "succeeded"]);
  const why = await grid(["why", "last", "model"], options);
  assert.match(why.stdout, /done because "results\/model.txt", which it brought, is gone/);
});

async function foretold(cwd: string): Promise<unknown> {
  const { stdout } = await grid(["plan", "p.yaml", "--resume", "last", "--json"], { cwd });
  return JSON.parse(stdout).steps.map((step: { will: string }) => step.will);
}

function statesOf(report: string): unknown {
  return JSON.parse(report).steps.map((step: { state: string }) => step.state);
}

function stepIds(): string[] {
  return Array.from({ length: STEPS }, (_, index) => `s${index}`);
}

/** Three chains with links between them, each step with one effect and one output. */
function thirtySteps(): string {
  const steps = stepIds().map((id, index) => {
    const needs = [index - 3, ...(index % 4 === 0 ? [index - 2] : [])]
      .filter((before) => before >= 0).map((before) => `s${before}`);
    return `  - id: ${id}
    node: local
    needs: [${needs.join(", ")}]
    run: |
      echo ${id} >> effects
      sleep 0.03
      echo "value=${index * index}" >> "$GRID_OUTPUT"
`;
  });
  return `name: thirty\nsteps:\n${steps.join("")}`;
}

async function killedRun(cwd: string, afterMs: number): Promise<void> {
  await killed(["run", "pipeline.yaml", "--quiet"], cwd, afterMs);
}

async function killed(args: readonly string[], cwd: string, afterMs: number): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: programArgs(args),
    cwd,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const timer = setTimeout(() => killIfThere(child), afterMs);
  await child.status;
  clearTimeout(timer);
}

async function runCount(cwd: string): Promise<number> {
  const { stdout } = await grid(["runs", "--json"], { cwd });
  return (JSON.parse(stdout).runs as unknown[]).length;
}

/** How often each step did its work. */
function effects(cwd: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const line of Deno.readTextFileSync(join(cwd, "effects")).split("\n").filter(Boolean)) {
    counts[line] = (counts[line] ?? 0) + 1;
  }
  return Object.fromEntries(stepIds().map((id) => [id, counts[id] ?? 0]));
}

/** What a report says apart from times: a reused step counts as succeeded. */
function outcomes(report: string): unknown {
  const { result, steps } = JSON.parse(report);
  return {
    result,
    steps: steps.map((step: Record<string, unknown>) => ({
      id: step["id"],
      state: step["state"] === "reused" ? "succeeded" : step["state"],
      outputs: step["outputs"],
      node: step["node"],
    })),
  };
}

Deno.test("an input without a value has none in a resumed run, in its plan and in a submitted one", async () => {
  using home = project({
    "pipeline.yaml": `name: p
inputs: { count: { type: integer }, text: {}, other: { default: x } }
steps:
  - id: a
    node: local
    run: "echo [\${{ inputs.count }}] [\${{ inputs.text }}] \${{ inputs.other }}; test -e there"
`,
  });
  const first = await grid(["run", "pipeline.yaml"], { cwd: home.path });
  assert.match(first.stderr, /│ \[\] \[\] x/);
  const plan = await grid(["plan", "pipeline.yaml", "--resume", "last"], { cwd: home.path });
  assert.equal(plan.code, 0, plan.stderr);
  const resumed = await grid(["resume", "-i", "other=y"], { cwd: home.path });
  assert.match(resumed.stderr, /│ \[\] \[\] y/);
  const submitted = await grid(["submit", "pipeline.yaml"], { cwd: home.path });
  assert.equal(submitted.code, 0, submitted.stderr);
  const attached = await grid(["attach", submitted.stdout.trim()], { cwd: home.path });
  assert.match(attached.stderr, /│ \[\] \[\] x/);
});

Deno.test("an input that held a secret is asked for again: the journal has a mask in its place", async () => {
  using home = project({
    "pipeline.yaml": `name: p
inputs: { url: { default: "https://example.org" } }
secrets: [TOKEN]
steps:
  - { id: a, node: local, secrets: TOKEN, env: { URL: "\${{ inputs.url }}" }, run: "echo \${#URL}; exit 1" }
`,
  });
  const env = { TOKEN: "a-secret-of-length" };
  const run = (...args: string[]) => grid(args, { cwd: home.path, env });
  const url = `url=https://me:${env.TOKEN}@example.org`;
  assert.match((await run("run", "pipeline.yaml", "-i", url)).stderr, /│ 41\n/);
  const refused = await run("resume");
  assert.equal(refused.code, 2, refused.stderr);
  assert.match(
    refused.stderr,
    /: its input "url" held a secret, which no journal keeps\nhint: give it again: -i url=…/,
  );
  const planned = await run("plan", "pipeline.yaml", "--resume", "last");
  assert.deepEqual([planned.code, planned.stdout], [2, ""]);
  assert.match(
    planned.stderr,
    /: its input "url" held a secret, .*\nhint: give it again: -i url=…/,
  );
  const given = await run("plan", "pipeline.yaml", "--resume", "last", "-i", url);
  assert.equal(given.code, 0, given.stderr);
  assert.doesNotMatch(given.stdout, /\*\*\*/);
  assert.match((await run("resume", "-i", url)).stderr, /│ 41\n/);
});
