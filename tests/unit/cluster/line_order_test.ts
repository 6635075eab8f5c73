import assert from "node:assert/strict";
import { parseWork } from "../../../src/cluster/claim.ts";
import { beforeNewcomer, lineOrder } from "../../../src/cluster/line_order.ts";

/** Places in the line as `account run id`, the oldest first; and who holds GPUs as `account run`. */
function work(line: readonly string[], holders: readonly string[] = []) {
  return parseWork([
    ...holders.map((words, at) => {
      const [account, run] = words.split(" ");
      return `@claim job held yes ${account} 9 - ${run} s p o g${at} no - GPU-${at}`;
    }),
    ...line.map((words, at) => {
      const [account, run, id] = words.split(" ");
      return `@wait yes ${account} ${100 - at} - ${run} s p o ${id} 1 - -`;
    }),
    "@claims end",
  ]);
}

const order = (...args: Parameters<typeof work>) => lineOrder(work(...args)).map(({ id }) => id);

Deno.test("the oldest goes first", () => {
  assert.deepEqual(order(["ada r1 a", "ben r2 b", "ada r3 c"]), ["a", "b", "c"]);
});

Deno.test("a run of many steps lets others in between", () => {
  assert.deepEqual(order(["ada r1 a", "ada r1 b", "ada r1 c", "ben r2 d"]), ["a", "d", "b", "c"]);
});

Deno.test("who holds nothing goes before who holds something, by account and run", () => {
  assert.deepEqual(order(["ada r1 a", "ben r1 b"], ["ada r1", "ada r1"]), ["b", "a"]);
  assert.deepEqual(order(["ada r1 a", "ben r2 b"], ["ada r3"]), ["a", "b"]);
});

Deno.test("somebody who has just come has everybody before it that does not have more", () => {
  const before = (run: string) =>
    beforeNewcomer(work(["ada r1 a", "ada r1 b", "ben r2 c"], ["ben r2"]), run).map(({ id }) => id);
  assert.deepEqual(before("r9"), ["a"]);
  assert.deepEqual(before("r1"), ["a", "b", "c"]);
});
