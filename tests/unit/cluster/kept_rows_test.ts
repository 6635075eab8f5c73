import assert from "node:assert/strict";
import { KeptRows } from "../../../src/cluster/kept_rows.ts";
import type { ProbeRow } from "../../../src/cluster/probe_node.ts";
import { MemoryCache, node } from "./nodes.ts";

class CountingCache extends MemoryCache {
  saves = 0;
  loads = 0;

  override load(keys: Parameters<MemoryCache["load"]>[0]): ReturnType<MemoryCache["load"]> {
    this.loads++;
    return super.load(keys);
  }

  override save(rows: Parameters<MemoryCache["save"]>[0]): void {
    this.saves++;
    super.save(rows);
  }
}

const rowAt = (at: number): ProbeRow => ({
  at,
  status: "unreachable",
  reason: "it is off",
  hint: undefined,
  facts: undefined,
});

/** At a time that moves only where a test says so. */
function open() {
  const cache = new CountingCache();
  const clock = { now: 0, monotonic: () => clock.now };
  return { cache, clock, kept: new KeptRows(cache, clock) };
}

const nodes = ["a", "b", "c", "d"].map((name) => node(name));

Deno.test("KeptRows: rows of one look at many nodes are written together", () => {
  const { cache, clock, kept } = open();
  clock.now = 1000;
  {
    using _look = kept.together();
    for (const each of nodes) kept.keep(each, { row: rowAt(1), score: 7 });
  }
  assert.equal(cache.saves, 2, "the first at once, the rest at the end");
  assert.equal(new KeptRows(cache, clock).load(nodes, 1).size, nodes.length);
});

Deno.test("KeptRows: what is remembered of many is asked for together", () => {
  const { cache, clock } = open();
  const [a, b] = nodes;
  assert.ok(a && b);
  const earlier = new KeptRows(cache, clock);
  earlier.keep(a, { row: rowAt(1), score: 5 });
  earlier.forget(a);
  const kept = new KeptRows(cache, clock);
  using _look = kept.together();
  kept.load(nodes, 2);
  cache.loads = 0;
  const rows = nodes.map((each) => kept.keep(each, { row: rowAt(2), score: 6 }));
  assert.equal(cache.loads, 0);
  const scores = rows.map(({ memory }) => memory?.looks.map(({ score }) => score));
  assert.deepEqual(scores, [[5, 6], [6], [6], [6]]);
});

Deno.test("KeptRows: no row is known here alone for long, and none besides a look", () => {
  const { cache, clock, kept } = open();
  const [a, b, c] = nodes;
  assert.ok(a && b && c);
  kept.keep(a, { row: rowAt(1), score: 7 });
  assert.equal(cache.saves, 1);
  {
    using _look = kept.together();
    kept.keep(a, { row: rowAt(2), score: 8 });
    assert.equal(cache.saves, 1);
    clock.now += 200;
    kept.keep(b, { row: rowAt(2), score: 8 });
    assert.equal(cache.saves, 2);
    kept.keep(c, { row: rowAt(2), score: 8 });
    assert.equal(kept.load([c], 3).size, 1, "what is asked for is written first");
  }
  kept.keep(a, { row: rowAt(3), score: 9 });
  const memory = new KeptRows(cache, clock).load([a], 4).get(a)?.memory;
  assert.deepEqual(memory?.looks.map(({ at, score }) => [at, score]), [[1, 7], [2, 8], [3, 9]]);
});

Deno.test("KeptRows: what others remember meanwhile is not lost", () => {
  const { cache, clock, kept } = open();
  const [a, b] = nodes;
  assert.ok(a && b);
  {
    using _look = kept.together();
    kept.load([a, b], 0);
    kept.keep(b, { row: rowAt(2), score: 1 });
    new KeptRows(cache, clock).keep(a, { row: rowAt(1), score: 5 });
    kept.keep(a, { row: rowAt(2), score: 6 });
  }
  const memory = new KeptRows(cache, clock).load([a], 4).get(a)?.memory;
  assert.deepEqual(memory?.looks.map(({ score }) => score), [5, 6]);
});

Deno.test("KeptRows: what is not written yet is written at the end", () => {
  const { cache, kept } = open();
  const [a, b] = nodes;
  assert.ok(a && b);
  kept.together();
  kept.keep(a, { row: rowAt(1), score: 7 });
  kept.keep(b, { row: rowAt(1), score: 7 });
  assert.equal(cache.rows.size, 1);
  kept[Symbol.dispose]();
  assert.equal(cache.rows.size, 2);
});
