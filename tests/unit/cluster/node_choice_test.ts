import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Candidate,
  choose,
  isUnbeatable,
  ruledOut,
} from "../../../src/cluster/node_choice.ts";
import { fittingGpus, whyNot } from "../../../src/cluster/gpu_choice.ts";
import type { Node, NodeHealth } from "../../../src/cluster/node.ts";
import type { NodeSelector } from "../../../src/cluster/node_selector.ts";
import { facts, GIB, gpu, health, node, selector } from "./nodes.ts";

const weights = { cpuWeight: 1, gpuWeight: 3 };

function candidate(
  name: string,
  changes: { readonly node?: Partial<Node>; readonly health?: Partial<NodeHealth> } = {},
): Candidate {
  return { node: node(name, changes.node), health: health(name, changes.health) };
}

function withGpus(name: string, gpus: Parameters<typeof facts>[0]): Candidate {
  return candidate(name, { health: { facts: facts(gpus) } });
}

function pick(
  candidates: readonly Candidate[],
  wish: Partial<NodeSelector> = {},
  options: { readonly avoid?: readonly string[]; readonly random?: () => number } = {},
) {
  return choose(candidates, {
    selector: selector(wish),
    weights,
    avoid: options.avoid ?? [],
    random: options.random ?? (() => 0),
  });
}

function reasons(candidates: readonly Candidate[], wish: Partial<NodeSelector> = {}) {
  return pick(candidates, wish).passedOver.map(({ node, reason }) => `${node}: ${reason}`);
}

Deno.test("choose() takes the lowest score", () => {
  const nodes = [
    candidate("busy", { health: { score: 90 } }),
    candidate("idle", { health: { score: 2 } }),
    candidate("half", { health: { score: 40 } }),
  ];
  assert.equal(pick(nodes).chosen?.node.name, "idle");
});

Deno.test("choose() leaves a near tie to chance", () => {
  const nodes = ["a", "b", "c", "d"].map((name, index) =>
    candidate(name, { health: { score: [0, 4, 5, 6][index] } })
  );
  const chosen = [0, 0.4, 0.99].map((value) =>
    pick(nodes, {}, { random: () => value }).chosen?.node.name
  );
  assert.deepEqual(chosen, ["a", "b", "c"]);
});

Deno.test("isUnbeatable(): only where the rest could tie at best, and nothing speaks against it", () => {
  const is = (score: number, points = 0, avoid: readonly string[] = []) => {
    const one = {
      ...candidate("a", { health: { score } }),
      placed: { points, gpus: new Set<string>() },
    };
    return isUnbeatable(pick([one], {}, { avoid }));
  };
  assert.deepEqual([is(0), is(5), is(5.1), is(2, 25), is(0, 0, ["a"])], [
    true,
    true,
    false,
    false,
    false,
  ]);
  assert.equal(isUnbeatable(pick([])), false);
});

Deno.test("choose() passes over nodes that are down or full, with their reason", () => {
  const nodes = [
    candidate("down", { health: { status: "unreachable", reason: "connection refused" } }),
    candidate("full", { health: { status: "unusable", reason: "its disk is full" } }),
    candidate("up", { health: { score: 300 } }),
  ];
  assert.equal(pick(nodes).chosen?.node.name, "up");
  assert.deepEqual(reasons(nodes), ["down: connection refused", "full: its disk is full"]);
});

Deno.test("choose() wants free GPUs where GPUs are asked for", () => {
  const nodes = [
    withGpus("none", {}),
    withGpus("busy", { gpus: [gpu(0, { memoryUsedBytes: 22 * GIB })] }),
    withGpus("sick", { gpus: [gpu(0, { sick: "3 uncorrected ECC errors" })] }),
    withGpus("silent", { gpus: [gpu(0, { memoryUsedBytes: undefined })] }),
    withGpus("failed", { gpuTool: "failed", gpuProblem: "nvidia-smi did not answer in time" }),
    withGpus("free", { load1: 3, gpus: [gpu(0)] }),
  ];
  const { chosen } = pick(nodes, { gpus: 1 });
  assert.equal(chosen?.node.name, "free");
  assert.equal(chosen?.health.score, 75);
  assert.deepEqual(reasons(nodes, { gpus: 1 }), [
    "none: it has no GPU",
    "busy: GPU 0 is busy (92 % of its memory is used)",
    "sick: GPU 0 is sick: 3 uncorrected ECC errors",
    "silent: GPU 0 does not say how much of its memory is used",
    "failed: nvidia-smi did not answer in time",
  ]);
});

Deno.test("choose() does not take a desktop's or a driver's few megabytes for work", () => {
  const idle = [gpu(0, { memoryUsedBytes: GIB / 2, memoryTotalBytes: 4 * GIB })];
  assert.equal(pick([withGpus("a", { gpus: idle })], { gpus: 1 }).chosen?.node.name, "a");
  const busy = [gpu(0, { memoryUsedBytes: GIB / 2 + 1, memoryTotalBytes: 4 * GIB })];
  assert.equal(pick([withGpus("a", { gpus: busy })], { gpus: 1 }).chosen, undefined);
});

