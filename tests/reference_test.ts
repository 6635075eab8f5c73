/** Everything that people can write or set is told in the documentation, two steps from README at most. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Command } from "../src/cli/command_line/command.ts";
import { processContext } from "../src/cli/context.ts";
import { wholeProgram } from "../src/cli/program.ts";
import { EXIT_CODES } from "../src/core/errors.ts";
import { REPOSITORY } from "./support/cli.ts";

const read = (path: string) => Deno.readTextFileSync(join(REPOSITORY, path));
const names = [...Deno.readDirSync(join(REPOSITORY, "docs"))].map(({ name }) => `docs/${name}`)
  .filter((name) => name.endsWith(".md"));
const pages = new Map(["README.md", ...names.toSorted()].map((page) => [page, read(page)]));
const text = [...pages.values()].join("\n");

/** As a word of its own: `--node` is not told by `--nodes`. */
const isTold = (word: string) =>
  new RegExp(`(?<![\\w-])${RegExp.escape(word)}(?![\\w-])`).test(text);

Deno.test("every command and option is told", async () => {
  const untold = commandsOf(await wholeProgram(processContext())).flatMap((command) => [
    ...(isTold(command.path) ? [] : [command.path]),
    ...command.options.map(({ long }) => long).filter((flag) => !isTold(flag))
      .map((flag) => `${command.path} ${flag}`),
  ]);
  assert.deepEqual(untold, []);
});

for (const schema of ["pipeline", "cluster_config"]) {
  Deno.test(`every key of ${schema}.schema.json is told`, () => {
    const keys = keysOf(JSON.parse(read(`config/${schema}.schema.json`)));
    assert.ok(keys.size > 40);
    assert.deepEqual([...keys].filter((key) => !isTold(key)), []);
  });
}

Deno.test("every exit code and every kind of failure is told", () => {
  const table = /\n## Exit codes\n([^]*?)(?=\n## |$)/.exec(pages.get("docs/command_line.md") ?? "");
  const told = [...(table?.[1] ?? "").matchAll(/^\| ([\d/]+) +\|/gm)]
    .flatMap(([, codes = ""]) => codes.split("/").map(Number));
  const codes = new Set([0, ...Object.values(EXIT_CODES)]);
  assert.deepEqual(told.toSorted(), [...codes].toSorted());
  assert.deepEqual(Object.keys(EXIT_CODES).filter((kind) => !isTold(kind)), []);
});

Deno.test("every variable that Grid reads or sets is told", () => {
  const found = [...sourcesOf("src")].flatMap((path) =>
    [...read(path).matchAll(/(?<![\w$])GRID_[A-Z0-9_]+/g)].map(([name]) => name)
  );
  const untold = [...new Set(found)].filter((name) => !INNER.has(name) && !isTold(name));
  assert.deepEqual(untold.toSorted(), []);
});

/** From one program of Grid's to another, and set anew by each: nobody can set them. */
const INNER = new Set([
  "GRID_AFTER",
  "GRID_BATCH",
  "GRID_BEFORE",
  "GRID_BOOT",
  "GRID_CHANNEL",
  "GRID_DATA_", // with a name behind it
  "GRID_INNER",
  "GRID_INPUT_", // with a name behind it
  "GRID_KEPT_",
  "GRID_LOGIN",
  "GRID_OUTER",
  "GRID_RAY_NODE",
  "GRID_RECORD",
  "GRID_RECORDED",
  "GRID_SCRIPT",
  "GRID_SUBMITTED_PROBLEM",
  "GRID_SUBMITTED_RESTART",
  "GRID_SUBMITTED_RUN",
  "GRID_SUBMITTED_SECRETS",
]);

Deno.test("every page is found from README in two steps", () => {
  const linked = (page: string) =>
    [...(pages.get(page) ?? "").matchAll(/\]\((?:docs\/)?(\w+\.md)/g)].map(([, name]) =>
      `docs/${name}`
    );
  const first = linked("README.md");
  const found = new Set([...first, ...first.flatMap(linked)]);
  assert.deepEqual(
    [...pages.keys()].filter((page) => page !== "README.md" && !found.has(page)),
    [],
  );
});

function commandsOf(command: Command): Command[] {
  return [command, ...command.children.flatMap(commandsOf)];
}

/** What stands under `properties`, at any depth. */
function keysOf(schema: unknown): Set<string> {
  if (typeof schema !== "object" || schema === null) return new Set();
  const own = "properties" in schema && !Array.isArray(schema) ? schema.properties : undefined;
  const keys = typeof own === "object" && own !== null && !("type" in own) ? Object.keys(own) : [];
  return new Set([...keys, ...Object.values(schema).flatMap((part) => [...keysOf(part)])]);
}

function* sourcesOf(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(join(REPOSITORY, folder))) {
    if (isDirectory) yield* sourcesOf(`${folder}/${name}`);
    else if (/\.(ts|sh|py)$/.test(name)) yield `${folder}/${name}`;
  }
}

Deno.test("every variable that makes tests larger is told", () => {
  const found = [...sourcesOf("tests")].flatMap((path) =>
    [...read(path).matchAll(/Deno\.env\.get\("(GRID_TEST_[A-Z_]+)"\)/g)].map(([, name = ""]) =>
      name
    )
  );
  const told = new Set([...new Set(found)].filter(isTold));
  // Where real parts lie, which `.ci/run` says, and what a test hides from a command.
  const places =
    /_(VENV|TOOLS|READERS|SMI|STATIC|CHECKS|SHARED|REQUIRE|HIDDEN|UNUSED|GONE|MARK|HOME|TOKEN)$/;
  assert.deepEqual([...new Set(found)].filter((name) => !told.has(name) && !places.test(name)), []);
});
