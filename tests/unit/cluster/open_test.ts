import assert from "node:assert/strict";
import type { Node } from "../../../src/cluster/node.ts";
import { openCluster } from "../../../src/cluster/open.ts";
import { configOf } from "../../../src/cluster/defaults.ts";
import { GridError } from "../../../src/core/errors.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { type Answer, FakePool, probeAnswer, refused } from "./fake_pool.ts";
import { MemoryCache, selector } from "./nodes.ts";

function setUp(answers: Readonly<Record<string, Answer>>, nodes: readonly Partial<Node>[] = []) {
  const pool = new FakePool();
  const clock = new FakeClock();
  for (const [name, answer] of Object.entries(answers)) pool.answers.set(name, answer);
  const config = configOf({ nodes: Object.keys(answers) }, {
    file: undefined,
    project: "/project",
    env: {},
  });
  const changed = config.nodes.map((node, index) => ({ ...node, ...nodes[index] }));
  let draws = 0;
  const cluster = openCluster({
    config: { ...config, nodes: changed },
    pool,
    cache: new MemoryCache(),
    clock,
    project: "/project",
    // A fixed sequence that covers the interval evenly.
    random: () => (draws++ * 0.618) % 1,
  });
  return { cluster, pool, clock };
}

async function errorOf(work: Promise<unknown>): Promise<GridError> {
  const error = await work.then(() => undefined, (thrown) => thrown);
  assert.ok(error instanceof GridError, String(error));
  return error;
}

Deno.test("select() takes the third of three where one is down and one is busy", async () => {
  const { cluster } = setUp({
    down: refused("down"),
    busy: probeAnswer({ gpus: [22118] }),
    idle: probeAnswer({ gpus: [0] }),
  });
  const placement = await cluster.select(selector({ gpus: 1 }));
  assert.equal(placement.node, "idle");
  assert.deepEqual(placement.passedOver, [
    { node: "down", reason: "connection refused" },
    { node: "busy", reason: "GPU 0 is busy (90 % of its memory is used)" },
  ]);
});

Deno.test("select() says what to do where one thing stands in the way of all nodes", async () => {
  const hint = "compare the fingerprint and add the key: grid trust n1";
  const message = "its host key is not known";
  const { cluster } = setUp({ n1: new GridError({ code: "host-key", message, node: "n1", hint }) });
  assert.equal((await errorOf(cluster.select(selector({})))).hint, hint);
});

Deno.test("select() names every node's reason where nothing fits", async () => {
  const { cluster } = setUp({
    n1: refused("n1"),
    n2: probeAnswer(),
    n3: probeAnswer(),
  });
  const error = await errorOf(cluster.select(selector({ gpus: 2 })));
  assert.equal(error.code, "no-node");
  assert.equal(error.exitCode, 3);
  assert.equal(
    error.message,
    "Cannot choose a node: n1: connection refused; n2, n3: it has no GPU",
  );
});

Deno.test("select() counts nodes of the same reason instead of listing hundreds", async () => {
  const names = Array.from({ length: 300 }, (_, index) => [`n${index}`, probeAnswer()] as const);
  const { cluster } = setUp(Object.fromEntries(names));
  const { message } = await errorOf(cluster.select(selector({ gpus: 1 })));
  assert.equal(message, "Cannot choose a node: n0, n1, n2, n3, n4 and 295 more: it has no GPU");
});

Deno.test("select() does not ask nodes that lack a label", async () => {
  const { cluster, pool } = setUp({ a: "silence", b: probeAnswer() }, [{}, { labels: ["gpu"] }]);
  const { node, passedOver } = await cluster.select(selector({ labels: ["gpu"] }));
  assert.equal(node, "b");
  assert.deepEqual(passedOver, [{ node: "a", reason: "it lacks the label gpu" }]);
  assert.equal(pool.asked.get("a"), undefined);
});

Deno.test("select() chooses among the named nodes only, and knows their names", async () => {
  const { cluster } = setUp({ a: probeAnswer(), b: probeAnswer({ load: 4 }) });
  assert.equal((await cluster.select(selector({ among: ["b"] }))).node, "b");
  const error = await errorOf(cluster.select(selector({ among: ["bb"] })));
  assert.equal(error.code, "usage");
  assert.equal(error.hint, 'did you mean "b"?');
});

Deno.test("select() waits for a GPU to become free", async () => {
  const { cluster, pool, clock } = setUp({ a: probeAnswer({ gpus: [20_000] }) });
  const waiting = cluster.select(selector({ gpus: 1, waitMs: 60_000 }));
  await clock.advance(12_000);
  pool.answers.set("a", probeAnswer({ gpus: [0] }));
  await clock.advance(5000);
  assert.equal((await waiting).node, "a");
  // Asked at 0, 0.5, 1.5, 3.5, 7.5 and 12.5 seconds.
  // At first after half a second, then every second.
  const looks = pool.commands.filter((command) => command.startsWith("grid_probe_answer ")).length;
  assert.ok(looks >= 6 && looks <= 16, `${looks} looks`);
});

