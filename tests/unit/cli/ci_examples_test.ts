/** The examples for CI name commands, options and files that exist. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { grid, project, REPOSITORY } from "../../support/cli.ts";

const FOLDER = join(REPOSITORY, "examples", "ci");
/** `grid` as a command of its own, perhaps with its path. */
const GRID_LINE = /(?:^|[\s'])(?:\S*\/)?grid ((?:validate|run) [^'\n]*)/gm;

for (const name of ["github.yml", "gitlab.yml", "Jenkinsfile", "crontab"]) {
  const text = Deno.readTextFileSync(join(FOLDER, name));
  const lines = [...text.matchAll(GRID_LINE)];

  Deno.test(`examples/ci/${name}: every command, option and pipeline exists`, async () => {
    assert.ok(lines.length > 0);
    assert.doesNotMatch(text, /npx|deno task/, "these hide the process id of the run");
    using folder = project({});
    for (const [, words = ""] of lines) {
      const [command = "", ...rest] = words.trim().split(/\s+/);
      assert.ok(COMMANDS.some((known) => known.name === command), words);
      const help = await grid([command, "--help"], { cwd: folder.path });
      for (const option of rest.filter((word) => word.startsWith("-"))) {
        assert.ok(help.stdout.includes(option), `${command} has no ${option}`);
      }
      for (const path of rest.filter((word) => word.startsWith("pipelines"))) {
        assert.ok(existsSync(join(REPOSITORY, path)), path);
      }
    }
  });

  if (name.endsWith(".yml")) {
    Deno.test(`examples/ci/${name}: is good YAML`, () => assert.ok(parse(text)));
  }
}
