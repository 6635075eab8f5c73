import assert from "node:assert/strict";
import { resolveStep } from "../../../../src/engine/attempt/resolve.ts";
import { Scopes, type StepRecord } from "../../../../src/engine/ledger/scopes.ts";
import { cacheKey, stepKey } from "../../../../src/engine/resume/step_key.ts";
import type { NodeScope } from "../../../../src/expression/evaluate.ts";
import { nodeReads } from "../../../../src/pipeline/node_reads.ts";
import type { Step } from "../../../../src/pipeline/pipeline.ts";
import { pipeline, step, type StepParts } from "../../../support/pipelines.ts";
import { parseText } from "../../../support/texts.ts";

const record = (outputs: StepRecord["outputs"]): StepRecord => ({
  state: "succeeded",
  outputs,
  node: "n1",
});

function scopesFor(last: Step, outputs: StepRecord["outputs"] = {}): Scopes {
  const before = step("before");
  const scopes = new Scopes(pipeline([before, last], { inputs: { dir: "it's here", n: 3 } }), {
    run: "r1",
    env: { HOME: "/home/ann" },
    hashFiles: (patterns) => `hash of ${patterns.join()}`,
  });
  scopes.add(before, record(outputs));
  return scopes;
}

function resolved(parts: StepParts, outputs: StepRecord["outputs"] = {}) {
  const one = step("a", parts);
  const scopes = scopesFor(one, outputs);
  return resolveStep(one, {
    scope: (env) => scopes.of(one, { env }),
    record: (id) => scopes.record(id),
  });
}

const SELECTOR = { gpus: 1, minFreeVramBytes: undefined, labels: [], among: [], waitMs: 0 };

Deno.test("resolveStep() quotes what is spliced into a script, and nothing else", () => {
  const { action, env } = resolved({
    run: "ls ${{ inputs.dir }}",
    env: { DIR: "${{ inputs.dir }}" },
  });
  assert.deepEqual(action, { kind: "run", run: `ls 'it'"'"'s here'` });
  assert.equal(env["DIR"], "it's here");
});

Deno.test("resolveStep() gives the number of nodes, or says that it is none", () => {
  const gangOf = (count: string, outputs: StepRecord["outputs"] = {}) => {
    const gang = { count: parseText(count), sameModel: false, startWithinMs: 1, aliases: [] };
    const { action } = resolved({
      action: { kind: "run", run: parseText("true"), gang },
    }, outputs);
    return action.kind === "run" && action.gang?.count;
  };
  assert.equal(gangOf("${{ inputs.n }}"), 3);
  assert.equal(gangOf("${{ steps.before.outputs.many }}", { many: "12\n" }), 12);
  for (const many of ["0", "1001", "-1", "2.5", "", "all", "1e3"]) {
    assert.throws(() => gangOf("${{ steps.before.outputs.many }}", { many }), {
      message:
        `Cannot start on many nodes: nodes: gives "${many}", not a whole number from 1 to 1000`,
    });
  }
});

Deno.test("resolveStep() leaves $VARIABLES to the shell", () => {
  assert.deepEqual(resolved({ run: "echo $HOME ${X}" }).action, {
    kind: "run",
    run: "echo $HOME ${X}",
  });
});

Deno.test("resolveStep() lets env() see the runner's variables, and then the step's own", () => {
  const { env, workingDirectory } = resolved({
    env: { HERE: "${{ env('HOME') }}/x" },
    workingDirectory: parseText("${{ env('HERE') }}"),
  });
  assert.equal(env["HERE"], "/home/ann/x");
  assert.equal(workingDirectory, "/home/ann/x");
});

Deno.test("resolveStep() places a step where the chosen-by step chose", () => {
  const node = { kind: "chosen-by", step: "before" } as const;
  assert.deepEqual(resolved({ node }, { node: "gpu2" }).node, { kind: "named", name: "gpu2" });
  assert.deepEqual(
    resolved({ node }).node,
    { kind: "best" },
    "a skipped select-node chose nothing",
  );
});

Deno.test("resolveStep() hands on the GPUs that the choice of the node was made for", () => {
  const chosenBy = { kind: "chosen-by", step: "before" } as const;
  const written = { kind: "named", name: parseText("${{ steps.before.outputs.node }}") } as const;
  const outputs = { node: "gpu2", gpus: 2 };
  for (const node of [chosenBy, written]) {
    assert.deepEqual(resolved({ node }, outputs).node, {
      kind: "named",
      name: "gpu2",
      gpus: { count: 2, step: "before" },
    });
    assert.deepEqual(
      resolved({ node }, { ...outputs, gpus: "2" }).node,
      { kind: "named", name: "gpu2" },
      "a command's output is no choice",
    );
  }
});

