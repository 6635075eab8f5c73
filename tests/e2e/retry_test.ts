import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, project } from "../support/cli.ts";

const FAILS_TWICE = `
name: flaky
steps:
  - id: flaky
    node: local
    retry: { max: 2, on: [any], delay: 100ms }
    run: |
      count=$(cat count 2>/dev/null || echo 0)
      echo $((count + 1)) > count
      test "$count" -ge 2
`;

Deno.test("a step that fails twice succeeds on attempt 3, and the report has all three", async () => {
  using folder = project({ "flaky.yaml": FAILS_TWICE });
  const { code, stdout, stderr } = await grid(["run", "flaky.yaml", "--json"], {
    cwd: folder.path,
  });
  assert.equal(code, 0, stderr);
  const report = JSON.parse(stdout);
  const attempts = report.steps[0].attempts;
  assert.deepEqual(attempts.map((each: { result: string }) => each.result), [
    "failed",
    "failed",
    "succeeded",
  ]);
  for (const attempt of attempts.slice(0, 2)) {
    assert.ok(attempt.retryInMs >= 0 && attempt.retryInMs <= 200, `delay ${attempt.retryInMs}`);
  }
  assert.equal(attempts[2].retryInMs, null);
  assert.equal(Deno.readTextFileSync(join(folder.path, "count")).trim(), "3");
});
