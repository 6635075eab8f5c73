import assert from "node:assert/strict";
import { join } from "node:path";
import type { CliContext } from "../../../src/cli/context.ts";
import { readSettings } from "../../../src/cli/settings.ts";
import { tempDir } from "../../support/temp_dir.ts";

function contextIn(cwd: string, more: Partial<CliContext> = {}): CliContext {
  return {
    args: [],
    env: {},
    cwd,
    stdout: () => {},
    stderr: () => {},
    stderrBytes: () => {},
    input: () => undefined,
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

Deno.test("readSettings() says once which config was taken from another folder", () => {
  using folder = tempDir();
  const deep = join(folder.path, "a", "b");
  Deno.mkdirSync(deep, { recursive: true });
  Deno.mkdirSync(join(folder.path, "config"));
  Deno.writeTextFileSync(join(folder.path, "config", "cluster_config.yaml"), "nodes: [n1]\n");
  const said: string[] = [];
  const context = contextIn(deep, { stderr: (text) => void said.push(text) });
  assert.equal(readSettings({}, context).project, folder.path);
  readSettings({}, context);
  assert.deepEqual(said, ["note: nodes are those of ../../config/cluster_config.yaml\n"]);
  readSettings({ quiet: true }, { ...context });
  readSettings({ config: "x.yaml" }, { ...context });
  assert.equal(said.length, 1);
});

Deno.test("readSettings() takes GRID_CONFIG for --config, which comes first", () => {
  using folder = tempDir();
  const context = contextIn(folder.path, { env: { GRID_CONFIG: "env.yaml" } });
  assert.equal(readSettings({}, context).configFile, join(folder.path, "env.yaml"));
  const { configFile } = readSettings({ config: "flag.yaml" }, context);
  assert.equal(configFile, join(folder.path, "flag.yaml"));
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
