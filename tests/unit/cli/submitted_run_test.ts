import assert from "node:assert/strict";
import { asRun } from "../../../src/cli/submitted_run.ts";

Deno.test("asRun() changes the command's name, and nothing that only looks like it", () => {
  const cases = [
    [["submit", "p.yaml", "-i", "a=b"], ["run", "p.yaml", "-i", "a=b"]],
    [["--config", "submit", "submit", "submit"], ["--config", "submit", "run", "submit"]],
    [["--config=x", "--quiet", "submit", "p.yaml"], ["--config=x", "--quiet", "run", "p.yaml"]],
    [["submit", "--json", "p.yaml"], ["run", "p.yaml"]],
    [["submit", "--restart", "p.yaml"], ["run", "p.yaml"]],
    [["--json", "submit", "--", "tool", "--json"], ["run", "--", "tool", "--json"]],
  ] as const;
  for (const [given, wanted] of cases) assert.deepEqual(asRun(given), wanted);
});
