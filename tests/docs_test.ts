/** Every example in README and docs holds: pipelines load, configs load, commands exist or run. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { loadClusterConfig } from "../src/cluster/load_config.ts";
import { loadPipeline } from "../src/pipeline/load.ts";
import { COMMANDS } from "../src/cli/commands.ts";
import { project, REPOSITORY } from "./support/cli.ts";
import { askedFor, type CodeBlock, codeBlocks, gridCommands } from "./support/markdown.ts";
import { testWith } from "./support/requires.ts";

const docs = [...Deno.readDirSync(join(REPOSITORY, "docs"))].map((entry) => `docs/${entry.name}`);
const pages = ["README.md", ...docs.toSorted()].filter((page) => page.endsWith(".md"));

for (const page of pages) {
  const blocks = codeBlocks(Deno.readTextFileSync(join(REPOSITORY, page)));
  const sections = blocks.filter((block) => block.language === "yaml");

  Deno.test(`${page}: every whole pipeline and cluster config loads`, async () => {
    for (const block of sections) await loadExample(block, page);
  });

  Deno.test(`${page}: every command exists`, () => {
    const names = new Set(COMMANDS.map((command) => command.name));
    for (const block of blocks.filter((block) => block.language === "sh")) {
      for (const line of gridCommands(block)) {
        const name = line.split(" ")[1] ?? "";
        assert.ok(name.startsWith("-") || names.has(name), `${page}:${block.line}: ${line}`);
      }
    }
  });

  // What needs nodes, an index or a person is run by tests of its own, which ask for the same.
  Deno.test(`${page}: every shell line is run, here or by the tests that it names`, () => {
    for (const block of blocks.filter(({ language, run }) => language === "sh" && !run)) {
      const place = `${page}:${block.line}`;
      assert.ok(block.runBy.length > 0, `${place} is run by nobody`);
      const tests = block.runBy.map((file) => Deno.readTextFileSync(join(REPOSITORY, file))).join();
      for (const line of block.text.split("\n").filter((line) => /^\w/.test(line))) {
        const missing = askedFor(line).filter((word) =>
          !new RegExp(`[^\\w-]${word}[^\\w-]`).test(tests)
        );
        assert.deepEqual(missing, [], `${place}: nobody runs "${line}"`);
      }
    }
  });

  if (blocks.some((block) => block.run)) {
    testWith(["bash", "git"], `${page}: the lines that are said to run do run`, async () => {
      const files = Object.fromEntries(
        blocks.filter((block) => block.file !== undefined).map((block) => [block.file, block.text]),
      );
      using folder = project(files);
      for (const block of blocks.filter((block) => block.run)) {
        const { code, stdout, stderr } = await runLines(block.text, folder.path);
        assert.equal(code, 0, `${page}:${block.line}: ${stdout}\n${stderr}`);
      }
    });
  }
}

for (const page of [...pages, "CONTRIBUTING.md", "SECURITY.md"]) {
  Deno.test(`${page}: every file of the project that it names exists`, () => {
    const text = Deno.readTextFileSync(join(REPOSITORY, page));
    const named = [...text.matchAll(/`((?:src|tests|config|docs)\/[\w./-]+\.\w+)`/g)]
      .map(([, path = ""]) => path);
    assert.deepEqual(named.filter((path) => !existsSync(join(REPOSITORY, path))), []);
  });
}

Deno.test("docs/security.md: every promise names the tests that hold it", () => {
  const text = Deno.readTextFileSync(join(REPOSITORY, "docs/security.md"));
  const table = text.slice(text.indexOf("## What holds"), text.indexOf("## Out of scope"));
  const rows = table.split("\n").filter((line) => line.startsWith("| ")).slice(2);
  assert.ok(rows.length > 15);
  assert.deepEqual(rows.filter((row) => !/`tests\/[\w/]+_test\.ts`/.test(row)), []);
});

Deno.test("docs/ssh.md: every server, system and client names its tests, or says that it was tried by hand", () => {
  const text = Deno.readTextFileSync(join(REPOSITORY, "docs/ssh.md"));
  const section = text.slice(text.indexOf("## Servers, systems"), text.indexOf("## Algorithms"));
  const rows = section.split("\n").filter((line) =>
    line.startsWith("| ") && !/^\| (-|server |system |client)/.test(line)
  );
  assert.ok(rows.length > 25);
  const held = /\| (`tests\/[\w/]+(_test\.ts|check\.sh)`(, )?)+ +\|$|\| by hand +\|$/;
  assert.deepEqual(rows.filter((row) => !held.test(row)), []);
});

/** As a user's shell runs them, in a project that is not Grid's, with `grid` on PATH. */
async function runLines(text: string, cwd: string) {
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-xeuo", "pipefail", "-c", text],
    cwd,
    env: {
      PATH: `${join(REPOSITORY, "bin")}:${Deno.env.get("PATH")}`,
      GRID_DENO: Deno.execPath(),
      NO_COLOR: "1",
      // Notes there are for the whole machine, on which other tests run at the same time.
      GRID_DRAIN_DIR: cwd,
    },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A whole pipeline has `name:` and `steps:`, a whole cluster config has `nodes:`; the rest are excerpts. */
async function loadExample(block: CodeBlock, page: string): Promise<void> {
  const has = (key: string) => new RegExp(`^${key}:`, "m").test(block.text);
  using folder = project({ "example.yaml": block.text });
  const file = join(folder.path, "example.yaml");
  try {
    if (has("name") && has("steps")) {
      await loadPipeline({ file, project: folder.path, env: {}, requireInputs: false });
    } else if (has("nodes")) {
      await loadClusterConfig({ file, project: folder.path, env: {} });
    }
  } catch (cause) {
    throw new Error(`${page}:${block.line} does not load: ${cause}`, { cause });
  }
}

Deno.test("docs/architecture.md: the walk goes from import to import, in 25 files", () => {
  const page = Deno.readTextFileSync(join(REPOSITORY, "docs/architecture.md"));
  const walk = [...page.slice(page.indexOf("## A walk")).matchAll(/^\| `(src\/[\w/.]+)`/gm)]
    .map(([, path = ""]) => path);
  assert.ok(walk.length > 20 && walk.length <= 25, String(walk.length));
  const seen: string[] = [];
  for (const path of walk) {
    const text = Deno.readTextFileSync(join(REPOSITORY, path));
    assert.ok(
      path === walk[0] || seen.includes(path),
      `${path} is imported by nothing above it`,
    );
    // Types, too: the engine knows kinds of steps by their port alone.
    const imports = [...text.matchAll(/(?:from |import\()\s*"(\.[^"]+)"/g)];
    seen.push(...imports.map(([, specifier = ""]) => join(path, "..", specifier)));
  }
});

Deno.test("docs/architecture.md: what a room may import is what the test of the house says", async () => {
  const page = Deno.readTextFileSync(join(REPOSITORY, "docs/architecture.md"));
  const rows = [...page.matchAll(/^\| `(\w+)` +\|[^|]*\| ((?:`\w+`(?:, )?)+|nothing) +\|$/gm)];
  const told = Object.fromEntries(
    rows.map(([, room = "", list = ""]) => [
      room,
      [...list.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name).toSorted(),
    ]),
  );
  assert.ok(rows.length > 12);
  const { MAY_IMPORT } = await import("./support/rooms.ts");
  for (const [room, list] of Object.entries(told)) {
    assert.deepEqual(list, [...MAY_IMPORT[room] ?? ["?"]].toSorted(), room);
  }
});
