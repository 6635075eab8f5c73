import assert from "node:assert/strict";
import { join } from "node:path";
import type { CliContext } from "../../../src/cli/context.ts";
import { findProject, readSettings } from "../../../src/cli/settings.ts";
import { tempDir } from "../../support/temp_dir.ts";

function contextIn(cwd: string, more: Partial<CliContext> = {}): CliContext {
  return {
    args: [],
    env: {},
    cwd,
    stdout: () => {},
    stderr: () => {},
    stderrBytes: () => {},
    ask: () => undefined,
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    columns: () => 80,
    rows: () => 24,
    onSignal: () => ({ [Symbol.dispose]: () => {} }),
    onOutputProblem: () => ({ [Symbol.dispose]: () => {} }),
    outputLost: () => undefined,
    exit: () => {
      throw new Error("exit");
    },
    ...more,
  };
}

Deno.test("findProject() finds the nearest folder upward that holds .grid", () => {
  using folder = tempDir();
  const deep = join(folder.path, "a", "b");
  Deno.mkdirSync(deep, { recursive: true });
  Deno.mkdirSync(join(folder.path, ".grid"));
  assert.equal(findProject(deep), folder.path);
});

Deno.test("findProject() stays where it is when nothing marks a project", () => {
  using folder = tempDir();
  assert.equal(findProject(folder.path), folder.path);
});

Deno.test("readSettings() resolves --config from the current folder", () => {
  using folder = tempDir();
  const settings = readSettings({ config: "x.yaml" }, contextIn(folder.path));
  assert.equal(settings.configFile, join(folder.path, "x.yaml"));
});

Deno.test("readSettings() colours terminals only, unless told otherwise", () => {
  using folder = tempDir();
  const terminal = { stderrIsTerminal: true };
  const stderr = (flags: { color?: string }, more: Partial<CliContext>) =>
    readSettings(flags, contextIn(folder.path, more)).color.stderr;
  assert.equal(stderr({}, terminal), true);
  assert.equal(stderr({}, {}), false);
  assert.equal(stderr({}, { ...terminal, env: { NO_COLOR: "1" } }), false);
  assert.equal(stderr({ color: "always" }, {}), true);
  assert.equal(stderr({ color: "never" }, terminal), false);
});