Deno.test("resolveStep() takes a node from an expression, and refuses an empty one", () => {
  const node = { kind: "named", name: parseText("${{ steps.before.outputs.node }}") } as const;
  assert.deepEqual(resolved({ node }, { node: "gpu2" }).node, { kind: "named", name: "gpu2" });
  assert.throws(() => resolved({ node }, { node: "" }), { code: "no-node" });
  assert.throws(() => resolved({ node }), { message: /has no output "node"/ });
});

Deno.test("resolveStep() evaluates every part of a selector, a sync and a fetch", () => {
  const selector = {
    ...SELECTOR,
    labels: [parseText("v${{ inputs.n }}")],
    among: [parseText("${{ steps.before.outputs.node }}")],
  };
  assert.deepEqual(
    resolved({ action: { kind: "select-node", selector } }, { node: "n5" }).action,
    { kind: "select-node", selector: { ...SELECTOR, labels: ["v3"], among: ["n5"] } },
  );
  const fetch = {
    kind: "fetch",
    from: [parseText("m${{ inputs.n }}.json")],
    to: parseText("results"),
  } as const;
  assert.deepEqual(resolved({ action: fetch }).action, {
    kind: "fetch",
    from: ["m3.json"],
    to: "results",
  });
  const sync = {
    kind: "sync",
    from: parseText("."),
    to: [parseText("${{ steps.before.outputs.node }}")],
    as: undefined,
    excludeFrom: parseText(".gitignore"),
    exclude: [parseText("*.${{ inputs.n }}")],
    delete: true,
    writes: [],
  } as const;
  assert.deepEqual(resolved({ action: sync }, { node: "n5" }).action, {
    kind: "sync",
    from: ".",
    to: ["n5"],
    as: undefined,
    excludeFrom: ".gitignore",
    exclude: ["*.3"],
    delete: true,
    writes: [],
  });
});

const BATCH = {
  kind: "ray-batch",
  target: { call: parseText("m:f") },
  batchSize: 1,
  gpusPerBatch: 0,
  cpusPerBatch: 1,
  maxFailures: 0,
} as const;

Deno.test("resolveStep() turns a list, also one printed as JSON, into the tasks of a batch", () => {
  const tasks = { expression: parseText("${{ steps.before.outputs.shards }}") };
  for (const shards of [["a", { n: 1 }], '["a", {"n": 1}]']) {
    const { action } = resolved({ action: { ...BATCH, tasks } }, { shards });
    assert.ok(action.kind === "ray-batch" && "expression" in action.tasks);
    assert.deepEqual(JSON.parse(action.tasks.expression), ["a", { n: 1 }]);
  }
  for (const shards of ["not a list", 7, { a: 1 }]) {
    assert.throws(() => resolved({ action: { ...BATCH, tasks } }, { shards }), {
      code: "output-invalid",
      message: /not a list/,
    });
  }
});

Deno.test("resolveStep() quotes in a batch command, not in a call", () => {
  const tasks = { range: 3 };
  const command = { command: parseText("score ${{ inputs.dir }}") };
  const { action } = resolved({ action: { ...BATCH, target: command, tasks } });
  assert.deepEqual(action.kind === "ray-batch" && action.target, {
    command: `score 'it'"'"'s here'`,
  });
});

Deno.test("stepKey() changes with what is done, and with nothing else", () => {
  const key = (parts: StepParts, outputs: StepRecord["outputs"] = {}) => {
    const one = step("a", parts);
    const options = { scopes: scopesFor(one, outputs), hashFiles: () => "" };
    return stepKey(one, options);
  };
  const plain = key({ run: "x" });
  assert.ok(plain);
  const same: readonly StepParts[] = [
    { run: "x", retry: { max: 9, on: ["any"] } },
    { run: "x", timeout: { attemptMs: 5 } },
    { run: "x", node: { kind: "selector", selector: SELECTOR } },
    { run: "x", needs: ["before"] },
    { run: "x", allowFailure: true, detach: true },
  ];
  for (const parts of same) assert.equal(key(parts), plain, JSON.stringify(parts));
  const other: readonly StepParts[] = [
    { run: "y" },
    { run: "x", env: { A: "1" } },
    { run: "x", shell: "sh" },
    { run: "x", secrets: ["TOKEN"] },
    { run: "x", workingDirectory: parseText("sub") },
  ];
  const keys = other.map((parts) => key(parts));
  assert.equal(new Set([plain, ...keys]).size, other.length + 1);
  assert.equal(key({ run: "${{ attempt }} ${{ run.id }}" }), key({ run: "'1' ''" }));
  assert.notEqual(
    key({ run: "${{ steps.before.outputs.x }}" }, { x: "1" }),
    key({ run: "${{ steps.before.outputs.x }}" }, { x: "2" }),
  );
  assert.equal(key({ run: "${{ steps.before.outputs.x }}" }), undefined, "no value yet");
});

