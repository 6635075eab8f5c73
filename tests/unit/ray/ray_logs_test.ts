import assert from "node:assert/strict";
import { parseRayLogs } from "../../../src/ray/ray_logs.ts";

Deno.test("parseRayLogs() takes files and their lines apart", () => {
  const answer =
    "from\tkept\t/w/ray-logs/1\nfile\t12\ta\tb.log\n\tone\n\t\ttwo\n\nfile\t0\tc.err\nmore\n";
  assert.deepEqual(parseRayLogs("n1", answer), {
    node: "n1",
    from: "kept",
    folder: "/w/ray-logs/1",
    files: [
      { name: "a\tb.log", bytes: 12, text: "one\n\ttwo" },
      { name: "c.err", bytes: 0, text: "" },
    ],
    isCut: true,
  });
});

Deno.test("parseRayLogs() of a node where Ray has not run", () => {
  assert.deepEqual(parseRayLogs("n1", ""), {
    node: "n1",
    from: undefined,
    folder: undefined,
    files: [],
    isCut: false,
  });
});
