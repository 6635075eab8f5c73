import assert from "node:assert/strict";
import fc from "fast-check";
import { renderDot } from "../../../../src/report/graph/dot.ts";
import { edgesOf, type GraphStep } from "../../../../src/report/graph/graph.ts";
import { renderMermaid } from "../../../../src/report/graph/mermaid.ts";
import { placeSteps } from "../../../../src/report/graph/place.ts";
import { renderSvg } from "../../../../src/report/graph/svg.ts";
import { renderGraphText } from "../../../../src/report/graph/text.ts";
import { assertGolden } from "../../../support/golden.ts";
import { INHERITED_NAMES } from "../../../support/json_texts.ts";

const cell = (seed: number): GraphStep => ({
  id: `sweep[lr=1e-4,seed=${seed}]`,
  kind: "run",
  needs: ["train"],
  after: [],
  group: "sweep",
});

const STEPS: readonly GraphStep[] = [
  { id: "code", kind: "sync", needs: [], after: [] },
  { id: "gpu", kind: "select-node", needs: [], after: [] },
  { id: "train", kind: "run", needs: ["code", "gpu"], after: [], state: "succeeded" },
  { id: "score", kind: "ray-batch", needs: ["train"], after: [], state: "failed" },
  { id: 'say "hi" <b>#1', kind: "fetch", needs: ["train"], after: [], state: "skipped" },
  ...[1, 2, 3].map(cell),
  { id: "sweep", kind: "group", needs: ["train"], after: [] },
  { id: "sum", kind: "run", needs: [], after: ["score", "sweep"], if: 'inputs.mode == "full"' },
  { id: "notify", kind: "run", needs: [], after: [], hook: "failure", if: "inputs.loud" },
  { id: "tidy", kind: "run", needs: [], after: [], hook: "exit" },
  { id: "check", kind: "run", needs: ["tidy"], after: [], hook: "exit" },
];

Deno.test("renderGraphText() draws every step once, below what it waits for", () => {
  assertGolden("graph/pipeline.txt", renderGraphText(STEPS));
});

Deno.test("renderGraphText() names a few members of a large group", () => {
  const cells = Array.from({ length: 100 }, (_, seed) => cell(seed));
  const text = renderGraphText([
    { id: "train", kind: "run", needs: [], after: [] },
    ...cells,
    { id: "sweep", kind: "group", needs: ["train"], after: [] },
  ]);
  assert.match(text, /sweep {2}100 steps/);
  assert.match(text, /… and 92 more/);
  assert.equal(text.split("\n").length, 12);
});

Deno.test("renderMermaid(), renderDot() and renderSvg() draw the same graph", () => {
  assertGolden("graph/pipeline.mmd", renderMermaid(STEPS));
  assertGolden("graph/pipeline.dot", renderDot(STEPS));
  assertGolden("graph/pipeline.svg", renderSvg(STEPS));
});

Deno.test("edgesOf() leaves out steps that are not there", () => {
  const steps = [{ id: "b", kind: "run", needs: ["gone"], after: ["lost"], group: "nowhere" }];
  assert.deepEqual(edgesOf(steps), []);
});

/** As a run tells of its steps: what a group waits for stands at the group alone. */
const member = (id: string, needs: readonly string[], group: string): GraphStep => ({
  id,
  kind: "run",
  needs,
  after: [],
  group,
});

Deno.test("edgesOf() leads what a group waits for to the steps that begin it", () => {
  const edges = edgesOf([
    { id: "prep", kind: "run", needs: [], after: [] },
    { id: "note", kind: "run", needs: [], after: [] },
    member("eval/load", [], "eval"),
    member("eval/sweep[1]", [], "eval/sweep"),
    { id: "eval/sweep", kind: "group", needs: ["eval/load"], after: [], group: "eval" },
    member("eval/judge[1]", [], "eval/judge"),
    { id: "eval/judge", kind: "group", needs: [], after: [], group: "eval" },
    { id: "eval", kind: "group", needs: ["prep"], after: ["note"] },
  ]);
  assert.deepEqual(edges.map(({ from, to, kind }) => `${from} ${kind} ${to}`), [
    "prep needs eval/load",
    "note after eval/load",
    "eval/load needs eval/sweep[1]",
    "eval/sweep[1] member eval/sweep",
    "eval/sweep member eval",
    "prep needs eval/judge[1]",
    "note after eval/judge[1]",
    "eval/judge[1] member eval/judge",
    "eval/judge member eval",
  ]);
});

Deno.test("edgesOf() joins only the ends of a group to it", () => {
  const edges = edgesOf([
    member("eval/a", [], "eval"),
    member("eval/b", ["eval/a"], "eval"),
    { id: "eval", kind: "group", needs: [], after: [] },
  ]);
  assert.deepEqual(edges, [
    { from: "eval/a", to: "eval/b", kind: "needs" },
    { from: "eval/b", to: "eval", kind: "member" },
  ]);
});

