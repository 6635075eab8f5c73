/** What `grid run "command"` is given to read, as its users give it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { quoteAll } from "../../src/core/shell.ts";
import { grid, programArgs, project } from "../support/cli.ts";
import { testWith } from "../support/requires.ts";

const program = quoteAll([Deno.execPath(), ...programArgs([])]);

/** A line of a user's shell, in which `grid` is the program. */
async function shell(line: string, cwd: string) {
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", `grid() { ${program} "$@"; }\n${line}`],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
    signal: AbortSignal.timeout(120_000),
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, stdout: out ?? "", stderr: err ?? "" };
}

testWith(["bash", "python3"], "grid run gives a command what a pipe or a file holds", async () => {
  using folder = project({ "up.txt": "one\ntwo\n" });
  const { stdout, stderr } = await shell(
    [
      `echo 'print(6*7)' | grid run "python3 -"`,
      `grid run "cat >$PWD/copy.txt" <up.txt`,
      "grid run -- wc -l <up.txt",
      `grid run cat </dev/null`,
      `grid run cat <&-`,
    ].join("\n"),
    folder.path,
  );
  assert.equal(stdout, "42\n2\n", stderr);
  assert.equal(Deno.readTextFileSync(join(folder.path, "copy.txt")), "one\ntwo\n");
});

testWith(["bash"], "grid run --no-stdin leaves the input to whoever is next", async () => {
  using folder = project({});
  const loop = (option: string) =>
    `printf 'a\\nb\\n' | while read -r name; do grid run ${option} "cat; echo $name"; done`;
  assert.equal((await shell(loop("--no-stdin").replace("$name", "\\$name"), folder.path)).code, 0);
  const apart = await shell(loop("--no-stdin"), folder.path);
  assert.equal(apart.stdout, "a\nb\n", apart.stderr);
  assert.equal((await shell(loop(""), folder.path)).stdout, "b\na\n");
});

/** Runs a program whose input stays open behind `words`. */
async function withOpenInput(args: readonly string[], cwd: string, words: string) {
  const [command = "", ...rest] = args;
  const child = new Deno.Command(command, {
    args: rest,
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(120_000),
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(words));
  const { code, stdout } = await child.output();
  await writer.abort().catch(() => {});
  return { code, stdout: new TextDecoder().decode(stdout) };
}

Deno.test("grid run ends with its command, whoever still writes", async () => {
  using folder = project({});
  const args = [Deno.execPath(), ...programArgs(["run", "read -r line; echo $line; exit 3"])];
  const { code, stdout } = await withOpenInput(args, folder.path, "first\n");
  assert.equal(stdout, "first\n");
  assert.equal(code, 1);
});

testWith(["script"], "grid run reads what is typed at its terminal", async () => {
  using folder = project({});
  const inside = `${program} run 'read -r name; echo hello $name'`;
  const args = ["script", "-qec", inside, "/dev/null"];
  const { stdout } = await withOpenInput(args, folder.path, "world\n");
  assert.match(stdout, /hello world/);
});

Deno.test("a step that asks in vain is told so, and one that only fails is not", async () => {
  using folder = project({
    "ask.yaml": "steps:\n  - { id: a, run: 'printf \"Go on? [y/N] \"; read -r answer' }\n",
    "fail.yaml": "steps:\n  - { id: a, run: 'echo broken; exit 1' }\n",
  });
  const asks = await grid(["run", "ask.yaml"], { cwd: folder.path });
  assert.equal(asks.code, 1);
  assert.match(asks.stderr, /hint: it seems to have asked something, and nobody can answer a step/);
  const fails = await grid(["run", "fail.yaml"], { cwd: folder.path });
  assert.equal(fails.code, 1);
  assert.doesNotMatch(fails.stderr, /asked something/);
});
