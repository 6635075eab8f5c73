import assert from "node:assert/strict";
import fc from "fast-check";
import type { NodeWork, Waiting } from "../../../src/cluster/claim.ts";
import { chooseGang, inTakingOrder } from "../../../src/cluster/gang_choice.ts";
import { gangTicket } from "../../../src/cluster/gang_ticket.ts";
import { lineOrder } from "../../../src/cluster/line_order.ts";
import { endpoint, facts, GIB, gpu, health, node, selector } from "./nodes.ts";

const WEIGHTS = { cpuWeight: 1, gpuWeight: 3 };

function candidate(name: string, models: readonly string[], busy = 0) {
  const gpus = models.map((model, index) =>
    gpu(index, {
      name: model,
      uuid: `${name}-${index}`,
      memoryUsedBytes: index < busy ? 22 * GIB : 0,
    })
  );
  return { node: node(name), health: health(name, { facts: facts({ gpus }) }) };
}

function wish(count: number, gpus: number, sameModel = false) {
  return {
    selector: selector({ gpus }),
    weights: WEIGHTS,
    avoid: [],
    random: () => 0,
    count,
    sameModel,
  };
}

Deno.test("chooseGang() takes as many nodes as wanted, or none", () => {
  const all = ["n1", "n2", "n3"].map((name) => candidate(name, ["A100"]));
  const three = chooseGang(all, wish(3, 1));
  assert.deepEqual(three.chosen?.map(({ candidate }) => candidate.node.name).toSorted(), [
    "n1",
    "n2",
    "n3",
  ]);
  const busy = [...all.slice(0, 2), candidate("n3", ["A100"], 1)];
  const none = chooseGang(busy, wish(3, 1));
  assert.equal(none.chosen, undefined);
  assert.equal(none.fitting, 2);
  assert.deepEqual(none.passedOver.map(({ node, isFinal }) => [node, isFinal]), [["n3", false]]);
});

Deno.test("chooseGang() with one model takes no node of another", () => {
  const mixed = [
    candidate("a1", ["A100"]),
    candidate("h1", ["H100"]),
    candidate("h2", ["H100"]),
    candidate("both", ["A100", "H100"]),
  ];
  const names = ({ chosen = [] }: ReturnType<typeof chooseGang>) =>
    chosen.map(({ candidate, gpus }) => `${candidate.node.name}:${gpus[0]?.name}`).toSorted();
  assert.deepEqual(names(chooseGang(mixed, wish(3, 1, true))), [
    "both:H100",
    "h1:H100",
    "h2:H100",
  ]);
  assert.equal(chooseGang(mixed, wish(4, 1, true)).chosen, undefined);
  assert.equal(chooseGang(mixed, wish(4, 1)).chosen?.length, 4);
});

/** The same under other names: one workspace of one machine. */
function namesOf(word: string, names: readonly string[], busy = 0) {
  return names.map((name) => {
    const { node, health } = candidate(name, ["A100"], busy);
    const where = { workspaceToken: word, machine: `boot ${word}` };
    return { node, health: { ...health, facts: { ...facts(health.facts), ...where } } };
  });
}

Deno.test("chooseGang() counts a machine once, whatever its names", () => {
  const box = namesOf("box", ["a", "b"]);
  const two = chooseGang([...box, ...namesOf("other", ["c"])], wish(2, 1));
  assert.equal(two.chosen?.filter(({ candidate }) => candidate.node.name === "c").length, 1);
  const alone = chooseGang(box, wish(2, 1));
  assert.deepEqual([alone.chosen, alone.fitting], [undefined, 1]);
  assert.deepEqual(alone.passedOver, [
    { node: "b", reason: "it is a by another name", isFinal: true },
  ]);
  // No waiting makes two of it.
  const busy = chooseGang(namesOf("box", ["a", "b"], 1), wish(2, 1));
  assert.deepEqual(busy.passedOver.map(({ node, isFinal }) => [node, isFinal]), [
    ["a", false],
    ["b", true],
  ]);
  // In one home, and machines of their own.
  const homes = ["x", "y"].flatMap((name) =>
    namesOf("home", [name]).map(({ node, health }) => ({
      node,
      health: { ...health, facts: { ...facts(health.facts), machine: name } },
    }))
  );
  assert.equal(chooseGang(homes, wish(2, 1)).chosen?.length, 2);
});

