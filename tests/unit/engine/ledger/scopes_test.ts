import assert from "node:assert/strict";
import { Scopes } from "../../../../src/engine/ledger/scopes.ts";
import { group, pipeline, step } from "../../../support/pipelines.ts";

Deno.test("to a cell, a step with the same matrix is its cell with the same values", () => {
  const cells = (id: string) => [1, 2].map((x) => step(`${id}[x=${x}]`, { matrix: { x } }));
  const steps = [
    ...group("train", cells("train")),
    ...group("other", [step("other[y=1]", { matrix: { y: 1 } })]),
    ...group("get", [...cells("get"), step("get[x=3]", { matrix: { x: 3 } })]),
  ];
  const scopes = new Scopes(pipeline(steps), { run: "r", env: {}, hashFiles: () => "" });
  const find = (id: string) => steps.find((it) => it.id === id) ?? step(id);
  for (const x of [1, 2]) {
    const ended = { state: "succeeded", outputs: { loss: x }, node: `n${x}` } as const;
    scopes.add(find(`train[x=${x}]`), ended);
  }
  scopes.add(find("train"), { state: "succeeded", outputs: {}, node: undefined });
  const seen = (id: string) => scopes.of(find(id)).steps;
  assert.deepEqual(seen("get[x=2]")["train"], {
    state: "succeeded",
    outputs: { loss: 2 },
    node: "n2",
    matrix: [
      { params: { x: 1 }, status: "succeeded", outputs: { loss: 1 }, node: "n1" },
      { params: { x: 2 }, status: "succeeded", outputs: { loss: 2 }, node: "n2" },
    ],
  });
  assert.equal(seen("get[x=1]")["train"]?.node, "n1");
  // It has no twin there, and `other` has other axes.
  assert.equal(seen("get[x=3]")["train"]?.node, undefined);
  assert.equal(seen("other[y=1]")["train"]?.node, undefined);
  assert.equal(seen("get")["train"]?.node, undefined);
});
