import assert from "node:assert/strict";
import { ItemLines } from "../../../src/cli/item_lines.ts";

const LOG = "[1] one\n[11] eleven\ntask 1 failed\n[1] [11] one again\n[1] cut";

Deno.test("ItemLines keeps one task's lines, however the log is cut", () => {
  const bytes = new TextEncoder().encode(LOG);
  for (let size = 1; size <= bytes.length; size++) {
    const lines = new ItemLines(1);
    let text = "";
    for (let at = 0; at < bytes.length; at += size) {
      text += new TextDecoder().decode(lines.push(bytes.subarray(at, at + size)));
    }
    assert.equal(text, "one\n[11] one again\n");
  }
});