Deno.test("nodes are taken in one order, whatever they are called", () => {
  const named = (name: string, host: string) => ({
    candidate: { ...candidate(name, []), node: node(name, { endpoint: endpoint(name, { host }) }) },
    gpus: [],
  });
  const hosts = (list: ReturnType<typeof named>[]) =>
    inTakingOrder(list).map(({ candidate }) => candidate.node.endpoint.host);
  assert.deepEqual(hosts([named("a", "10.0.0.9"), named("b", "10.0.0.1")]), [
    "10.0.0.1",
    "10.0.0.9",
  ]);
  assert.deepEqual(hosts([named("x", "10.0.0.1"), named("y", "10.0.0.9")]), [
    "10.0.0.1",
    "10.0.0.9",
  ]);
});

interface Waiter {
  readonly id: string;
  /** Nodes that it needs together. */
  readonly count: number;
  /** Rounds that it holds them. */
  readonly lasts: number;
  /** When each node heard of it: not the same everywhere. */
  readonly heard: readonly number[];
  /** Its run, which may have other steps in the line. */
  readonly run: string;
}

/**
 * Nodes with a GPU each, and waiters that take nodes only where they are free and nobody goes first, all that
 * they need at once or none. Who is first on a node is what `lineOrder` says of what that node was told.
 */
function roundsUntilAllEnd(waiters: readonly Waiter[], nodes: number): number {
  const waiting = new Set(waiters);
  const held = new Map<number, { readonly waiter: Waiter; until: number }>();
  for (let round = 0;; round++) {
    for (const [at, { until }] of held) if (until <= round) held.delete(at);
    if (waiting.size === 0 && held.size === 0) return round;
    if (round > 1000) return Number.POSITIVE_INFINITY;
    for (const waiter of [...waiting].toSorted((a, b) => a.id < b.id ? 1 : -1)) {
      const open = Array.from({ length: nodes }, (_, at) => at).filter((at) => {
        if (held.has(at)) return false;
        const holder = [...held.values()].map(({ waiter }) => waiter.run);
        return lineOrder(workAt(at, waiting, holder))[0]?.id === waiter.id;
      });
      if (open.length < waiter.count) continue;
      for (const at of open.slice(0, waiter.count)) {
        held.set(at, { waiter, until: round + 1 + waiter.lasts });
      }
      waiting.delete(waiter);
    }
  }
}

function workAt(at: number, waiting: Iterable<Waiter>, holders: readonly string[]): NodeWork {
  const line = [...waiting].map(({ id, heard, run }): Waiting => ({
    isOwn: true,
    account: "ada",
    ageMs: 1000 - (heard[at] ?? 0),
    lastsMs: undefined,
    run,
    step: "s",
    project: "p",
    owner: id,
    id,
    gpus: 1,
    minFreeVramBytes: undefined,
    model: undefined,
  }));
  // Somebody's run holds GPUs elsewhere only: what a node does not see of it cannot count there.
  const claims = holders.slice(0, at % 2).map((run) => ({
    kind: "job" as const,
    isTrying: false,
    isOwn: true,
    account: "ada",
    ageMs: 1,
    lastsMs: undefined,
    run,
    step: "s",
    project: "p",
    owner: "o",
    group: run,
    isShared: false,
    place: "",
    gpus: ["GPU-0"],
  }));
  return { claims, given: [], line, isWhole: true };
}

const NODES = 4;
const waiter = fc.record({
  count: fc.integer({ min: 1, max: NODES }),
  lasts: fc.integer({ min: 0, max: 3 }),
  heard: fc.array(fc.integer({ min: 0, max: 900 }), { minLength: NODES, maxLength: NODES }),
  run: fc.constantFrom("r1", "r2", "r3", "r4"),
});

Deno.test("however nodes hear of them, gangs and single steps all end", () => {
  fc.assert(
    fc.property(fc.array(waiter, { minLength: 1, maxLength: 8 }), (parts) => {
      const waiters = parts.map((part, at): Waiter => ({
        ...part,
        // One node is enough for a step that is no gang: it stands in all lines under a plain name.
        id: part.count === 1 ? `w${at}` : gangTicket(1_700_000_000_000 + at, `x${at}`),
      }));
      assert.ok(Number.isFinite(roundsUntilAllEnd(waiters, NODES)), "some wait for ever");
    }),
    { numRuns: 300 },
  );
});

Deno.test("no gang is overtaken by a later one, on any node", () => {
  fc.assert(
    fc.property(fc.array(waiter, { minLength: 2, maxLength: 8 }), (parts) => {
      const gangs = parts.map((part, at) => ({
        ...part,
        id: gangTicket(1_700_000_000_000 + 1000 * at, `x${parts.length - at}`),
      }));
      for (let at = 0; at < NODES; at++) {
        const order = lineOrder(workAt(at, gangs, ["r1", "r2"])).map(({ id }) => id);
        assert.deepEqual(order, gangs.map(({ id }) => id));
      }
    }),
  );
});
