import assert from "node:assert/strict";
import { warnings } from "../../../support/warnings.ts";

Deno.test("a limit that another one hides is warned of, at its value", async () => {
  assert.deepEqual(
    await warnings(`
defaults:
  timeout: { idle: 2h, total: 1h }
steps:
  - id: a
    run: "true"
    timeout: { total: 1h, attempt: 90m }
    retry: { max: 2, delay: 5m, max-delay: 1m }
`),
    [
      "3:20 idle: 2h is longer than total: 1h, so it has no effect",
      "7:36 attempt: 90m is longer than total: 1h, so it has no effect",
      "8:29 delay: 5m is longer than max-delay: 1m, so it has no effect",
    ],
  );
});

Deno.test("limits that fit together, and short forms, are not warned of", async () => {
  assert.deepEqual(
    await warnings(`
steps:
  - { id: a, run: "true", timeout: 1h, retry: 3 }
  - id: b
    run: "true"
    timeout: { total: 1h, attempt: 1h, idle: 10m, kill-grace: 2h }
    retry: { delay: 1s, max-delay: 1s }
`),
    [],
  );
});
