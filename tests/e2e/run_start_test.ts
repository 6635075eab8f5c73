import assert from "node:assert/strict";
import { join } from "node:path";
import { REPOSITORY } from "../support/cli.ts";
import { tempDir } from "../support/temp_dir.ts";

/**
 * What a run of one command on this machine has no use for. What each of them costs every run: `node:fs` 18 ms,
 * `node:crypto` 14, `node:module` 12, `node:process` 7.
 */
const UNUSED = [
  /^node:(fs|fs\/promises|crypto|process|module|stream|net|child_process|worker_threads)$/,
  /^src\/(ray|web|data|library)\//,
  /^src\/expression\/cel(_library)?\.ts$/,
  /^src\/steps\/(ray_batch|ray_tasks|sync|fetch|gang|data|select_node)\.ts$/,
  /^src\/sync\/(sync|fetch|pack|walk)\.ts$/,
  /^src\/transport\/(handshakes|tunnel|ssh\/(connector|connection|account)|openssh\/connector)\.ts$/,
  /^src\/cli\/(complete|report_problem|installation|scheduler|watchdog_worker)\.ts$/,
];
/** More than these are a step back that somebody should know of. */
const MOST_MODULES = 470;

Deno.test("grid run of one command loads what it needs, and nothing else", async () => {
  using folder = tempDir();
  const log = join(folder.path, "v8.log");
  await Deno.writeTextFile(
    join(folder.path, "p.yaml"),
    "name: one\nsteps:\n  - { id: a, node: local, run: 'true' }\n",
  );
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      // V8 names in it each script that it compiles, or has from its cache.
      `--v8-flags=--prof,--no-logfile-per-isolate,--logfile=${log}`,
      ...["--quiet", "--allow-all", "--frozen", "--config", join(REPOSITORY, "deno.json")],
      ...[join(REPOSITORY, "src/cli/main.ts"), "run", "p.yaml"],
    ],
    cwd: folder.path,
    stdin: "null",
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));

  const scripts = scriptsIn(await Deno.readTextFile(log));
  const own = scripts.filter((script) => script.startsWith("src/"));
  assert.ok(own.includes("src/steps/run.ts"), "it sees what is loaded");
  assert.deepEqual(scripts.filter((script) => UNUSED.some((it) => it.test(script))), []);
  assert.deepEqual(packagesOf(scripts), ["@noble/hashes", "yaml"]);
  assert.ok(own.length <= MOST_MODULES, `${own.length} modules of its own are loaded`);
});

/** Our own by their path in the repository, each once. */
function scriptsIn(log: string): readonly string[] {
  const names = [...log.matchAll(/^script-source,\d+,([^,]+),/gm)].map(([, name = ""]) => name);
  const root = new URL(`file://${REPOSITORY}/`).href;
  return [...new Set(names)].map((name) => name.startsWith(root) ? name.slice(root.length) : name);
}

function packagesOf(scripts: readonly string[]): readonly string[] {
  const names = scripts.flatMap((script) =>
    /\/(?:node_modules|registry\.npmjs\.org)\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/
      .exec(script)?.[1] ?? []
  );
  return [...new Set(names)].toSorted();
}