Deno.test("select() gives up after its wait, saying how long that was", async () => {
  const { cluster, clock } = setUp({ a: probeAnswer({ gpus: [20_000] }) });
  const waiting = errorOf(cluster.select(selector({ gpus: 1, waitMs: 12_000 })));
  await clock.advance(12_000);
  assert.match((await waiting).message, /within 12.0s: a: GPU 0 is busy/);
});

Deno.test("select() does not wait for what cannot change", async () => {
  const { cluster, clock } = setUp({ a: probeAnswer({ gpus: [0] }) });
  const error = await errorOf(cluster.select(selector({ gpus: 2, waitMs: 3_600_000 })));
  assert.match(error.message, /a: it has 1 of 2 GPUs/);
  assert.deepEqual(clock.sleeps, []);
});

Deno.test("select() does not wait for what a person has to see to, unless another node may do", async () => {
  const at = (code: "shell" | "host-key", state: string) =>
    new GridError({
      code,
      message: `Cannot start a shell on "a": ${state}`,
      node: "a",
      hint: "do",
    });
  const waitMs = 3_600_000;
  const lasting = [
    at("shell", "its login shell ended at once (exit 1): This account is currently not available."),
    at("host-key", "its host key is not known"),
  ];
  for (const answer of lasting) {
    const { cluster, clock } = setUp({ a: answer });
    const error = await errorOf(cluster.select(selector({ waitMs })));
    assert.equal(error.hint, "do");
    assert.deepEqual(clock.sleeps, [], error.message);
  }
  const { cluster, pool, clock } = setUp({
    a: at("shell", "its login shell ended at once (exit 254): sh: Cannot fork"),
  });
  const waiting = cluster.select(selector({ waitMs }));
  await clock.advance(12_000);
  pool.answers.set("a", probeAnswer());
  await clock.advance(5000);
  assert.equal((await waiting).node, "a", "what passes is waited for");
});

Deno.test("select() stops waiting when the signal fires", async () => {
  const { cluster } = setUp({ a: probeAnswer({ gpus: [20_000] }) });
  const stop = new AbortController();
  const waiting = cluster.select(selector({ gpus: 1, waitMs: 60_000 }), { signal: stop.signal });
  stop.abort(new Error("stop"));
  await assert.rejects(waiting, /stop/);
});

Deno.test("select() verifies a choice that rests on old facts", async () => {
  const { cluster, pool, clock } = setUp({ a: probeAnswer(), b: probeAnswer({ load: 2 }) });
  await cluster.health();
  await clock.advance(30_000);
  pool.answers.set("a", refused("a"));
  const { node, passedOver } = await cluster.select(selector());
  assert.equal(node, "b");
  assert.deepEqual(passedOver, [{ node: "a", reason: "connection refused" }]);
});

Deno.test("select() spreads runs that start within a minute over nodes of one kind", async () => {
  const { cluster, clock } = setUp({ a: probeAnswer(), b: probeAnswer(), c: probeAnswer() });
  const counts = new Map<string, number>();
  for (let run = 0; run < 12; run++) {
    const { node } = await cluster.select(selector());
    counts.set(node, (counts.get(node) ?? 0) + 1);
    await clock.advance(5000);
  }
  assert.equal(counts.size, 3);
  for (const [name, count] of counts) assert.ok(count >= 3 && count <= 5, `${name}: ${count}`);
});

Deno.test("select() asks again before it says that nothing fits", async () => {
  const { cluster, pool, clock } = setUp({ a: probeAnswer({ gpus: [20_000] }) });
  await cluster.health();
  await clock.advance(30_000);
  pool.answers.set("a", probeAnswer({ gpus: [0] }));
  assert.equal((await cluster.select(selector({ gpus: 1 }))).node, "a");
});

Deno.test("select() asks again instead of trusting a cache of a node that has died", async () => {
  const { cluster, pool, clock } = setUp({ a: probeAnswer() });
  await cluster.health();
  await clock.advance(30_000);
  pool.answers.set("a", refused("a"));
  const error = await errorOf(cluster.select(selector()));
  assert.equal(error.message, "Cannot choose a node: a: connection refused");
});

Deno.test("open() of a name that is not configured says what was meant", async () => {
  const { cluster } = setUp({ gpu1: probeAnswer() });
  const error = await errorOf(cluster.open("gpu2"));
  assert.equal(error.code, "usage");
  assert.equal(error.hint, 'did you mean "gpu1"?');
  const far = await errorOf(cluster.open("elsewhere"));
  assert.equal(far.hint, "configured nodes: gpu1");
});

Deno.test("health({ among }) knows local, which is not configured", async () => {
  const { cluster, pool } = setUp({ a: probeAnswer() });
  pool.answers.set("local", probeAnswer());
  assert.deepEqual((await cluster.health()).map(({ node }) => node), ["a"]);
  assert.deepEqual((await cluster.health({ among: ["local"] })).map(({ node }) => node), ["local"]);
});

