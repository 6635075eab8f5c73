import assert from "node:assert/strict";
import {
  caution,
  obstacle,
  preflightExitCode,
  well,
} from "../../../src/steps/preflight/finding.ts";
import { renderFindings } from "../../../src/terminal/findings.ts";

Deno.test("preflightExitCode() is what the run would exit with", () => {
  const file = obstacle("step a", "x does not exist", "step-failed");
  const node = obstacle("node b", "is down", "tcp");
  const secret = obstacle("secret C", "C is not set", "input-invalid");
  assert.equal(preflightExitCode([well("node a", "reachable"), caution("node b", "down")]), 0);
  assert.equal(preflightExitCode([file]), 1);
  assert.equal(preflightExitCode([file, node]), 3);
  assert.equal(preflightExitCode([file, node, secret]), 2);
});

Deno.test("renderFindings() marks what is well, what is worth a look, and what is in the way", () => {
  const findings = [
    well("node a", "reachable"),
    caution("node b", "is down"),
    obstacle("step train", "no node fits now", "no-node"),
  ];
  assert.equal(
    renderFindings(findings, { color: false, width: 80 }),
    "✔ node a      reachable\n! node b      is down\n✖ step train  no node fits now\n",
  );
});
