import assert from "node:assert/strict";
import fc from "fast-check";
import { isSamePlace, ownerWords, readOwner, writeOwner } from "../../../src/sync/tree_owner.ts";

const OWNER = { account: "ann", machine: "desk", folder: "/home/ann/app", run: "r1", at: 1000 };

Deno.test("readOwner() reads what writeOwner() wrote, on one line", () => {
  const commit = "1234567890".repeat(4);
  for (const owner of [OWNER, { ...OWNER, folder: "/a\nb 'c'", commit, changed: true }]) {
    const line = writeOwner(owner);
    assert.ok(!line.includes("\n"));
    assert.deepEqual({ ...readOwner(line), folder: owner.folder }, owner);
  }
});

Deno.test("readOwner() believes no other words, and never throws", () => {
  for (const line of ["", "-", "null", "[]", '"x"', "{}", '{"account":1}']) {
    assert.equal(readOwner(line), undefined);
  }
  assert.equal(readOwner(writeOwner({ ...OWNER, account: "x".repeat(5000) })), undefined);
  const told = readOwner(writeOwner({ ...OWNER, account: "a\u001b[31mnn" }));
  assert.equal(told?.account, "a[31mnn");
  fc.assert(fc.property(fc.string(), (line) => void readOwner(line)));
});

Deno.test("ownerWords() says who, from where, which commit, which run and when", () => {
  const commit = "abcdef0123".repeat(4);
  assert.equal(
    ownerWords({ ...OWNER, commit, changed: true }, 61_000),
    "ann@desk, from /home/ann/app (commit abcdef0 with changes), run r1, 1m 00s ago",
  );
  assert.equal(ownerWords(OWNER, 900), "ann@desk, from /home/ann/app, run r1, just now");
  assert.equal(ownerWords(undefined, 0), "somebody who left no name");
});

Deno.test("isSamePlace() goes by account and machine", () => {
  const later = { ...OWNER, folder: "/other", run: "r2" };
  assert.ok(isSamePlace(OWNER, later));
  assert.ok(!isSamePlace(OWNER, { ...OWNER, machine: "laptop" }));
});
