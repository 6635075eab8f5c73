import assert from "node:assert/strict";
import { Command } from "../../../../src/cli/command_line/command.ts";
import { renderHelp } from "../../../../src/cli/command_line/help.ts";
import { parseCommandLine } from "../../../../src/cli/command_line/parse.ts";
import type { GridError } from "../../../../src/core/errors.ts";
import { collect, positiveInteger } from "../../../../src/cli/option_values.ts";

function sample(): Command {
  const program = new Command("grid", "what it is");
  program.option("--json", "as data").option("--color <when>", "colours", {
    choices: ["auto", "never"],
  });
  const run = program.command("run", "run it");
  run
    .argument("<file>", "a file")
    .argument("[more...]", "more of them")
    .option("-i, --input <name=value>", "an input", { read: collect, initial: [] })
    .option("-n, --max-parallel <n>", "how many", { read: positiveInteger, initial: 4 })
    .option("--from <step>", "where to begin")
    .option("-f, --follow", "go on")
    .close("That is all.");
  const cluster = program.command("cluster", "many");
  cluster.command("start", "begin").option("--nodes <names>", "which");
  program.command("last", "the last").argument("[run]", "which run", "last");
  return program;
}

const parse = (line: string) => parseCommandLine(sample(), line.split(" ").filter(Boolean));

function read(line: string): unknown {
  const { command, words, flags } = parse(line);
  return [command.path, words, flags];
}

const USUAL = { input: [], maxParallel: 4 };

Deno.test("arguments are given in order, lists as lists, what is missing as its default", () => {
  assert.deepEqual(read("run a"), ["grid run", ["a", []], USUAL]);
  assert.deepEqual(read("run a b c"), ["grid run", ["a", ["b", "c"]], USUAL]);
  assert.deepEqual(read("last"), ["grid last", ["last"], {}]);
  assert.deepEqual(read("last x"), ["grid last", ["x"], {}]);
});

Deno.test("options stand anywhere, with their value behind a blank, an equals sign or nothing", () => {
  const wanted = ["grid run", ["a", []], { input: ["x=1"], maxParallel: 2, json: true }];
  for (
    const line of [
      "--json run a -i x=1 -n 2",
      "run --input=x=1 --max-parallel=2 a --json",
      "run -ix=1 -n2 --json a",
    ]
  ) assert.deepEqual(read(line), wanted, line);
});

Deno.test("an option that may be repeated keeps every value; of any other the last one counts", () => {
  assert.deepEqual(read("run a -i x=1 -i y=2 -n 1 -n 2"), [
    "grid run",
    ["a", []],
    { input: ["x=1", "y=2"], maxParallel: 2 },
  ]);
});

Deno.test("what follows an option is its value, even if it looks like an option", () => {
  assert.deepEqual(read("run a --from --json"), [
    "grid run",
    ["a", []],
    { ...USUAL, from: "--json" },
  ]);
  assert.deepEqual(read("run a -i -k=v -i -1"), [
    "grid run",
    ["a", []],
    { ...USUAL, input: ["-k=v", "-1"] },
  ]);
});

Deno.test("short options may be written together, the last with its value", () => {
  for (const line of ["run a -fn2", "run a -fn 2", "run -fn2 -- a"]) {
    assert.deepEqual(read(line), ["grid run", ["a", []], {
      ...USUAL,
      maxParallel: 2,
      follow: true,
    }]);
  }
});

Deno.test("after -- everything is an argument, and - is one anyway", () => {
  assert.deepEqual(read("run -f -- --json -n"), ["grid run", ["--json", ["-n"]], {
    ...USUAL,
    follow: true,
  }]);
  assert.deepEqual(read("run -"), ["grid run", ["-", []], USUAL]);
});

