import assert from "node:assert/strict";
import fc from "fast-check";
import { expandNames, foldNames } from "../../../src/core/name_ranges.ts";

Deno.test("foldNames() writes runs of numbers as cluster tools do", () => {
  assert.equal(foldNames(["gpu1", "gpu2", "gpu3", "gpu7", "cpu1"]), "gpu[1-3,7],cpu1");
  assert.equal(
    foldNames(["n08", "n09", "n10", "n7"]),
    "n[08-09],n10,n7".replace("n10,n7", "n[7,10]"),
  );
  assert.equal(foldNames(["rack1-a", "rack2-a", "rack2-b"]), "rack[1-2]-a,rack2-b");
  assert.equal(foldNames(["login"]), "login");
  assert.equal(foldNames([]), "");
});

Deno.test("expandNames() reads them again, and refuses what is no list", () => {
  assert.deepEqual(expandNames("gpu[1-3,7], cpu1"), ["gpu1", "gpu2", "gpu3", "gpu7", "cpu1"]);
  assert.deepEqual(expandNames("n[08-10]"), ["n08", "n09", "n10"]);
  for (const wrong of ["gpu[1-", "gpu[3-1]", "gpu[a]", "gpu]1[", "n[1-99999999]"]) {
    assert.equal(expandNames(wrong), undefined, wrong);
  }
});

Deno.test("what is folded means the same nodes", () => {
  const name = fc.tuple(
    fc.constantFrom("gpu", "n", "rack-", "a.b"),
    fc.constantFrom("", "0", "00"),
    fc.nat(2000),
    fc.constantFrom("", "-a", ".lab"),
  ).map((parts) => parts.join(""));
  fc.assert(fc.property(fc.uniqueArray(name, { maxLength: 40 }), (names) => {
    const back = expandNames(foldNames(names)) ?? [];
    assert.deepEqual([...back].sort(), [...names].sort());
  }));
});
