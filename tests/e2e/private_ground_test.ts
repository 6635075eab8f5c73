/** What Grid keeps on the runner's machine is for its owner, and no business of git's. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { quoteAll } from "../../src/core/shell.ts";
import { grid, programArgs, project } from "../support/cli.ts";
import { findAccount, testWith } from "../support/requires.ts";
import { tempDir } from "../support/temp_dir.ts";

const PIPELINE = `name: p
steps:
  - { id: a, node: local1, run: "echo hi; exit 1" }
`;

async function shell(script: string, cwd: string): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command("sh", {
    args: ["-c", script],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
    signal: AbortSignal.timeout(60_000),
  }).output();
  const decoder = new TextDecoder();
  assert.ok(success, decoder.decode(stderr));
  return decoder.decode(stdout);
}

function gridWords(args: readonly string[]): string {
  return quoteAll([Deno.execPath(), ...programArgs(args)]);
}

Deno.test("no file of .grid is readable by others, whatever the umask", async () => {
  using folder = tempDir();
  // No project above is ours.
  Deno.mkdirSync(join(folder.path, ".git"));
  Deno.writeTextFileSync(join(folder.path, "p.yaml"), PIPELINE);
  const commands = [["run", "p.yaml"], ["health"], ["sync", "--to", "local1"], ["report"]];
  for (const args of commands) {
    await shell(`umask 000; ${gridWords(args)} >/dev/null 2>&1 || :`, folder.path);
  }
  assert.equal(Deno.statSync(join(folder.path, ".grid")).mode! & 0o777, 0o700);
  // What steps make in the workspace of a local node has the modes that they gave it.
  const open = await shell(
    "find .grid -path .grid/nodes -prune -o -perm /077 -print",
    folder.path,
  );
  assert.equal(open, "");
  const kept = await shell(
    "find .grid -name '*.log' -o -name 'report.*' -o -name '*.prom'",
    folder.path,
  );
  assert.equal(kept.trim().split("\n").length >= 4, true, kept);
});

Deno.test("a .grid that an older Grid made for everybody becomes its owner's", async () => {
  using folder = project({});
  Deno.chmodSync(join(folder.path, ".grid"), 0o755);
  Deno.writeTextFileSync(join(folder.path, ".grid", "grid.db"), "", { mode: 0o644 });
  assert.equal((await grid(["runs"], { cwd: folder.path })).code, 0);
  assert.equal(await shell("find .grid -perm /077", folder.path), "");
});

testWith(["git"], "git status stays clean after a run, and sees no .grid", async () => {
  using folder = tempDir();
  Deno.writeTextFileSync(join(folder.path, "p.yaml"), PIPELINE);
  await shell("git init -q . && git add p.yaml", folder.path);
  const before = await shell("git status --porcelain", folder.path);
  await grid(["run", "p.yaml"], { cwd: folder.path });
  assert.equal(await shell("git status --porcelain", folder.path), before);
  assert.equal(
    await shell("git status --porcelain --ignored", folder.path),
    `${before}!! .grid/\n`,
  );
});

testWith(["root", "account"], "a config that somebody else left above is not used", async () => {
  using scratch = tempDir();
  const { uid, gid } = findAccount() ?? assert.fail();
  const work = join(scratch.path, "me", "work");
  const config = join(scratch.path, "config", "cluster_config.yaml");
  Deno.mkdirSync(work, { recursive: true });
  Deno.mkdirSync(join(scratch.path, "config"));
  Deno.writeTextFileSync(config, "nodes: [{ name: evil, transport: local }]\n");
  for (const path of [join(scratch.path, "config"), config]) Deno.chownSync(path, uid, gid);
  const { stdout, stderr } = await grid(["health", "--json"], { cwd: work });
  const names = JSON.parse(stdout).nodes.map(({ node }: { node: string }) => node);
  assert.equal(names.includes("evil"), false, stdout);
  assert.match(stderr, /^note: ".*config.*" belongs to "grid-test", and is not used$/m);
  const named = await grid(["health", "--json"], { cwd: work, env: { GRID_CONFIG: config } });
  assert.match(named.stdout, /"evil"/);
  const there = await grid(["health"], { cwd: scratch.path });
  assert.equal(there.code, 6);
  assert.match(there.stderr, /^error: Cannot use the cluster config of .* belongs to "grid-test"/m);
  assert.match(there.stderr, /^hint: .*--config/m);
});
