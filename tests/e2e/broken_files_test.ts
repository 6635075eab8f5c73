import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { grid, project, REPOSITORY } from "../support/cli.ts";

const BROKEN = join(REPOSITORY, "tests", "golden", "broken");

Deno.test("grid run of a broken file exits with 2, shows its place, and runs nothing", async () => {
  const files = [
    "unknown_key_step.yaml",
    "cycle_two.yaml",
    "expr_unknown_input.yaml",
    "yaml_tab.yaml",
    "duration_without_unit.yaml",
  ];
  for (const name of files) {
    using folder = project({ "broken.yaml": Deno.readTextFileSync(join(BROKEN, name)) });
    const { code, stdout, stderr } = await grid(["run", "broken.yaml"], { cwd: folder.path });
    assert.equal(code, 2, `${name}: ${stderr}`);
    assert.match(stderr, /broken\.yaml:\d+:\d+: error: /, name);
    assert.equal(stdout, "", name);
    assert.ok(!existsSync(join(folder.path, ".grid", "runs")), `${name} left a run behind`);
  }
});

Deno.test("grid validate shows what it found even where one of the files is not there", async () => {
  using folder = project({ "one.yaml": "name: one\nsteps:\n  - { id: a, runs: 'true' }\n" });
  const { code, stderr } = await grid(["validate", "no.yaml", "one.yaml"], { cwd: folder.path });
  assert.equal(code, 2);
  assert.match(stderr, /one\.yaml:3:14: error: unknown key "runs"/);
  assert.match(stderr, /error: Cannot read no\.yaml: there is no such file/);
});

Deno.test("grid validate names every file that it cannot read", async () => {
  using folder = project({ "one.yaml": "name: one\nsteps:\n  - { id: a, run: 'true' }\n" });
  Deno.symlinkSync("nowhere", join(folder.path, "two.yaml"));
  const names = ["no.yaml", "one.yaml", "two.yaml"];
  const text = await grid(["validate", ...names], { cwd: folder.path });
  assert.equal(text.code, 2);
  assert.match(
    text.stderr,
    /error: Cannot read no\.yaml: there is no such file\nCannot read two\.yaml: [^\n]+\nhint: did you mean two\.yaml/,
  );
  const json = await grid(["validate", ...names, "--json"], { cwd: folder.path });
  const { message } = JSON.parse(json.stdout).error;
  assert.match(message, /no\.yaml.*\n.*two\.yaml/);
});

Deno.test("a warning is not called no mistakes", async () => {
  const steps = "steps:\n  - { id: a, node: local, run: 'echo {{ inputs.x }}' }\n";
  using folder = project({ "w.yaml": `inputs: { x: { default: 1 } }\n${steps}` });
  const { code, stderr } = await grid(["validate", "w.yaml"], { cwd: folder.path });
  assert.equal(code, 0);
  assert.match(stderr, /1 warning in 1 file/);
  assert.doesNotMatch(stderr, /no mistakes/);
});

Deno.test("grid validate shows the mistakes of many files at once, in every form", async () => {
  using folder = project({
    "good.yaml": "name: good\nsteps:\n  - { id: a, run: 'true' }\n",
    "bad/one.yaml": "name: one\nsteps:\n  - { id: a, runs: 'true' }\n",
    "bad/two.yaml": "name: two\nsteps:\n  - { id: a, run: 'true', needs: b }\n",
  });
  const options = { cwd: folder.path };
  const text = await grid(["validate", "good.yaml", "bad"], options);
  assert.equal(text.code, 2);
  assert.match(text.stderr, /bad\/one\.yaml:3:14: /);
  assert.match(text.stderr, /bad\/two\.yaml:3:34: /);

  const json = await grid(["validate", "bad", "--format", "json"], options);
  assert.equal(json.code, 2);
  assert.ok(JSON.parse(json.stdout).diagnostics.length >= 2);
  const sarif = await grid(["validate", "bad", "--format", "sarif"], options);
  assert.equal(JSON.parse(sarif.stdout).version, "2.1.0");
  const github = await grid(["validate", "bad", "--format", "github"], options);
  assert.match(github.stdout, /^::error file=bad\/one\.yaml,line=3,col=14/m);

  const good = await grid(["validate", "good.yaml"], options);
  assert.equal(good.code, 0, good.stderr);
});

Deno.test("grid validate shows mistakes of the cluster config beside those of pipelines", async () => {
  using folder = project({
    "config/cluster_config.yaml": "nodes: [gpu1]\nssh: { timout: 5 }\n",
    "p.yaml": "steps:\n  - { id: a, runs: 'true' }\n",
  });
  const options = { cwd: folder.path };
  const json = await grid(["validate", "p.yaml", "--format", "json"], options);
  assert.equal(json.code, 2);
  assert.deepEqual(
    JSON.parse(json.stdout).diagnostics.map(({ file, line }: { file: string; line: number }) =>
      `${file}:${line}`
    ),
    ["config/cluster_config.yaml:2", "p.yaml:2"],
  );
  const github = await grid(["validate", "p.yaml", "--format", "github"], options);
  assert.match(github.stdout, /^::error file=config\/cluster_config\.yaml,line=2,col=8/m);
});
