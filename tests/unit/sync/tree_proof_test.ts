import assert from "node:assert/strict";
import { denialError, readDenial } from "../../../src/sync/tree_proof.ts";

const PLACE = { node: "gpu1", folder: "/w/app", now: 61_000 };
const WHO = '{"account":"bob","machine":"lab","folder":"/b/app","run":"r9","at":1000}';

Deno.test("denialError() says whose code is there, or what was changed, and what to do", () => {
  const other = denialError(`grid: tree other\n${WHO}\n`, PLACE);
  assert.equal(other.code, "conflict");
  assert.equal(
    other.message,
    'Cannot start on "gpu1": the code in /w/app is not this run\'s any more: it is of bob@lab, ' +
      "from /b/app, run r9, 1m 00s ago",
  );
  const edited = denialError(`grid: tree edited\n${WHO}\na.py\nb.py\n`, PLACE);
  assert.equal(
    edited.message,
    'Cannot start on "gpu1": a.py, b.py in /w/app changed since this run brought it',
  );
  assert.match(edited.hint ?? "", /sync\.writes/);
  assert.match(denialError("grid: tree gone", PLACE).message, /is gone$/);
});

Deno.test("readDenial() tells such an end from one of the step's own", () => {
  assert.equal(readDenial(75, "grid: tree gone\n"), "grid: tree gone\n");
  assert.equal(readDenial(75, "loss=1\n"), undefined);
  assert.equal(readDenial(1, "grid: tree gone\n"), undefined);
});
