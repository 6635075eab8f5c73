import assert from "node:assert/strict";
import { join } from "node:path";
import type { CliContext } from "../../../src/cli/context.ts";
import { reportProblem } from "../../../src/cli/report_problem.ts";
import { GridError } from "../../../src/core/errors.ts";
import { tempDir } from "../../support/temp_dir.ts";

const PROBLEM = new GridError({ code: "no-node", message: "Cannot choose a node", hint: "wait" });

/** Reports it with a file for it, and tells the exit code and the words. */
function reported(problemFile: string): { readonly code: number; readonly said: string } {
  let said = "";
  const context = {
    args: ["run", "x"],
    env: {},
    stderrIsTerminal: false,
    problemFile,
    stdout: () => {},
    stderr: (text: string) => void (said += text),
    columns: () => 80,
  };
  return { code: reportProblem(PROBLEM, context as unknown as CliContext), said };
}

Deno.test("a problem is left as data for who started the process, and told in words", () => {
  using folder = tempDir();
  const file = join(folder.path, "problem");
  Deno.writeTextFileSync(file, "");
  const { code, said } = reported(file);
  assert.equal(code, 3);
  assert.match(said, /Cannot choose a node/);
  assert.equal(JSON.parse(Deno.readTextFileSync(file)).code, "no-node");
});

Deno.test("a problem that cannot be left as data is told all the same", () => {
  using folder = tempDir();
  // Gone, no file, and a device that is always full.
  for (const file of [join(folder.path, "gone"), folder.path, "/dev/full"]) {
    const { code, said } = reported(file);
    assert.equal(code, 3);
    assert.match(said, /Cannot choose a node/);
  }
});
