import assert from "node:assert/strict";
import { tellingLine } from "../../../src/ray/node_script.ts";

Deno.test("tellingLine() passes over the log of a start that went well", () => {
  assert.equal(
    tellingLine(
      "Exception: Failed to start the dashboard, return code -9\n" +
        "The last 20 lines of /tmp/ray/dashboard.log:\n" +
        "2026-11-29 15:26:44,042\tINFO head.py:332 -- Loaded 9 subprocess modules: [<x>].\n",
    ),
    "Exception: Failed to start the dashboard, return code -9",
  );
  assert.equal(
    tellingLine("it cannot reach the head at 10.0.0.7:6379\n"),
    "it cannot reach the head at 10.0.0.7:6379",
  );
  assert.equal(tellingLine("others hold them\n"), "others hold them");
  assert.equal(
    tellingLine("2026-11-29\tINFO scripts.py:1 -- Ray runtime started\n"),
    "it ended, and gave no reason",
  );
  assert.equal(tellingLine("\n"), "it said nothing");
});
