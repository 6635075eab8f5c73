/** Completions in real shells, the manual page, and the examples that both help and manual show. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { EXAMPLES } from "../../src/cli/command_line/examples.ts";
import { parseCommandLine } from "../../src/cli/command_line/parse.ts";
import type { Command } from "../../src/cli/command_line/command.ts";
import { processContext } from "../../src/cli/context.ts";
import { wholeProgram } from "../../src/cli/program.ts";
import { grid, project, REPOSITORY } from "../support/cli.ts";
import { testWith } from "../support/requires.ts";

const PATH = `${join(REPOSITORY, "bin")}:${Deno.env.get("PATH")}`;

async function shell(program: string, script: string, cwd: string): Promise<string[]> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...(program === "zsh" ? ["-f"] : []), "-c", script],
    cwd,
    env: { PATH, GRID_DENO: Deno.execPath() },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  assert.equal(code, 0, decoder.decode(stderr));
  return decoder.decode(stdout).split("\n").filter((line) => line !== "");
}

const PIPELINE =
  "name: p\ninputs: { epochs: { default: 1 } }\nsteps:\n  - { id: train, run: echo x }\n  - { id: eval, run: echo y }\n";

testWith(["bash"], "bash completes commands, options, nodes, runs and steps", async () => {
  using folder = project({ "p.yaml": PIPELINE });
  assert.equal((await grid(["run", "p.yaml"], { cwd: folder.path })).code, 0);
  const complete = (...words: readonly string[]) => {
    const list = words.map((word) => `'${word}'`).join(" ");
    return shell(
      "bash",
      `source <(grid completions bash); COMP_WORDS=(grid ${list}); COMP_CWORD=${words.length}
       _grid; printf '%s\\n' "\${COMPREPLY[@]}"`,
      folder.path,
    );
  };
  assert.deepEqual(await complete("val"), ["validate"]);
  assert.deepEqual(await complete("health", "--ex"), ["--explain"]);
  assert.deepEqual(await complete("run", "true", "--node", ""), ["local1", "local2"]);
  assert.deepEqual(await complete("health", "--nodes", "local1,l"), [
    "local1\\,local1",
    "local1\\,local2",
  ]);
  const [first, second, ...more] = await complete("logs", "");
  assert.deepEqual([first, more], ["last", []]);
  assert.match(second ?? "", /^\d{8}-\d{6}-\w{4}$/);
  assert.deepEqual(await complete("logs", "last", ""), ["train", "eval"]);
  assert.deepEqual(await complete("logs", "nothing", ""), []);
  assert.deepEqual(await complete("run", "p.yaml", "--only", ""), ["train", "eval"]);
  assert.deepEqual(await complete("plan", "p.yaml", "-i", "ep"), ["epochs="]);
  // What is behind a door has a name, too.
  assert.deepEqual((await complete("shell", "")).slice(0, 4), [
    "local1",
    "local2",
    "local",
    "last",
  ]);
  assert.deepEqual(await complete("forward", "loc"), ["local1", "local2", "local"]);
  const serving = `name: s
steps:
  - { id: board, service: { ready: { run: "true" } }, run: sleep 60 }
`;
  Deno.writeTextFileSync(join(folder.path, "s.yaml"), serving);
  const served = await grid(["run", "s.yaml"], { cwd: folder.path });
  assert.equal(served.code, 0, served.stderr);
  assert.deepEqual((await complete("forward", "")).slice(0, 2), ["board", "local1"]);
  assert.deepEqual((await complete("services", "stop", "")).slice(0, 2), ["board", "last"]);
});

testWith(["fish"], "fish completes, with a word on each", async () => {
  using folder = project({ "p.yaml": PIPELINE, "pipelines/q.yaml": PIPELINE });
  const complete = (line: string) =>
    shell("fish", `grid completions fish | source; complete -C '${line}'`, folder.path);
  assert.deepEqual(await complete("grid val"), [
    "validate\tcheck pipeline files and show every mistake",
  ]);
  assert.deepEqual(await complete("grid cluster st"), [
    "start\tstart Ray on the nodes and see that every one joined",
    "status\tshow which nodes carry Ray, and who uses it",
    "stop\tend exactly what start began",
  ]);
  assert.ok((await complete("grid validate pipe")).some((line) => line.startsWith("pipelines/")));
});

testWith(["zsh"], "zsh is handed the same names", async () => {
  using folder = project({});
  // What zsh shows needs a terminal; what it is told to show does not.
  const lines = await shell(
    "zsh",
    `compdef() { :; }; _describe() { print -rl -- "\${(@P)2}" }; _files() { print FILES }
     source <(grid completions zsh)
     words=(grid val); CURRENT=2; _grid
     words=(grid run p); CURRENT=3; _grid; true`,
    folder.path,
  );
  assert.deepEqual(lines, ["validate:check pipeline files and show every mistake", "FILES"]);
});

testWith(
  ["groff"],
  "the manual page names every command and option, and its reader has no complaint",
  async () => {
    using folder = project({});
    const { stdout } = await grid(["man"], { cwd: folder.path });
    const path = join(folder.path, "grid.1");
    Deno.writeTextFileSync(path, stdout);
    const [shown = "", complaints = ""] = await read(path);
    assert.equal(complaints, "");
    const program = await wholeProgram(processContext());
    for (const command of all(program).slice(1)) {
      assert.ok(shown.includes(command.path), command.path);
      for (const { long } of command.options) assert.ok(shown.includes(long), long);
    }
  },
);

async function read(path: string): Promise<string[]> {
  const { stdout, stderr } = await new Deno.Command("groff", {
    args: ["-man", "-Tutf8", "-ww", "-P-cbou", path],
    env: { MANWIDTH: "200" },
  }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout).replaceAll("\u2010", "-").replaceAll("\u2212", "-");
  return [text, decoder.decode(stderr)];
}

function all(command: Command): Command[] {
  return [command, ...command.children.flatMap(all)];
}

Deno.test("every command has an example, and every example is a command line", async () => {
  const program = await wholeProgram(processContext());
  for (const { path } of all(program).slice(1)) {
    assert.ok(EXAMPLES[path] !== undefined, `${path} has no example`);
  }
  for (const [path, examples] of Object.entries(EXAMPLES)) {
    for (const { line } of examples) {
      const words = line.replace(/ [<>|].*$/, "").match(/"[^"]*"|\S+/g) ?? [];
      const args = words.slice(1).map((word) => word.replaceAll('"', ""));
      assert.ok(line.startsWith(path), line);
      const { command } = parseCommandLine(program, args);
      assert.ok(command.path.startsWith(path), line);
    }
  }
});
