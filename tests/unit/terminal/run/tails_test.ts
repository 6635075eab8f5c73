import assert from "node:assert/strict";
import { TAIL_LINES, Tails } from "../../../../src/terminal/run/tails.ts";

function push(tails: Tails, text: string, more: { attempt?: number; stream?: "stderr" } = {}) {
  const { attempt = 1, stream = "stdout" } = more;
  tails.push({ step: "train", attempt, stream, bytes: new TextEncoder().encode(text) });
}

Deno.test("Tails: keeps the last lines of both streams in the order they came", () => {
  const tails = new Tails();
  push(tails, "out 1\n");
  push(tails, "err 1\n", { stream: "stderr" });
  push(tails, "out 2\nunfinished");
  assert.deepEqual(tails.lines("train"), ["out 1", "err 1", "out 2", "unfinished"]);
});

Deno.test("Tails: keeps no more than the summary shows", () => {
  const tails = new Tails();
  for (let line = 1; line <= 1000; line++) push(tails, `line ${line}\n`);
  const lines = tails.lines("train");
  assert.equal(lines.length, TAIL_LINES);
  assert.equal(lines.at(-1), "line 1000");
  push(tails, Array.from({ length: 500 }, (_, at) => `burst ${at}\n`).join(""));
  assert.deepEqual(tails.lines("train").at(0), `burst ${500 - TAIL_LINES}`);
});

Deno.test("Tails: a new attempt begins anew", () => {
  const tails = new Tails();
  push(tails, "first\n");
  push(tails, "second\n", { attempt: 2 });
  assert.deepEqual(tails.lines("train"), ["second"]);
});

Deno.test("Tails: the last line is the last that holds anything", () => {
  const tails = new Tails();
  assert.equal(tails.lastLine("train"), undefined);
  push(tails, "epoch 3\n\n   \n");
  assert.equal(tails.lastLine("train"), "epoch 3");
  push(tails, "50%\r60%");
  assert.equal(tails.lastLine("train"), "60%");
});

Deno.test("Tails: what is forgotten is gone", () => {
  const tails = new Tails();
  push(tails, "x\n");
  tails.forget("train");
  assert.deepEqual(tails.lines("train"), []);
});
