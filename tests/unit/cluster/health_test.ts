import assert from "node:assert/strict";
import { createHealthCheck } from "../../../src/cluster/health.ts";
import type { Node } from "../../../src/cluster/node.ts";
import { Placements } from "../../../src/cluster/placements.ts";
import { nodeKey } from "../../../src/cluster/row_cache.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FakePool, probeAnswer, refused } from "./fake_pool.ts";
import { endpoint, MemoryCache, node } from "./nodes.ts";

const config = {
  timeoutMs: 200,
  maxWorkers: 20,
  cpuWeight: 1,
  gpuWeight: 3,
  refreshIntervalMs: 60_000,
};

function setUp(changes: Partial<typeof config> = {}) {
  const pool = new FakePool();
  const cache = new MemoryCache();
  const clock = new FakeClock();
  const placements = new Placements({ clock, weights: config });
  const deps = { config: { ...config, ...changes }, pool, cache, clock, placements };
  return { pool, cache, clock, placements, health: createHealthCheck(deps) };
}

const a = node("a");
const b = node("b");

Deno.test("health: every node has a row in order, a dead one with the reason", async () => {
  const { pool, health } = setUp();
  pool.answers.set("a", refused("a"));
  pool.answers.set("b", probeAnswer({ load: 2, gpus: [12288] }));
  const [dead, alive] = await health.check([a, b], { maxAgeMs: 0 });
  assert.equal(dead?.status, "unreachable");
  assert.equal(dead?.reason, "connection refused");
  assert.equal(dead?.hint, "is sshd running there?");
  assert.equal(dead?.score, undefined);
  assert.equal(alive?.status, "ok");
  assert.equal(alive?.cpuPercent, 50);
  assert.equal(alive?.gpuPercent, 50);
  assert.equal(alive?.score, 200);
});

Deno.test("health: a silent node is given up after its own deadline, and holds nobody up", async () => {
  const { pool, health } = setUp({ timeoutMs: 50 });
  pool.answers.set("b", probeAnswer());
  const [silent, alive] = await health.check([a, b], { maxAgeMs: 0 });
  assert.equal(silent?.status, "unreachable");
  assert.match(silent?.reason ?? "", /no answer within 0.05 s/);
  assert.match(silent?.hint ?? "", /health_check.timeout/);
  assert.equal(alive?.status, "ok");
});

Deno.test("health: a full disk and a strange answer make a node unusable", async () => {
  const { pool, health } = setUp();
  pool.answers.set("a", probeAnswer({ freeKib: 1024 }));
  pool.answers.set("b", "This account is currently not available.\n");
  const [full, strange] = await health.check([a, b], { maxAgeMs: 0 });
  assert.equal(full?.status, "unusable");
  assert.match(
    full?.reason ?? "",
    /disk is full: 1.0 MiB free, of the 256.0 MiB that it must have/,
  );
  assert.equal(full?.score, undefined);
  assert.equal(strange?.status, "unusable");
});

Deno.test("health: a fresh row is not asked for again, an old one is", async () => {
  const { pool, clock, health } = setUp();
  pool.answers.set("a", probeAnswer());
  const [first] = await health.check([a], { maxAgeMs: 60_000 });
  assert.equal(first?.fromCache, false);
  await clock.advance(59_000);
  const [cached] = await health.check([a], { maxAgeMs: 60_000 });
  assert.equal(cached?.fromCache, true);
  assert.equal(cached?.at, first?.at);
  assert.equal(pool.asked.get("a"), 1);
  await clock.advance(1000);
  const [again] = await health.check([a], { maxAgeMs: 60_000 });
  assert.equal(again?.fromCache, false);
  assert.equal(pool.asked.get("a"), 2);
});

Deno.test("health: the cache serves the next process too", async () => {
  const { cache, clock, placements, health, pool } = setUp();
  pool.answers.set("a", probeAnswer({ load: 1 }));
  const [before] = await health.check([a], { maxAgeMs: 60_000 });
  const next = createHealthCheck({ config, pool: new FakePool(), cache, clock, placements });
  const [after] = await next.check([a], { maxAgeMs: 60_000 });
  assert.deepEqual(JSON.parse(JSON.stringify({ ...after, fromCache: false })), {
    ...JSON.parse(JSON.stringify(before)),
  });
});

Deno.test("health: a node that was down is asked again sooner", async () => {
  const { pool, clock, health } = setUp();
  pool.answers.set("a", refused("a"));
  await health.check([a], { maxAgeMs: 60_000 });
  pool.answers.set("a", probeAnswer());
  await clock.advance(14_000);
  assert.equal((await health.check([a], { maxAgeMs: 60_000 }))[0]?.status, "unreachable");
  await clock.advance(1000);
  assert.equal((await health.check([a], { maxAgeMs: 60_000 }))[0]?.status, "ok");
});

Deno.test("health: looks that follow each other ask only for what moves quickly", async () => {
  const { pool, clock, health } = setUp();
  pool.answers.set("a", probeAnswer({ load: 1, cores: 8 }));
  await health.check([a], { maxAgeMs: 0 });
  pool.answers.set("a", probeAnswer({ load: 4, cores: 2, freeKib: 1, gpus: [12288] }));
  await clock.advance(59_000);
  const [brief] = await health.check([a], { maxAgeMs: 0 });
  assert.match(pool.commands.at(-1) ?? "", /^grid_probe_answer .* (brief|bare)$/);
  assert.deepEqual([brief?.cpuPercent, brief?.gpuPercent, brief?.status], [50, 50, "ok"]);
  await clock.advance(1000);
  const [whole] = await health.check([a], { maxAgeMs: 0 });
  assert.doesNotMatch(pool.commands.at(-1) ?? "", / b\w+$/);
  assert.equal(whole?.status, "unusable");
});

