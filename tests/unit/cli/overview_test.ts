import assert from "node:assert/strict";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { GLOBAL_OPTIONS } from "../../../src/cli/global_options.ts";
import { renderOverview } from "../../../src/cli/overview.ts";
import { grid, project } from "../../support/cli.ts";
import { assertGolden } from "../../support/golden.ts";

Deno.test("renderOverview() names every command and every option, within 100 columns", () => {
  const text = renderOverview();
  for (const { name } of COMMANDS) assert.match(text, new RegExp(`^  ${name} `, "m"));
  for (const { flags } of GLOBAL_OPTIONS) assert.ok(text.includes(flags), flags);
  for (const line of text.split("\n")) assert.ok(line.length <= 100, line);
  assertGolden("cli/overview.txt", text);
});

Deno.test("the overview is the same whichever way it is asked for", async () => {
  using folder = project({});
  const options = { cwd: folder.path };
  for (const args of [["--help"], ["-h"], ["help"], ["--json", "--help"]]) {
    const { code, stdout } = await grid(args, options);
    assert.deepEqual([code, stdout], [0, renderOverview()], args.join(" "));
  }
  const nothing = await grid([], options);
  assert.deepEqual([nothing.code, nothing.stdout, nothing.stderr], [2, "", renderOverview()]);
});

Deno.test("every command has a help of its own, with the options of all commands", async () => {
  using folder = project({});
  for (const { name } of COMMANDS) {
    const { code, stdout } = await grid([name, "--help"], { cwd: folder.path });
    assert.equal(code, 0, name);
    assert.match(stdout, new RegExp(`^Usage: grid ${name} `), name);
    assert.match(stdout, /--config <file>/, name);
  }
});
