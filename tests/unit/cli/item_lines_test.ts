import assert from "node:assert/strict";
import { ItemLines } from "../../../src/cli/item_lines.ts";

const LOG = "[1] one\n[11] eleven\ntask 1 failed\n[1] [11] one again\n[1] cut";

Deno.test("ItemLines keeps one rank's lines, wherever it ran", () => {
  const log = "[1 g1] one\n[11 g1] eleven\n[1] no rank\n[0 g1] [1 g2] zero\n[1 g-2] [1 x] more\n";
  const lines = new ItemLines({ rank: 1 });
  const text = new TextDecoder().decode(lines.push(new TextEncoder().encode(log)));
  assert.equal(text, "one\n[1 x] more\n");
});

Deno.test("ItemLines keeps one task's lines, however the log is cut", () => {
  const bytes = new TextEncoder().encode(LOG);
  for (let size = 1; size <= bytes.length; size++) {
    const lines = new ItemLines({ item: 1 });
    let text = "";
    for (let at = 0; at < bytes.length; at += size) {
      text += new TextDecoder().decode(lines.push(bytes.subarray(at, at + size)));
    }
    assert.equal(text, "one\n[11] one again\n");
  }
});