Deno.test("choose() counts free GPUs", () => {
  const gpus = [gpu(0), gpu(1, { memoryUsedBytes: 20 * GIB }), gpu(2), gpu(3)];
  assert.equal(pick([withGpus("a", { gpus })], { gpus: 3 }).chosen?.node.name, "a");
  assert.match(reasons([withGpus("a", { gpus })], { gpus: 4 })[0] ?? "", /3 of 4 GPUs fit/);
  assert.equal(reasons([withGpus("a", { gpus })], { gpus: 5 })[0], "a: it has 4 of 5 GPUs");
});

Deno.test("choose() scores only the GPUs that would be used", () => {
  const gpus = [gpu(0), gpu(1, { memoryUsedBytes: 24 * GIB })];
  const { chosen } = pick([withGpus("a", { gpus })], { gpus: 1 });
  assert.equal(chosen?.health.gpuPercent, 0);
});

Deno.test("choose() finds enough free memory, without asking for a whole GPU", () => {
  const gpus = [gpu(0, { memoryUsedBytes: 12 * GIB })];
  const wish = { minFreeVramBytes: 10 * GIB };
  assert.equal(pick([withGpus("a", { gpus })], wish).chosen?.node.name, "a");
  const more = { minFreeVramBytes: 13 * GIB };
  assert.deepEqual(reasons([withGpus("a", { gpus })], more), [
    "a: GPU 0 has 12.0 GiB free, 13.0 GiB are wanted",
  ]);
});

Deno.test("choose() never takes GPUs that the owner does not lend", () => {
  const lent = candidate("a", {
    node: { gpus: 1 },
    health: { facts: facts({ gpus: [gpu(0, { memoryUsedBytes: 20 * GIB }), gpu(1)] }) },
  });
  assert.equal(pick([lent], { gpus: 1 }).chosen, undefined);
});

Deno.test("choose() takes a node to be avoided only if nothing else fits", () => {
  const nodes = [
    candidate("failed", { health: { score: 0 } }),
    candidate("other", { health: { score: 350 } }),
  ];
  const { chosen, passedOver } = pick(nodes, {}, { avoid: ["failed"] });
  assert.equal(chosen?.node.name, "other");
  assert.deepEqual(passedOver.map(({ node }) => node), ["failed"]);
  assert.equal(pick(nodes.slice(0, 1), {}, { avoid: ["failed"] }).chosen?.node.name, "failed");
});

Deno.test("choose() avoids a machine under all of its names", () => {
  const where = { workspaceToken: "word", machine: "boot name" };
  const box = ["failed", "twin"].map((name) => withGpus(name, where));
  const all = [...box, candidate("other", { health: { score: 350 } })];
  assert.equal(pick(all, {}, { avoid: ["failed"] }).chosen?.node.name, "other");
  assert.equal(isUnbeatable(pick(box, {}, { avoid: ["failed"] })), false);
});

Deno.test("ruledOut() knows without a probe what waiting cannot change", () => {
  const labelled = node("a", { labels: ["a100"], gpus: 2 });
  assert.equal(ruledOut(labelled, selector({ labels: ["a100"], gpus: 2 })), undefined);
  const lacking = ruledOut(labelled, selector({ labels: ["a100", "h100"] }));
  assert.deepEqual(lacking, { node: "a", reason: "it lacks the label h100", isFinal: true });
  assert.equal(ruledOut(labelled, selector({ gpus: 3 }))?.reason, "it lends 2 of 3 GPUs");
});

Deno.test("choose() never chooses a node that does not fit, and names every node once", () => {
  const status = fc.constantFrom("ok" as const, "unusable" as const, "unreachable" as const);
  const anyGpu = fc.record({
    memoryUsedBytes: fc.option(fc.integer({ min: 0, max: 24 * GIB }), { nil: undefined }),
    sick: fc.option(fc.constant("ecc"), { nil: undefined }),
  });
  const anyNode = fc.record({ status, gpus: fc.array(anyGpu, { maxLength: 4 }) });
  fc.assert(fc.property(
    fc.array(anyNode, { maxLength: 8 }),
    fc.integer({ min: 0, max: 4 }),
    fc.double({ min: 0, max: 0.999, noNaN: true }),
    (shapes, gpus, draw) => {
      const nodes = shapes.map((shape, index) =>
        candidate(`n${index}`, {
          health: {
            status: shape.status,
            score: index,
            facts: facts({ gpus: shape.gpus.map((changes, index) => gpu(index, changes)) }),
          },
        })
      );
      const { chosen, passedOver } = pick(nodes, { gpus }, { random: () => draw });
      const free = chosen?.health.facts?.gpus.filter((gpu) =>
        gpu.sick === undefined && gpu.memoryUsedBytes !== undefined &&
        gpu.memoryUsedBytes <= 2.4 * GIB
      ).length ?? gpus;
      assert.ok(free >= gpus);
      assert.ok(chosen === undefined || chosen.health.status === "ok");
      const names = passedOver.map(({ node }) =>
        node
      );
      assert.equal(new Set(names).size, names.length);
      if (chosen) assert.ok(!names.includes(chosen.node.name));
      else assert.equal(names.length, nodes.length);
    },
  ));
});

