/** `grid run … | head -1`: the reader goes away while commands still run on nodes. */
import assert from "node:assert/strict";
import { grid, programArgs, project, until } from "../support/cli.ts";
import { processesWith } from "../support/processes.ts";
import { quoteAll } from "../../src/core/shell.ts";
import type { TempDir } from "../support/temp_dir.ts";

const PIPELINE = `name: endless
steps:
  - id: work
    node: local
    timeout: { kill-grace: 1s }
    run: while :; do echo more; sleep 0.02; done
hooks:
  exit: [{ run: echo bye >> diary, node: local }]
`;

/** The program's own exit code, with its output read by `head`. */
async function intoHead(
  folder: TempDir,
  { args, redirect = "" }: { readonly args: readonly string[]; readonly redirect?: string },
): Promise<{ readonly code: number; readonly stdout: string }> {
  const words = quoteAll([Deno.execPath(), ...programArgs(args)]);
  const script = `{ ${words} ${redirect}; echo $? >code; } | head -n 1`;
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", script],
    cwd: folder.path,
    env: { NO_COLOR: "1", MARK: folder.path },
    stdin: "null",
    stderr: "null",
    signal: AbortSignal.timeout(60_000),
  }).output();
  return {
    code: Number(Deno.readTextFileSync(`${folder.path}/code`)),
    stdout: new TextDecoder().decode(stdout),
  };
}

async function lastResult(folder: TempDir): Promise<unknown> {
  const { stdout } = await grid(["report", "--json"], { cwd: folder.path });
  const { result, exitCode } = JSON.parse(stdout);
  return { result, exitCode };
}

Deno.test("a command whose output nobody reads any more is ended on its node", async () => {
  using folder = project({});
  const command = "while :; do echo more; sleep 0.02; done";
  const { code, stdout } = await intoHead(folder, { args: ["run", command] });
  assert.deepEqual({ code, stdout }, { code: 141, stdout: "more\n" });
  assert.deepEqual(processesWith(`MARK=${folder.path}`), []);
  assert.deepEqual(await lastResult(folder), { result: "cancelled", exitCode: 141 });
});

Deno.test("a pipeline whose words nobody reads any more is cancelled, hooks and report included", async () => {
  using folder = project({ "p.yaml": PIPELINE });
  const { code } = await intoHead(folder, { args: ["run", "p.yaml"], redirect: "2>&1" });
  assert.equal(code, 141);
  assert.deepEqual(processesWith(`MARK=${folder.path}`), []);
  assert.equal(Deno.readTextFileSync(`${folder.path}/diary`), "bye\n");
  assert.deepEqual(await lastResult(folder), { result: "cancelled", exitCode: 141 });
});

Deno.test("Ctrl-C that ends the reader too, as with tee, still cancels, cleans up and reports", async () => {
  using folder = project({ "p.yaml": PIPELINE });
  const child = new Deno.Command(Deno.execPath(), {
    args: programArgs(["run", "p.yaml"]),
    cwd: folder.path,
    env: { NO_COLOR: "1", MARK: folder.path },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const reader = child.stderr.getReader();
  await until(() => processesWith(`MARK=${folder.path}`).length > 1, { what: "the step" });
  await reader.cancel();
  child.kill("SIGINT");
  const { code } = await child.status;
  assert.ok([130, 141].includes(code), `${code}`);
  assert.deepEqual(processesWith(`MARK=${folder.path}`), []);
  assert.equal(Deno.readTextFileSync(`${folder.path}/diary`), "bye\n");
  assert.deepEqual(await lastResult(folder), { result: "cancelled", exitCode: code });
});

Deno.test("a list whose reader goes away ends quietly", async () => {
  using folder = project({ "p.yaml": PIPELINE.replace(/run: while.*/, "run: 'true'") });
  for (let run = 0; run < 2; run++) await grid(["run", "p.yaml"], { cwd: folder.path });
  const { stdout } = await intoHead(folder, { args: ["runs"] });
  assert.match(stdout, /^RUN/);
});
