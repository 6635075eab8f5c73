import assert from "node:assert/strict";
import { parseWork } from "../../../src/cluster/claim.ts";
import { gangTicket } from "../../../src/cluster/gang_ticket.ts";
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

Deno.test("the oldest goes first, whatever the order in which the node lists them", () => {
  const there = work(["ada r1 a", "ben r2 b", "cy r3 c"]);
  assert.deepEqual(lineOrder({ ...there, line: there.line.toReversed() }).map(({ id }) => id), [
    "a",
    "b",
    "c",
  ]);
});

Deno.test("who holds no GPU, only a place, counts as holding nothing", () => {
  const there = work(["ada r1 a", "ben r2 b"], ["ada r1"]);
  const bare = there.claims.map((claim) => ({ ...claim, gpus: [] }));
  assert.deepEqual(lineOrder({ ...there, claims: bare }).map(({ id }) => id), ["a", "b"]);
});

Deno.test("another account's run of the same name is not one's own", () => {
  const there = work(["ben r1 b", "cy r2 c"]);
  const others = there.line.map((each) => ({ ...each, isOwn: each.account === "cy" }));
  const ids = (run: string) => beforeNewcomer({ ...there, line: others }, run).map(({ id }) => id);
  // Of "cy", as its place in the line says: r1 is a new run of it, r2 stands there with one already.
  assert.deepEqual(ids("r1"), ["b", "c"]);
  assert.deepEqual(ids("r2"), ["b", "c"]);
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

Deno.test("gangs go in the order of their names, in the places that gangs have here", () => {
  const [early, late] = [gangTicket(1, "x"), gangTicket(2, "a")];
  const mixed = ["ada r1 a", `ben r2 ${late}`, "cy r3 c", `dan r4 ${early}`];
  assert.deepEqual(order(mixed), ["a", early, "c", late]);
  assert.deepEqual(order(mixed.slice(0, 3)), ["a", late, "c"], "one alone keeps its place");
});

Deno.test("another account does not come before itself by a run of one's own name", () => {
  const there = work([], ["ben r1", "ada r2"]);
  const others = there.claims.map((each) => ({ ...each, isOwn: each.account === "ada" }));
  const line = work(["cy r5 c", "ada r2 x"]).line.map((each) => ({ ...each, isOwn: false }));
  const ids = (run: string) => beforeNewcomer({ ...there, claims: others, line }, run).length;
  // Of r2 this account holds one already; of r1 another account does.
  assert.deepEqual([ids("r2"), ids("r1")], [2, 1]);
});
