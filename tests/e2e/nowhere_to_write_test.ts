/** A full disk behind our output, a folder of somebody else, few descriptors, no HOME. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { quoteAll } from "../../src/core/shell.ts";
import { type CliResult, programArgs, project } from "../support/cli.ts";
import { findAccount, testWith } from "../support/requires.ts";
import type { TempDir } from "../support/temp_dir.ts";

const TRACE = /Uncaught|^bug:|^\s+at .*\.ts:\d+/m;

interface ShellOptions {
  /** Before the program's words, such as `ulimit -n 64;`. */
  readonly before?: string;
  /** After them, such as `>/dev/full`. */
  readonly after?: string;
}

/** The program started by a shell, for what only a shell can ask for. */
async function inShell(
  folder: TempDir,
  args: readonly string[],
  { before = "", after = "" }: ShellOptions,
): Promise<CliResult> {
  const words = quoteAll([Deno.execPath(), ...programArgs(args)]);
  const output = await new Deno.Command("sh", {
    args: ["-c", `${before} ${words} ${after}`],
    cwd: folder.path,
    env: { NO_COLOR: "1" },
    stdin: "null",
    signal: AbortSignal.timeout(60_000),
  }).output();
  const decoder = new TextDecoder();
  return {
    code: output.code,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
}

const NO_ROOM = /^error: Cannot write to standard output: no room is left on the disk/m;

Deno.test("data for a program that finds no room is a sentence and exit code 6", async () => {
  using folder = project({});
  await inShell(folder, ["run", "echo 1", "--node", "local1"], {});
  const commands = [
    ["runs", "--json"],
    ["report", "--json"],
    ["report"],
    ["logs"],
    ["show"],
    ["metrics"],
    ["ps", "--json"],
    ["--help"],
    ["runs", "--help"],
    ["--version"],
    ["why", "last", "nothing", "--json"],
  ];
  for (const args of commands) {
    const { code, stderr } = await inShell(folder, args, { after: ">/dev/full" });
    const wanted = args[0] === "why" ? 2 : 6;
    assert.equal(code, wanted, `${args.join(" ")}: ${stderr}`);
    if (wanted === 6) assert.match(stderr, NO_ROOM, args.join(" "));
    assert.doesNotMatch(stderr, TRACE, args.join(" "));
  }
});

Deno.test("a command goes on whose output finds no room, and is not taken for a success", async () => {
  using folder = project({});
  const args = ["run", "echo one; echo two >>diary", "--node", "local1"];
  for (const json of [[], ["--json"]]) {
    const { code, stderr } = await inShell(folder, [...args, ...json], { after: ">/dev/full" });
    assert.equal(code, 6, stderr);
    assert.equal(stderr.match(/warning: Cannot write to standard output/g)?.length, 1, stderr);
    assert.doesNotMatch(stderr, TRACE);
  }
  const report = await inShell(folder, ["report", "--json"], {});
  assert.equal(JSON.parse(report.stdout).result, "succeeded");
  assert.equal((await inShell(folder, ["logs", "last", "command"], {})).stdout, "one\n");
});

Deno.test("the code of a run that failed stays, though its output found no room", async () => {
  using folder = project({});
  const args = ["run", "echo one; exit 3", "--node", "local1"];
  const { code } = await inShell(folder, args, { after: ">/dev/full" });
  assert.equal(code, 1);
});

Deno.test("a run whose words find no room goes on, and says so by its exit code", async () => {
  using folder = project({
    "p.yaml": "name: p\nsteps:\n  - { id: a, node: local, run: echo a >>diary }\n",
  });
  for (const after of ["2>/dev/full", ">/dev/full 2>&1"]) {
    const { code } = await inShell(folder, ["run", "p.yaml"], { after });
    assert.equal(code, 6, after);
    const report = await inShell(folder, ["report", "--json"], {});
    assert.equal(JSON.parse(report.stdout).result, "succeeded");
  }
});

/** Root that may do no more than everybody: its own files are its own, and nobody else's. */
const NO_POWERS = "exec setpriv --bounding-set=-all --inh-caps=-all";

testWith(["root", "account"], "a folder of somebody else is named, with exit code 6", async () => {
  using folder = project({});
  Deno.removeSync(join(folder.path, ".grid"));
  Deno.chmodSync(folder.path, 0o755);
  const { uid, gid } = findAccount() ?? assert.fail();
  Deno.chownSync(folder.path, uid, gid);
  const looking = await inShell(folder, ["runs"], { before: NO_POWERS });
  assert.equal(looking.code, 0, "looking makes nothing: " + looking.stderr);
  for (const args of [["health"], ["run", "echo hi"], ["metrics"]]) {
    const { code, stderr } = await inShell(folder, args, { before: NO_POWERS });
    assert.equal(code, 6, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, /^error: Cannot .*\.grid.*: this account has no right to$/m);
    assert.match(stderr, /^hint: /m);
    assert.doesNotMatch(stderr, TRACE);
  }
  Deno.chownSync(folder.path, 0, 0);
  Deno.mkdirSync(join(folder.path, ".grid"), { mode: 0o000 });
  for (const command of ["runs", "show", "logs"]) {
    const { code, stderr, stdout } = await inShell(folder, [command], { before: NO_POWERS });
    assert.equal(code, 6, `${command}: ${stdout}${stderr}`);
    assert.match(
      stderr,
      /^error: Cannot read the runs in ".*\.grid": this account has no right to$/m,
    );
  }
});

Deno.test("64 descriptors are enough for a pipeline of many steps", async () => {
  const steps = Array.from({ length: 30 }, (_, index) => `  - { id: s${index}, run: echo hi }\n`);
  using folder = project({ "p.yaml": `name: p\nsteps:\n${steps.join("")}` });
  const { code, stderr } = await inShell(folder, ["run", "p.yaml", "--quiet"], {
    before: "ulimit -n 64;",
  });
  assert.doesNotMatch(stderr, TRACE);
  assert.equal(code, 0, stderr);
});

Deno.test("without HOME everything is as after a login", async () => {
  using folder = project({});
  const { code, stdout, stderr } = await inShell(
    folder,
    ["run", 'echo "$HOME"', "--node", "local1"],
    { before: "DENO_DIR=${DENO_DIR:-$HOME/.cache/deno}; export DENO_DIR; unset HOME;" },
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^\/.*\n$/);
});