Deno.test("select(): work that starts together is spread evenly, and scores stay as measured", async () => {
  const { cluster } = setUp({ a: probeAnswer(), b: probeAnswer() });
  const chosen = await Promise.all(
    Array.from({ length: 8 }, (_, i) => cluster.select(selector(), { holder: `run s[${i}] 1` })),
  );
  const count = (name: string) => chosen.filter(({ node }) => node === name).length;
  assert.deepEqual([count("a"), count("b")], [4, 4]);
  assert.deepEqual(chosen.map(({ health }) => health.score), Array(8).fill(0));
  cluster.releaseAll("run");
  assert.deepEqual((await cluster.health()).map(({ placed }) => placed), [0, 0]);
});

Deno.test("select(): forty on four nodes are ten each; a node 30 points worse gets fewer", async () => {
  const even = setUp(Object.fromEntries(["a", "b", "c", "d"].map((n) => [n, probeAnswer()])));
  const uneven = setUp({ a: probeAnswer(), b: probeAnswer({ load: 1.2 }) });
  const counts = async ({ cluster }: typeof even, wishes: number) => {
    const chosen = await Promise.all(
      Array.from({ length: wishes }, (_, i) => cluster.select(selector(), { holder: `r ${i} 1` })),
    );
    return cluster.nodes.map(({ name }) => chosen.filter(({ node }) => node === name).length);
  };
  assert.deepEqual(await counts(even, 40), [10, 10, 10, 10]);
  const [idle = 0, busy = 0] = await counts(uneven, 12);
  assert.ok(idle > busy && busy > 0, `${idle}:${busy}`);
});

Deno.test("select(): GPUs given away at the same moment are not given twice", async () => {
  const two = probeAnswer({ gpus: [0, 0] });
  const { cluster, clock } = setUp({ a: two, b: two });
  const wish = (i: number) =>
    cluster.select(selector({ gpus: 1 }), { holder: `run s ${i}`, group: `run.s.${i}` });
  const settling = Promise.allSettled(Array.from({ length: 5 }, (_, i) => wish(i)));
  await clock.advance(1000);
  const settled = await settling;
  const names = settled.flatMap((one) => one.status === "fulfilled" ? [one.value.node] : []);
  assert.deepEqual(names.toSorted(), ["a", "a", "b", "b"]);
  const [refusal] = settled.flatMap((one) => one.status === "rejected" ? [one.reason] : []);
  assert.match(String(refusal?.message), /2 are about to be used/);
  // A step that has just ended is told of before its GPUs are given back.
  const next = wish(5);
  await clock.advance(250);
  cluster.release("run s 0");
  await clock.advance(250);
  assert.equal((await next).node, settled[0]?.status === "fulfilled" && settled[0].value.node);
});

Deno.test("select(): GPUs of work that is over are waited for, a moment; others' are not", async () => {
  const free = probeAnswer({ gpus: [0] });
  const { cluster, pool, clock } = setUp({ a: free });
  await cluster.select(selector(), { holder: "run one 1", group: "run.one.1" });
  const owner = pool.commands.map((text) => /grid_present '?(\w{8})\b/.exec(text)?.[1])
    .find((word) => word !== undefined);
  assert.ok(owner);
  const claimed = (by: string, group: string) =>
    free.replace(
      "@claims end",
      `@claim job held yes ada 1 - run one p ${by} ${group} no - GPU-0\n@claims end`,
    );
  const select = (step: string) =>
    cluster.select(selector({ gpus: 1 }), { holder: `run ${step} 1`, group: `run.${step}.1` });
  pool.answers.set("a", claimed(owner, "run.over.1"));
  await clock.advance(60_000);
  const waiting = select("two");
  await clock.advance(1000);
  pool.answers.set("a", free);
  await clock.advance(1000);
  assert.equal((await waiting).node, "a");
  cluster.release("run two 1");

  for (const answer of [claimed("another1", "run.over.1"), claimed(owner, "run.one.1")]) {
    pool.answers.set("a", answer);
    await clock.advance(60_000);
    const before = clock.sleeps.length;
    assert.match((await errorOf(select("three"))).message, /GPU 0 is held by a job of ada/);
    assert.equal(clock.sleeps.length, before);
  }
  pool.answers.set("a", claimed(owner, "run.over.1"));
  await clock.advance(60_000);
  const left = errorOf(select("four"));
  await clock.advance(6000);
  assert.match((await left).message, /GPU 0 is held by a job of ada/);
});

Deno.test("released() resolves when the nodes have heard of all that was given back", async () => {
  const { cluster, pool } = setUp({ a: probeAnswer({ gpus: [0] }) });
  await cluster.released();
  await cluster.select(selector(), { holder: "run s 1", group: "run.s.1" });
  const heard = Promise.withResolvers<void>();
  const { transport } = pool;
  pool.transport = (endpoint) => {
    const to = transport.call(pool, endpoint);
    return { ...to, exec: (...words) => heard.promise.then(() => to.exec(...words)) };
  };
  cluster.releaseAll("run");
  let isOver = false;
  const released = cluster.released().then(() => isOver = true);
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(isOver, false);
  heard.resolve();
  await released;
  assert.match(pool.commands.at(-1) ?? "", /grid_present \S+ \S+ \S+ '?0'? /);
});
