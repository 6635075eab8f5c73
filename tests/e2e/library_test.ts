/** The library, in projects that are not Grid's: by path, by links, and as its own documentation shows it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { grid as cli, project, REPOSITORY } from "../support/cli.ts";
import { STRICT } from "../support/foreign_project.ts";
import { tempDir } from "../support/temp_dir.ts";
import { testWith } from "../support/requires.ts";

const PIPELINE = `steps:
  - id: a
    run: echo "x=1" >> "$GRID_OUTPUT"
`;

const program = (specifier: string) =>
  `import { openGrid } from "${specifier}";
await using grid = await openGrid();
const health = await grid.health();
const text = await grid.exec("echo hello").text();
const run = grid.run("a.yaml");
const events = [];
for await (const event of run) events.push(event.type);
const batch = await grid.rayBatch({ call: "work:square", tasks: [1, 2, 3], batchSize: 2 });
console.log(JSON.stringify({ nodes: health.length, text, events, ok: (await run).ok, batch }));
`;

const FILES = { "a.yaml": PIPELINE, "work.py": "def square(task):\n    return task * task\n" };

async function deno(args: readonly string[], cwd: string) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

function assertSaid(stdout: string): void {
  const { nodes, text, events, ok, batch } = JSON.parse(stdout);
  assert.deepEqual([nodes, text, ok, batch], [2, "hello\n", true, [1, 4, 9]]);
  assert.deepEqual([events[0], events.at(-1)], ["run.started", "run.finished"]);
}

testWith(
  ["python3"],
  "ten lines import the library by its path, with no config at all",
  async () => {
    using folder = project({ ...FILES, "ten.ts": program(join(REPOSITORY, "mod.ts")) });
    const run = await deno(["run", "-A", "--quiet", "ten.ts"], folder.path);
    assert.equal(run.code, 0, run.stderr);
    assertSaid(run.stdout);
  },
);

testWith(["python3"], "a project with packages of its own links to the library", async () => {
  // What the user's own check is strict about makes no error of ours.
  const { declaration: _, isolatedDeclarations: __, ...compilerOptions } = STRICT;
  using folder = project({
    ...FILES,
    "ten.ts": program("@grid/grid"),
    "by_path.ts": program(join(REPOSITORY, "mod.ts")),
    "deno.json": JSON.stringify({
      links: [REPOSITORY],
      imports: { "@grid/grid": "jsr:@grid/grid@^0.1.0", yaml: "npm:yaml@1.10.2" },
      compilerOptions,
    }),
  });
  const run = await deno(["run", "-A", "--quiet", "ten.ts"], folder.path);
  assert.equal(run.code, 0, run.stderr);
  assertSaid(run.stdout);
  const check = await deno(["check", "ten.ts", "by_path.ts"], folder.path);
  assert.equal(check.code, 0, check.stderr);
});

testWith(["python3"], "every example of the library's documentation runs", async () => {
  const pages = ["mod.ts", "src/library", "docs/library.md"];
  // `deno task check` looks at their types.
  const docs = await deno(["test", "--doc", "--no-check", "-A", "--quiet", ...pages], REPOSITORY);
  assert.equal(docs.code, 0, docs.stdout + docs.stderr);
  assert.match(docs.stdout, /ok \| [1-9]\d* passed/);
  const embed = await deno(["run", "-A", "examples/embed.ts"], REPOSITORY);
  assert.equal(embed.code, 0, embed.stderr);
  assert.match(embed.stdout, /ok true, loss 0\.3\n\[ 1, 4, 9, 16 \]/);
});

Deno.test("everything that the library exports is documented", async () => {
  const { code, stderr } = await deno(["doc", "--lint", "mod.ts"], REPOSITORY);
  assert.equal(code, 0, stderr);
});

Deno.test("a run that fails has an outcome; one that cannot start rejects with its mistakes", async () => {
  const { DiagnosticsError, openGrid } = await import("../../mod.ts");
  using folder = project({
    "bad.yaml": "steps:\n  - { id: a, run: exit 4 }\n",
    "no.yaml": "stepz: 1\n",
  });
  await using grid = await openGrid({ project: folder.path });
  const { ok, exitCode, error, steps } = await grid.run("bad.yaml");
  assert.deepEqual([ok, exitCode, error?.code], [false, 1, "exit"]);
  assert.equal(steps.get("a")?.failure?.exitCode, 4);
  Deno.writeTextFileSync(join(folder.path, "bad.yaml"), "steps:\n  - { id: a, run: exit 0 }\n");
  const resumed = await cli(["resume", "bad"], { cwd: folder.path });
  assert.equal(resumed.code, 0, "the command line goes on from it: " + resumed.stderr);
  await assert.rejects(async () => await grid.run("no.yaml"), DiagnosticsError);
  await assert.rejects(async () => {
    for await (const _ of grid.run("no.yaml"));
  }, DiagnosticsError);
});

Deno.test("a command that fails resolves with its code; text() and a missing node reject", async () => {
  const { openGrid } = await import("../../mod.ts");
  using folder = project({});
  await using grid = await openGrid({ project: folder.path });
  const { code, ok, node } = await grid.exec("exit 7", { node: "local2" });
  assert.deepEqual([code, ok, node], [7, false, "local2"]);
  await assert.rejects(grid.exec("exit 7").text(), { code: "exit" });
  await assert.rejects(async () => await grid.exec("true", { node: "gone" }), { code: "usage" });
});

Deno.test("a signal, cancel() and closing each end what is under way", async () => {
  const { openGrid } = await import("../../mod.ts");
  using folder = project({});
  const ends = { signal: new AbortController() };
  const grid = await openGrid({ project: folder.path });
  const bySignal = grid.exec("sleep 300", { signal: ends.signal.signal });
  const byCancel = grid.exec("sleep 300");
  const byClosing = grid.exec("echo begun; sleep 300");
  for await (const { text } of byClosing) {
    assert.equal(text, "begun\n");
    ends.signal.abort();
    byCancel.cancel();
    await assert.rejects(async () => await bySignal, { name: "GridError" });
    await assert.rejects(async () => await byCancel, { name: "GridError" });
    break;
  }
  await grid[Symbol.asyncDispose]();
  await assert.rejects(async () => await byClosing, { name: "GridError" });
});

Deno.test("output comes while the command runs, and a reader who comes late gets what is kept", async () => {
  const { openGrid } = await import("../../mod.ts");
  using folder = project({});
  await using grid = await openGrid({ project: folder.path });
  const late = grid.exec("echo out; echo err >&2");
  await late;
  const heard: string[] = [];
  for await (const { stream, text } of late) heard.push(`${stream} ${text}`);
  assert.deepEqual(heard.toSorted(), ["stderr err\n", "stdout out\n"]);
});

Deno.test("files go to a node and come home", async () => {
  const { openGrid } = await import("../../mod.ts");
  using folder = project({ "data/in.txt": "hello\n" });
  using elsewhere = tempDir();
  await using grid = await openGrid({ project: folder.path });
  const { ok } = await grid.sync("data", { to: ["local1"] });
  assert.ok(ok);
  await grid.exec("tr a-z A-Z < data/in.txt > data/out.txt", { node: "local1" });
  const files = await grid.fetch("out.txt", {
    node: "local1",
    folder: "data",
    to: elsewhere.path,
  });
  assert.deepEqual(files, [join(elsewhere.path, "out.txt")]);
  assert.equal(await Deno.readTextFile(files[0] ?? ""), "HELLO\n");
});
