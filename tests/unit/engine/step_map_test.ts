import assert from "node:assert/strict";
import fc from "fast-check";
import { StepMap } from "../../../src/engine/step_map.ts";

Deno.test("StepMap behaves like a Map that is copied for every change", () => {
  const keys = fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 300, size: "max" });
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer()), { maxLength: 30 });
  fc.assert(fc.property(keys, changes, (keys, changes) => {
    const entries = keys.map((key, index) => [key, index] as const);
    let map = StepMap.of<number>(entries);
    const model = new Map<string, number>(entries);
    for (const [pick, value] of changes) {
      const key = keys[pick % keys.length] ?? "";
      const before = [...map];
      const next = map.with(key, value);
      assert.ok(next);
      assert.deepEqual([...map], before, "the old map changed");
      map = next;
      model.set(key, value);
    }
    assert.deepEqual([...map], [...model]);
    assert.deepEqual([...map.values()], [...model.values()]);
    assert.deepEqual([...map.keys()], [...model.keys()]);
    assert.equal(map.size, model.size);
    for (const key of keys) assert.equal(map.get(key), model.get(key));
  }));
});

Deno.test("StepMap knows no keys but its own", () => {
  const map = StepMap.of([["a", 1]]);
  assert.equal(map.with("b", 2), undefined);
  assert.equal(map.get("b"), undefined);
  assert.deepEqual([map.has("a"), map.has("b")], [true, false]);
  const seen: unknown[] = [];
  map.forEach((value, key) => seen.push([key, value]));
  assert.deepEqual(seen, [["a", 1]]);
});
