import assert from "node:assert/strict";
import { renderFindings } from "../../../src/terminal/findings.ts";

const FINDINGS = [
  { about: "node gpu1", ok: true, words: "reachable" },
  { about: "step train", ok: false, words: "no node fits now: gpu1: 0 of 2 GPUs are free" },
];

Deno.test("renderFindings() goes on below the words, and cuts nothing", () => {
  assert.equal(
    renderFindings(FINDINGS, { color: false, width: 40 }),
    `✔ node gpu1   reachable
✖ step train  no node fits now: gpu1: 0
              of 2 GPUs are free
`,
  );
  const whole = renderFindings(FINDINGS, { color: false, width: Number.POSITIVE_INFINITY });
  assert.equal(whole.split("\n")[1], "✖ step train  no node fits now: gpu1: 0 of 2 GPUs are free");
});
