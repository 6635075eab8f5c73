import assert from "node:assert/strict";
import fc from "fast-check";
import { diagnosticsOf, loadText } from "../../support/pipeline_files.ts";

/** Steps `s0 … sn`, each waiting for the listed others. */
function fileOf(edges: readonly (readonly number[])[]): string {
  const steps = edges.map((needs, index) =>
    `  - { id: s${index}, needs: [${needs.map((need) => `s${need}`).join(", ")}], run: echo }`
  );
  return `steps:\n${steps.join("\n")}\n`;
}

/** A graph of up to twelve steps with any edges, cycles included. */
const anyGraph = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc.array(fc.uniqueArray(fc.integer({ min: 0, max: size - 1 }), { maxLength: 3 }), {
    minLength: size,
    maxLength: size,
  })
);

function hasCycle(edges: readonly (readonly number[])[]): boolean {
  const reach = (from: number, to: number, seen: Set<number>): boolean =>
    (edges[from] ?? []).some((next) => {
      if (next === to) return true;
      if (seen.has(next)) return false;
      seen.add(next);
      return reach(next, to, seen);
    });
  return edges.some((_, index) => reach(index, index, new Set()));
}

Deno.test("the order keeps every edge, and a cycle is found if and only if there is one", async () => {
  await fc.assert(
    fc.asyncProperty(anyGraph, async (edges) => {
      const file = fileOf(edges);
      const found = await diagnosticsOf(file);
      assert.equal(found.some((entry) => entry.rule === "cycle"), hasCycle(edges));
      if (found.length > 0) return;
      const { pipeline } = await loadText(file);
      const place = new Map(pipeline.steps.map((step, index) => [step.id, index]));
      for (const step of pipeline.steps) {
        for (const need of step.needs) {
          assert.ok((place.get(need) ?? Infinity) < (place.get(step.id) ?? -1));
        }
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("a named cycle is a real one", async () => {
  await fc.assert(
    fc.asyncProperty(anyGraph, async (edges) => {
      for (const { rule, message } of await diagnosticsOf(fileOf(edges))) {
        const names = /: (s\d+ → .*)$/.exec(message)?.[1]?.split(" → ");
        if (rule !== "cycle" || names === undefined) continue;
        assert.equal(names[0], names.at(-1));
        for (const [index, name] of names.slice(0, -1).entries()) {
          const next = Number(names[index + 1]?.slice(1));
          assert.ok(edges[Number(name.slice(1))]?.includes(next), message);
        }
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("an expression may read every step before it, however far, and no other", async () => {
  const file = `
steps:
  - { id: a, run: echo }
  - { id: b, needs: a, run: echo }
  - { id: c, after: b, run: "echo \${{ steps.a.outputs.x }}" }
  - { id: d, run: "echo \${{ steps.c.outputs.x }}" }
`;
  const found = await diagnosticsOf(file);
  assert.deepEqual(found.map(({ place, rule }) => [place.line, rule]), [[6, "not-before"]]);
});

Deno.test("templates nest to any depth and their expansion ends", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 2 }), {
        minLength: 6,
        maxLength: 6,
      }),
      async (uses) => {
        const more = Object.fromEntries(uses.map((targets, index) => [
          `t${index}.yaml`,
          `steps:\n  - { id: own, run: echo }\n` +
          targets.map((target, at) => `  - { id: u${at}, uses: ./t${target}.yaml }\n`).join(""),
        ]));
        const main = "steps:\n  - { id: start, uses: ./t0.yaml }\n";
        const reachable = new Set<number>();
        const visit = (index: number) => {
          if (reachable.has(index)) return;
          reachable.add(index);
          for (const next of uses[index] ?? []) visit(next);
        };
        visit(0);
        const seen = [...reachable].map((index) => uses[index] ?? []);
        const renamed = seen.map((targets) =>
          targets.map((target) => [...reachable].indexOf(target))
        );
        const found = await diagnosticsOf({ main, more });
        assert.equal(found.some((entry) => entry.rule === "template-cycle"), hasCycle(renamed));
      },
    ),
    { numRuns: 40 },
  );
});
