import assert from "node:assert/strict";
import { changedList, filedList, LARGEST_VALUE, originOf } from "../../../src/core/filed_list.ts";
import type { JsonValue } from "../../../src/core/json.ts";

/** Notes which items are read. */
function listOf(values: readonly JsonValue[], bytes = 10) {
  const read: number[] = [];
  const list = filedList({
    name: "score.results",
    length: values.length,
    bytes,
    at: (index) => {
      read.push(index);
      return values[index];
    },
    text: () => JSON.stringify(values),
  });
  return { list, read };
}

Deno.test("filedList() reads an item when it is asked for, and no other", () => {
  const { list, read } = listOf([1, { a: [2] }, "c"]);
  assert.ok(Array.isArray(list));
  assert.equal(list.length, 3);
  assert.deepEqual(list[1], { a: [2] });
  assert.equal(list[3], undefined);
  assert.equal(list[-1], undefined);
  assert.deepEqual(read, [1]);
});

Deno.test("filedList() is a list to all that go through one", () => {
  const { list } = listOf([3, 1, 2]);
  assert.deepEqual(list.map((item) => Number(item) * 2), [6, 2, 4]);
  assert.deepEqual(list.filter((item) => Number(item) > 1), [3, 2]);
  assert.deepEqual([...list], [3, 1, 2]);
  assert.ok(list.includes(2));
  assert.equal(JSON.stringify({ list }), '{"list":[3,1,2]}');
});

Deno.test("filedList() is no single value where it is too large for one", () => {
  const { list, read } = listOf([1, 2], LARGEST_VALUE + 1);
  assert.equal(list[1], 2);
  assert.throws(() => JSON.stringify(list), {
    code: "output-invalid",
    message: "Cannot take score.results as one value: it has 64.0 MiB, more than 64.0 MiB",
    hint: /outputs\.file/,
  });
  assert.deepEqual(read, [1]);
});

Deno.test("changedList() changes items as they are asked for, and leads back", () => {
  const { list, read } = listOf([1, 2, 3]);
  const changed = changedList(list, (item) => Number(item) + 1);
  assert.deepEqual(read, []);
  assert.equal(changed[2], 4);
  assert.deepEqual(read, [2]);
  assert.equal(originOf(changed), list);
  const plain: readonly JsonValue[] = [1];
  assert.deepEqual(changedList(plain, (item) => Number(item) + 1), [2]);
  assert.equal(originOf(plain), undefined);
});