Deno.test("stepKey() does not depend on the order of variables", () => {
  const key = (env: Record<string, string>) => {
    const one = step("a", { env });
    return stepKey(one, { scopes: scopesFor(one), hashFiles: () => "" });
  };
  assert.equal(key({ A: "1", B: "2" }), key({ B: "2", A: "1" }));
});

Deno.test("cacheKey() holds the contents of the inputs and the extra word, for kinds that can", () => {
  const key = (parts: StepParts, content: string) => {
    const one = step("a", parts);
    const hashFiles = (patterns: readonly string[]) => `${patterns.join()}=${content}`;
    return cacheKey(one, { scopes: scopesFor(one), hashFiles })?.key;
  };
  const cache = { inputs: [parseText("src/**")], key: parseText("${{ inputs.n }}") };
  assert.equal(key({}, "1"), undefined, "a step that did not opt in has none");
  assert.equal(key({ cache }, "1"), key({ cache }, "1"));
  assert.notEqual(key({ cache }, "1"), key({ cache }, "2"));
  assert.notEqual(key({ cache }, "1"), key({ cache: { ...cache, key: parseText("k") } }, "1"));
  assert.equal(
    key({ cache, retry: { max: 5 } }, "1"),
    key({ cache }, "1"),
    "retry is no part of it",
  );
  const fetch = { kind: "fetch", from: [], to: parseText("r") } as const;
  assert.equal(key({ cache, action: fetch }, "1"), undefined, "files brought home may be gone");
});

Deno.test("what reads the node is evaluated for the node that was chosen, quoted where it stands", () => {
  const one = step("a", {
    run: "cd ${{ node.scratch }}; ${{ inputs.n }}",
    env: { A: "${{ node.scratch }}/${{ inputs.n }}", B: "${{ inputs.n }}" },
  });
  const scopes = scopesFor(one);
  const resolve = (node?: NodeScope) =>
    resolveStep(one, {
      scope: (env) => ({ ...scopes.of(one, { env }), node }),
      record: (id) => scopes.record(id),
    });
  // What the step depends on says how it is written.
  const before = resolve();
  assert.deepEqual(before.action, { kind: "run", run: "cd ${{ node.scratch }}; 3" });
  assert.deepEqual(before.env, { A: "${{ node.scratch }}/3", B: "3" });
  const there = resolve({ name: "n1", vars: { scratch: "it's" } });
  assert.deepEqual(there.action, { kind: "run", run: `cd 'it'"'"'s'; '3'` });
  assert.deepEqual(there.env, { A: "it's/3", B: "3" });
  assert.throws(() => resolve({ name: "n2", vars: {} }), /node "n2" no value "scratch"/);
  assert.deepEqual(nodeReads(one), ["scratch"]);
  assert.equal(nodeReads(step("b", { run: "${{ node[inputs.dir] }}" })), "all");
  assert.deepEqual(nodeReads(step("c", { run: "echo node ${{ steps.before.node }}" })), []);
});

Deno.test("lines before a command, and what its nodes give, are part of what a step does", () => {
  const key = (parts: StepParts, said?: string) => {
    const one = step("a", parts);
    const reads: unknown[] = [];
    const nodeSays = (...args: unknown[]) => (reads.push(args), said);
    const found = stepKey(one, { scopes: scopesFor(one), hashFiles: () => "", nodeSays });
    return { found, reads };
  };
  const before = [parseText("module load ${{ inputs.n }}")];
  const plain = key({ run: "x" }).found;
  assert.notEqual(key({ run: "x", before }).found, plain);
  assert.notEqual(
    key({ run: "x", before }).found,
    key({ run: "x", before: [...before, ...before] }).found,
  );
  assert.notEqual(key({ run: "x" }, "one").found, plain);
  assert.notEqual(key({ run: "x" }, "one").found, key({ run: "x" }, "two").found);
  assert.notEqual(key({ run: "x", shell: "bash -l" }).found, plain);
  assert.deepEqual(key({ run: "x ${{ node.s }}" }).reads, [[{ kind: "best" }, ["s"]]]);
});