Deno.test("health: nothing is looked for where a moment ago there was no GPU", async () => {
  const { pool, health } = setUp();
  pool.answers.set("a", probeAnswer({ gpus: [] }));
  pool.answers.set("b", probeAnswer({ gpus: [0] }));
  await health.check([a, b], { maxAgeMs: 0 });
  const count = pool.commands.length;
  await health.check([a, b], { maxAgeMs: 0 });
  const words = pool.commands.slice(count).map((command) => command.split(" ").at(-1));
  assert.deepEqual(words, ["bare", "brief"]);
});

Deno.test("health: callers at the same time share one probe", async () => {
  const { pool, health } = setUp();
  pool.answers.set("a", probeAnswer());
  await Promise.all([1, 2, 3].map(() => health.check([a], { maxAgeMs: 0 })));
  assert.equal(pool.asked.get("a"), 1);
});

Deno.test("health: a caller who gives up ends the probe and poisons no cache", async () => {
  const { pool, cache, health } = setUp({ timeoutMs: 60_000 });
  const stop = new AbortController();
  const waiting = health.check([a], { maxAgeMs: 0, signal: stop.signal });
  stop.abort(new Error("stop"));
  await assert.rejects(waiting, /stop/);
  assert.equal(cache.rows.size, 0);
  pool.answers.set("a", probeAnswer());
  assert.equal((await health.check([a], { maxAgeMs: 0 }))[0]?.status, "ok");
});

Deno.test("health: one caller who gives up does not stop another", async () => {
  const { pool, health } = setUp({ timeoutMs: 50 });
  const stop = new AbortController();
  const first = health.check([a], { maxAgeMs: 0, signal: stop.signal });
  const second = health.check([a], { maxAgeMs: 0 });
  stop.abort(new Error("stop"));
  await assert.rejects(first, /stop/);
  assert.equal((await second)[0]?.status, "unreachable");
  assert.equal(pool.asked.get("a"), 1);
});

Deno.test("health: at most max_workers nodes are asked at once", async () => {
  const { pool, health } = setUp({ maxWorkers: 3 });
  const nodes = Array.from({ length: 20 }, (_, index) => node(`n${index}`));
  for (const { name } of nodes) pool.answers.set(name, probeAnswer());
  const rows = await health.check(nodes, { maxAgeMs: 0 });
  assert.deepEqual(rows.map((row) => row.node), nodes.map(({ name }) => name));
  assert.equal(pool.busiest, 3);
});

const BROKEN: readonly (readonly [name: string, json: string, at?: number])[] = [
  ["no JSON", "{"],
  ["another version", JSON.stringify({ version: 0, status: "unreachable" })],
  ["no status", JSON.stringify({ version: 1 })],
  ["ok without facts", JSON.stringify({ version: 1, status: "ok" })],
  ["a list", "[]"],
  ["facts of the wrong form", JSON.stringify({ version: 1, status: "ok", facts: { load1: "0" } })],
  [
    "GPUs of the wrong form",
    JSON.stringify({ version: 1, status: "ok", facts: { gpuTool: "none", gpus: [{}] } }),
  ],
  ["the future", JSON.stringify({ version: 1, status: "unreachable" }), 1],
];

for (const [name, json, ahead = 0] of BROKEN) {
  Deno.test(`health: a cached row that holds ${name} is ignored and replaced`, async () => {
    const { pool, cache, clock, health } = setUp();
    pool.answers.set("a", probeAnswer());
    const key = `probe ${nodeKey(a)}`;
    cache.rows.set(key, { at: clock.now() + ahead, json });
    const [row] = await health.check([a], { maxAgeMs: Number.POSITIVE_INFINITY });
    assert.equal(row?.status, "ok");
    assert.equal(row?.fromCache, false);
    assert.notEqual(cache.rows.get(key)?.json, json);
  });
}

Deno.test("nodeKey() keeps accounts, machines, bastions and workspaces apart", () => {
  const of = (changes: Parameters<typeof endpoint>[1], root?: string): Node =>
    node("gpu", { endpoint: endpoint("gpu", changes), ...(root && { remoteRoot: root }) });
  const nodes = [
    of({}),
    of({ host: "10.0.0.1" }),
    of({ host: "10.0.0.1", user: "ada" }),
    of({ host: "10.0.0.1", port: 2222 }),
    of({ host: "10.0.0.1", proxyJump: "bastion" }),
    of({ host: "10.0.0.1" }, "/other"),
    of({ transport: "local" }),
  ];
  assert.equal(new Set(nodes.map(nodeKey)).size, nodes.length);
});

Deno.test("health: what was placed on a node stands beside its score, not in it", async () => {
  const { pool, placements, health } = setUp();
  pool.answers.set("a", probeAnswer());
  placements.add({ node: a, holder: "run step 1", gpus: 0, group: undefined });
  const [row] = await health.check([a], { maxAgeMs: 0 });
  assert.equal(row?.score, 0);
  assert.equal(row?.placed, 25);
  placements.release("run step 1");
  const [later] = await health.check([a], { maxAgeMs: 60_000 });
  assert.equal(later?.placed, 0);
});