Deno.test("several words behind -- are one shell command, word for word", () => {
  const program = sample();
  const last = program.children.find(({ name }) => name === "last");
  assert.ok(last);
  last.takesCommand = true;
  const words = (...args: string[]) => parseCommandLine(program, ["last", ...args]).words;
  assert.deepEqual(words("--", "python", "-c", "print('a b')"), [
    `python -c 'print('\\''a b'\\'')'`,
  ]);
  assert.deepEqual(words("--", "a | b"), ["a | b"]);
  assert.deepEqual(words("--json", "--", "ls", "--color"), ["ls --color"]);
  assert.throws(() => words("echo", "a b"), (error: GridError) => {
    assert.match(error.hint ?? "", /^did you mean grid last -- echo 'a b'\?/);
    return true;
  });
});

Deno.test("commands may lie below commands", () => {
  assert.deepEqual(read("cluster start --nodes a,b"), ["grid cluster start", [], { nodes: "a,b" }]);
});

Deno.test("help and version are given whatever else stands there", () => {
  for (const line of ["--help", "-h", "help"]) {
    assert.deepEqual([parse(line).wants, parse(line).command.path], ["help", "grid"], line);
  }
  for (const line of ["run --help", "help run", "run a b -h", "--help run"]) {
    assert.deepEqual([parse(line).wants, parse(line).command.path], ["help", "grid run"], line);
  }
  assert.equal(parse("run --version").wants, "version");
});

const WRONG: readonly (readonly [line: string, message: RegExp, hint: RegExp])[] = [
  ["rnu", /unknown command "rnu"/, /^did you mean run\? grid --help/],
  ["cluster strat", /unknown command "strat"/, /^did you mean start\? grid cluster --help/],
  ["run", /<file> is missing/, /^grid run --help/],
  ["last a b", /one word too many: b$/, /grid last --help/],
  ["last a b c", /words too many: b c$/, /grid last --help/],
  ["run a --form x", /unknown option --form$/, /^did you mean --from\?/],
  ["run a --form=x", /unknown option --form$/, /^did you mean --from\?/],
  ["run a --from", /option --from needs <step>/, /grid run --help/],
  ["run a --json=1", /option --json takes no value, here is "1"/, /grid run --help/],
  ["run a -n many", /--max-parallel must be a whole number above 0, here is "many"/, /grid run/],
  ["run a -n -1", /--max-parallel must be a whole number above 0, here is "-1"/, /grid run/],
  ["run a -xf", /unknown option -xf$/, /^grid run --help/],
  ["run a -json", /unknown option -json$/, /^did you mean --json\?/],
  ["run a -f=3", /unknown option -f=3$/, /^grid run --help/],
  ["run --hlep", /unknown option --hlep$/, /^did you mean --help\?/],
  ["run a -i", /option --input needs <name=value>/, /^grid run --help/],
  ["--color nver run", /--color is one of auto, never, not "nver"/, /^did you mean never\?/],
];

for (const [line, message, hint] of WRONG) {
  Deno.test(`"grid ${line}" is refused with a way out`, () => {
    assert.throws(() => parse(line), { code: "usage", message, hint });
  });
}

Deno.test("renderHelp() explains arguments, options, those of every command, and commands", () => {
  const [run, cluster] = sample().children;
  assert.ok(run && cluster);
  const help = renderHelp(run, 60);
  const examples = /^Examples:\n(?: .*\n)+\n/m;
  assert.match(help, examples);
  assert.equal(
    help.replace(examples, ""),
    `Usage: grid run [options] <file> [more...]

run it

Arguments:
  file                      a file
  more                      more of them

Options:
  -i, --input <name=value>  an input
  -n, --max-parallel <n>    how many (default 4)
  --from <step>             where to begin
  -f, --follow              go on
  -h, --help                print this

Options of every command:
  --json                    as data
  --color <when>            colours (auto, never)

That is all.
`,
  );
  assert.match(renderHelp(cluster, 60), /^Usage: grid cluster \[options\] <command>\n/);
  assert.match(renderHelp(cluster, 60), /\nCommands:\n {2}start {11}begin\n\nExamples:\n/);
});