Deno.test("choose() passes over what the configuration rules out, as a run does", () => {
  const labelled = candidate("a", { node: { labels: ["a100"] } });
  assert.equal(pick([labelled], { labels: ["h100"] }).chosen, undefined);
  assert.deepEqual(reasons([labelled], { labels: ["h100"] }), ["a: it lacks the label h100"]);
});

Deno.test("choose() takes no node that has less than was asked for, nor one that does not say", () => {
  const told = candidate("told", { health: { score: 12 } });
  const silent = candidate("silent", {
    health: {
      score: undefined,
      facts: facts({
        load1: undefined,
        memoryTotalBytes: undefined,
        memoryAvailableBytes: undefined,
        diskFreeBytes: undefined,
      }),
    },
  });
  const cases: readonly (readonly [Partial<NodeSelector>, Partial<NodeSelector>, string])[] = [
    [{ maxScore: 12 }, { maxScore: 11.9 }, "its score is 12.0, at most 11.9 is wanted"],
    [
      { minFreeMemoryBytes: 8 * GIB },
      { minFreeMemoryBytes: 9 * GIB },
      "it has 8.0 GiB of memory free, 9.0 GiB are wanted",
    ],
    [
      { minFreeDiskBytes: 100 * GIB },
      { minFreeDiskBytes: 101 * GIB },
      "its disk has 100.0 GiB free, 101.0 GiB are wanted",
    ],
    [{ maxLoad: 0.5 }, { maxLoad: 0.4 }, "its load is 0.50 per core, at most 0.4 is wanted"],
  ];
  const half = { ...told, health: { ...told.health, facts: facts({ load1: 2 }) } };
  for (const [enough, tooMuch, words] of cases) {
    assert.equal(pick([half], enough).chosen?.node.name, "told", words);
    const { chosen, passedOver } = pick([half, silent], tooMuch);
    assert.equal(chosen, undefined, words);
    assert.equal(passedOver[0]?.reason, words);
    assert.match(passedOver[1]?.reason ?? "", /unknown|does not say/);
  }
});

Deno.test("choose() tells what waiting cannot change from what it can", () => {
  const isFinal = (wish: Partial<NodeSelector>, health: Partial<NodeHealth> = {}) =>
    pick([candidate("a", { health: { score: 50, ...health } })], wish).passedOver[0]?.isFinal;
  assert.equal(isFinal({ maxScore: 1 }), false);
  assert.equal(isFinal({ minFreeMemoryBytes: 16 * GIB }), false, "the machine has as much");
  assert.equal(isFinal({ minFreeMemoryBytes: 17 * GIB }), true, "the machine has less");
  assert.equal(isFinal({ minFreeDiskBytes: 101 * GIB }), true);
  assert.equal(isFinal({ maxLoad: 0.5 }, { facts: facts({ load1: 40 }) }), false);
  assert.equal(isFinal({}, { status: "unreachable" }), false);
  assert.equal(isFinal({ gpus: 1 }), true);
  const failed = { facts: facts({ gpus: [gpu(0)], gpuTool: "failed" }) };
  assert.equal(isFinal({ gpus: 1 }, failed), false);
  const avoided = pick([candidate("a"), candidate("b")], {}, { avoid: ["a"] }).passedOver;
  assert.deepEqual(avoided.map(({ node, isFinal }) => [node, isFinal]), [["a", false]]);
});

Deno.test("fittingGpus(): the group's own first, then by free memory; nobody else's", () => {
  const used = (index: number, gib: number) => gpu(index, { memoryUsedBytes: gib * GIB });
  const held = (index: number, group: string, isOwn = true) =>
    gpu(index, { memoryUsedBytes: 20 * GIB, leases: [{ group, holder: "ada", isOwn }] });
  const wish = { gpus: 1, minFreeVramBytes: undefined, group: "mine" };
  const order = (gpus: Parameters<typeof fittingGpus>[0], changes = {}) =>
    fittingGpus(gpus, { ...wish, ...changes }).map(({ index }) => index);
  const memory = { gpus: 0, minFreeVramBytes: 2 * GIB };
  assert.deepEqual(order([used(0, 3), used(1, 1), used(2, 2)], memory), [1, 2, 0]);
  assert.deepEqual(order([gpu(3), gpu(1), gpu(2)]), [1, 2, 3]);
  assert.deepEqual(order([gpu(0), held(1, "mine"), held(2, "yours")]), [1, 0]);
  assert.deepEqual(order([held(1, "mine", false)]), [], "another account's group of that name");
  assert.match(whyNot(held(2, "yours"), wish) ?? "", /^GPU 2 is held by a job of ada/);
  // Who asks for memory alone may share a card with others.
  assert.deepEqual(order([held(2, "yours")], memory), [2]);
  assert.deepEqual(order([held(2, "yours")], { gpus: 0, minFreeVramBytes: 5 * GIB }), []);
});
