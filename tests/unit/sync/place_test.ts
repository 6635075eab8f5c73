import assert from "node:assert/strict";
import { placeOf } from "../../../src/sync/place.ts";

Deno.test("placeOf() puts the folder below the root", () => {
  const place = placeOf("/home/ml/grid_workspace", "app");
  assert.equal(place.folder, "/home/ml/grid_workspace/app");
  assert.equal(place.key, "app");
});

Deno.test("placeOf() gives every name a key of its own that is a harmless file name", () => {
  const names = ["app", "App", "a/b", "a_b", "ünï", "x".repeat(200), "-rf", ".x", "+app"];
  const keys = names.map((name) => placeOf("/r", name).key);
  assert.equal(new Set(keys).size, names.length);
  for (const key of keys) assert.match(key, /^[A-Za-z0-9_+][A-Za-z0-9_.-]{0,70}$/);
});

Deno.test("placeOf() refuses names that leave the root or belong to Grid", () => {
  for (
    const name of ["", ".", "..", "../x", "a/../b", "/abs", "a//b", ".grid", ".grid/jobs", "a\nb"]
  ) {
    assert.throws(() => placeOf("/r", name), { code: "usage" }, name);
  }
});
