import assert from "node:assert/strict";
import { story } from "../support/story.ts";

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

story(
  "a step that fails twice succeeds on attempt 3, and the report has all three",
  { "flaky.yaml": FAILS_TWICE },
  async ({ when, read }) => {
    const report = (await when("run flaky.yaml --json")).json();
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
    assert.equal(read("count").trim(), "3");
  },
);