Deno.test("renderGraphText() counts one step as one", () => {
  const text = renderGraphText([
    member("eval/only", [], "eval"),
    { id: "eval", kind: "group", needs: [], after: [] },
  ]);
  assert.equal(text, "eval  1 step\n  • eval/only\n");
});

/** A graph whose steps wait only for earlier ones. */
const graphs = fc.array(fc.array(fc.nat(30), { maxLength: 3 }), { maxLength: 30 }).map((needs) =>
  needs.map((before, at): GraphStep => ({
    id: `s${at}`,
    kind: "run",
    needs: [...new Set(before.filter((id) => id < at).map((id) => `s${id}`))],
    after: [],
  }))
);

Deno.test("renderGraphText() loses no step and repeats none, for any graph", () => {
  fc.assert(fc.property(graphs, (steps) => {
    const ids = renderGraphText(steps).split("\n").flatMap((line) =>
      /^\W*(s\d+) {2}run/.exec(line)?.[1] ?? []
    );
    assert.deepEqual(ids.toSorted(), steps.map(({ id }) => id).toSorted());
  }));
});

Deno.test("placeSteps() puts every box right of what it waits for, however many there are", () => {
  for (const count of [5, 40, 400]) {
    const steps = Array.from({ length: count }, (_, at): GraphStep => ({
      id: `s${at}`,
      kind: "run",
      needs: at === 0 ? [] : [`s${Math.floor(at / 2)}`].filter((id) => id !== `s${at}`),
      after: [],
    }));
    const placed = placeSteps(steps, { edges: edgesOf(steps), widthOf: () => 60, height: 40 });
    for (const { id, needs } of steps) {
      const box = placed.box(id);
      assert.ok(box.x + 30 <= placed.width && box.y + 20 <= placed.height);
      for (const before of needs) assert.ok(placed.box(before).x < box.x, `${before} → ${id}`);
    }
  }
});

Deno.test("renderSvg() of a thousand steps does not take minutes", () => {
  const steps = Array.from({ length: 1000 }, (_, at): GraphStep => ({
    id: `s${at}`,
    kind: "run",
    needs: at < 3 ? [] : [`s${Math.floor(at / 2)}`, `s${at - 3}`],
    after: [],
  }));
  assert.equal(renderSvg(steps).match(/<rect/g)?.length, 1000);
});

Deno.test("renderMermaid() folds groups where there are more edges than Mermaid draws", () => {
  const step = (id: string, needs: readonly string[], group?: string, kind = "run") => ({
    id,
    kind,
    needs,
    after: [],
    group,
  });
  const cells = Array.from({ length: 400 }, (_, at) => step(`c[i=${at}]`, [], "c"));
  const steps = [
    step("code", [], undefined, "sync"),
    step("c", ["code"], undefined, "group"),
    ...cells,
    step("sum", ["c"]),
  ];
  const text = renderMermaid(steps);
  assert.match(text, /n1\(\["c<br\/>group<br\/>400 steps"\]\)/);
  assert.deepEqual(text.match(/-->/g)?.length, 2);
  assert.ok(!text.includes("c[i=1]"));
  assert.ok(renderMermaid(steps.slice(0, 100)).includes("c[i=1]"));
});

Deno.test("renderMermaid() leaves out what Mermaid would stop at, and says so", () => {
  const steps = Array.from({ length: 700 }, (_, at) => ({
    id: `s${at}`,
    kind: "run",
    needs: at === 0 ? [] : [`s${at - 1}`],
    after: [],
  }));
  const text = renderMermaid(steps);
  assert.equal(text.match(/-->/g)?.length, 500);
  assert.match(text, /%% 199 more edges are left out/);
});

Deno.test("placeSteps() takes a step with a name that every object seems to hold", () => {
  const chain = ["first", ...INHERITED_NAMES, "last"];
  const steps = chain.map((id, at): GraphStep => ({
    id,
    kind: "run",
    needs: chain.slice(Math.max(0, at - 1), at),
    after: [],
  }));
  const edges = edgesOf(steps);
  assert.equal(edges.length, chain.length - 1);
  const placement = placeSteps(steps, { edges, widthOf: () => 50, height: 20 });
  const columns = chain.map((id) => placement.box(id).x);
  assert.deepEqual(columns, columns.toSorted((a, b) => a - b));
  assert.equal(new Set(columns).size, chain.length);
  for (const edge of edges) assert.ok(Array.isArray(placement.way(edge)));
  for (const id of chain) assert.ok(renderSvg(steps).includes(`>${id}<`), id);
});
