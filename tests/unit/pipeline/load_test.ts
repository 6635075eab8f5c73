import assert from "node:assert/strict";
import { GridError } from "../../../src/core/errors.ts";
import { DiagnosticsError } from "../../../src/document/diagnostic.ts";
import { loadPipeline } from "../../../src/pipeline/load.ts";
import { loadText, mistakesOf, stepOf } from "../../support/pipeline_files.ts";
import { tempDir } from "../../support/temp_dir.ts";

Deno.test("loadPipeline() applies the defaults of the format where nothing is written", async () => {
  const { pipeline, warnings } = await loadText("steps:\n  - id: a\n    run: echo hi\n");
  assert.equal(pipeline.name, "main");
  assert.deepEqual(warnings, []);
  const step = stepOf(pipeline, "a");
  assert.deepEqual(step.retry, {
    max: 2,
    on: ["transport"],
    delayMs: 2000,
    maxDelayMs: 60_000,
    backoff: "exponential",
    jitter: "full",
    avoidNode: false,
  });
  assert.deepEqual(step.timeout, {
    totalMs: undefined,
    attemptMs: undefined,
    idleMs: undefined,
    killGraceMs: 10_000,
  });
  assert.deepEqual(step.node, { kind: "best" });
  assert.equal(step.shell, "bash");
  assert.equal(step.condition, undefined);
  assert.equal(step.place.line, 2);
});

Deno.test("loadPipeline() understands short forms", async () => {
  const { pipeline } = await loadText(`
steps:
  - id: a
    run: echo
  - id: b
    needs: a
    retry: 3
    timeout: 1h30m
    node: local
    run: echo
`);
  const step = stepOf(pipeline, "b");
  assert.deepEqual(step.needs, ["a"]);
  assert.equal(step.retry.max, 3);
  assert.equal(step.timeout.attemptMs, 5_400_000);
  assert.equal(step.node.kind === "named" && step.node.name.constant, "local");
});

Deno.test("loadPipeline() lets a step override the file's defaults key by key", async () => {
  const { pipeline } = await loadText(`
defaults:
  timeout: { attempt: 10m, idle: 1m }
  retry: { max: 5, delay: 1s }
  shell: sh
  working-directory: src
steps:
  - id: a
    run: echo
    timeout: { total: 2h }
    retry: { on: "exit:75" }
`);
  const step = stepOf(pipeline, "a");
  assert.deepEqual(step.timeout, {
    totalMs: 7_200_000,
    attemptMs: 600_000,
    idleMs: 60_000,
    killGraceMs: 10_000,
  });
  assert.equal(step.retry.max, 5);
  assert.deepEqual(step.retry.on, ["exit:75"]);
  assert.equal(step.shell, "sh");
  assert.equal(step.workingDirectory?.constant, "src");
});

Deno.test("loadPipeline() keeps the spelling of scalars", async () => {
  const { pipeline } = await loadText(`
inputs:
  lr: { type: number, default: 1e-4 }
  version: { default: 1.10 }
steps:
  - id: a
    env: { LR: 3e-4, VERSION: 1.10, FLAG: true, HEX: 0x1F }
    run: echo
`);
  const env = stepOf(pipeline, "a").env;
  assert.deepEqual(
    Object.fromEntries(Object.entries(env).map(([name, text]) => [name, text.constant])),
    { LR: "3e-4", VERSION: "1.10", FLAG: "true", HEX: "0x1F" },
  );
  assert.equal(JSON.stringify(pipeline.inputs), '{"lr":1e-4,"version":"1.10"}');
});

Deno.test("loadPipeline() merges env: the file's, then the step's", async () => {
  const { pipeline } = await loadText(
    "env: { A: 1, B: 1 }\nsteps:\n  - id: a\n    env: { B: 2 }\n    run: echo\n",
  );
  const { env } = stepOf(pipeline, "a");
  assert.deepEqual([env["A"]?.constant, env["B"]?.constant], ["1", "2"]);
});

Deno.test("loadPipeline() understands anchors, merge keys and x- keys", async () => {
  const { pipeline } = await loadText(`
x-base: &base
  timeout: 5m
  env: { A: one }
steps:
  - id: a
    <<: *base
    run: echo
  - id: b
    <<: *base
    timeout: 6m
    run: echo
`);
  assert.equal(stepOf(pipeline, "a").timeout.attemptMs, 300_000);
  assert.equal(stepOf(pipeline, "b").timeout.attemptMs, 360_000);
  assert.equal(stepOf(pipeline, "b").env["A"]?.constant, "one");
});

Deno.test("loadPipeline() puts every step after what it waits for", async () => {
  const { pipeline } = await loadText(`
steps:
  - { id: c, after: [b], run: echo }
  - { id: b, needs: [a], run: echo }
  - { id: a, run: echo }
`);
  assert.deepEqual(pipeline.steps.map((step) => step.id), ["a", "b", "c"]);
});

Deno.test("a step without node runs where the one select-node before it chose", async () => {
  const { pipeline } = await loadText(`
steps:
  - { id: gpu, select-node: { gpus: 1, min-free-vram: 16GiB, wait: 5m, labels: a100 } }
  - { id: code, sync: { to: gpu1 } }
  - { id: train, needs: [gpu, code], run: echo }
  - { id: later, needs: train, run: echo }
  - { id: apart, run: echo }
`);
  assert.deepEqual(stepOf(pipeline, "later").node, { kind: "chosen-by", step: "gpu" });
  assert.deepEqual(stepOf(pipeline, "apart").node, { kind: "best" });
  const { action } = stepOf(pipeline, "gpu");
  assert.ok(action.kind === "select-node");
  assert.equal(action.selector.minFreeVramBytes, 16 * 2 ** 30);
  assert.equal(action.selector.waitMs, 300_000);
  assert.deepEqual(action.selector.labels.map((label) => label.constant), ["a100"]);
});

Deno.test("fetch: {node} is the node of the step", async () => {
  const { pipeline } = await loadText(
    "steps:\n  - { id: a, fetch: { node: gpu1, from: [x, y], to: out } }\n",
  );
  const step = stepOf(pipeline, "a");
  assert.equal(step.node.kind === "named" && step.node.name.constant, "gpu1");
  assert.ok(step.action.kind === "fetch");
  assert.deepEqual(step.action.from.map((text) => text.constant), ["x", "y"]);
});

Deno.test("ray-batch takes tasks as a list, a file, a range or an expression", async () => {
  const { pipeline } = await loadText(`
inputs: { shards: { default: "[1]" } }
steps:
  - { id: a, ray-batch: { call: m:f, tasks: [1, { x: 2 }] } }
  - { id: b, ray-batch: { call: m:f, tasks: { file: t.jsonl } } }
  - { id: c, ray-batch: { command: echo, tasks: { range: 3 }, batch-size: 2, max-failures: 1 } }
  - { id: d, ray-batch: { call: m:f, tasks: "\${{ fromJSON(inputs.shards) }}" } }
`);
  const tasks = pipeline.steps.map(({ action }) => action.kind === "ray-batch" && action.tasks);
  assert.deepEqual(tasks[0], { list: [1, { x: 2 }] });
  assert.ok(tasks[1] && "file" in tasks[1]);
  assert.deepEqual(tasks[2], { range: 3 });
  assert.ok(tasks[3] && "expression" in tasks[3]);
});

Deno.test("outputs come from a file, from stdout, or from a value", async () => {
  const { pipeline } = await loadText(`
steps:
  - id: a
    run: echo
    outputs:
      loss: { from: file, path: m.json, json: .loss }
      acc: { from: stdout, match: 'acc=(\\d+)' }
      tag: v1
`);
  const [loss, acc, tag] = stepOf(pipeline, "a").outputs;
  assert.ok(loss?.from === "file" && loss.json === ".loss");
  assert.ok(acc?.from === "stdout" && acc.match === "acc=(\\d+)");
  assert.ok(tag?.from === "value" && tag.value.constant === "v1");
});

Deno.test("a condition may be written with or without the braces", async () => {
  const { pipeline } = await loadText(`
steps:
  - { id: a, run: echo, if: "always()" }
  - { id: b, run: echo, if: "\${{ failure() }}" }
  - { id: c, run: echo, if: false }
`);
  const sources = pipeline.steps.map((step) => {
    const [part] = step.condition?.parts ?? [];
    return part?.kind === "expression" ? part.source.trim() : undefined;
  });
  assert.deepEqual(sources, ["always()", "failure()", "false"]);
});

Deno.test("secrets are a list of variables or a map of sources", async () => {
  const list = await loadText("secrets: [TOKEN]\nsteps:\n  - { id: a, run: x, secrets: TOKEN }\n");
  assert.deepEqual(list.pipeline.secrets, [{ name: "TOKEN", from: "env", variable: "TOKEN" }]);
  assert.deepEqual(stepOf(list.pipeline, "a").secrets, ["TOKEN"]);
  const map = await loadText(`
secrets:
  A: { from: env }
  B: { from: file, path: key.txt }
  C: { from: command, run: [pass, show, db], mask: [.token, ".keys[0]"] }
steps:
  - { id: a, run: echo }
`);
  assert.deepEqual(map.pipeline.secrets, [
    { name: "A", from: "env", variable: "A" },
    { name: "B", from: "file", path: "key.txt" },
    { name: "C", from: "command", run: ["pass", "show", "db"], mask: [".token", ".keys[0]"] },
  ]);
});

Deno.test("hooks are steps without an id", async () => {
  const { pipeline } = await loadText(`
steps:
  - { id: a, run: echo }
hooks:
  failure: [{ run: ./notify.sh, node: local }]
  exit: [{ run: ./cleanup.sh }, { id: last, run: "echo \${{ steps.a.state }}" }]
`);
  assert.deepEqual(pipeline.hooks.failure.map((step) => step.id), ["on-failure-1"]);
  assert.deepEqual(pipeline.hooks.exit.map((step) => step.id), ["on-exit-1", "last"]);
});

Deno.test("the pipeline is frozen through and through", async () => {
  const { pipeline } = await loadText("steps:\n  - { id: a, run: echo, env: { A: 1 } }\n");
  assert.throws(() => Object.assign(stepOf(pipeline, "a").env, { B: 2 }), TypeError);
  assert.throws(() => Object.assign(pipeline.inputs, { x: 1 }), TypeError);
});

Deno.test("loadPipeline() reports the mistakes of a file in file order, all at once", async () => {
  const text = `
steps:
  - id: a
    run: echo \${{ inputs.nope }}
    tiemout: 5m
  - id: b
    needs: [z]
    timeout: 5
`;
  assert.deepEqual(await mistakesOf(text), [
    "4:26 unknown-input",
    "5:5 unknown-key",
    "7:13 unknown-step",
    "8:14 wrong-type",
  ]);
});

Deno.test("a missing file is a usage error with its path", async () => {
  using folder = tempDir();
  const file = `${folder.path}/nope.yaml`;
  await assert.rejects(
    () => loadPipeline({ file, project: folder.path, env: {} }),
    (error) =>
      error instanceof GridError && error.code === "usage" && error.exitCode === 2 &&
      error.message.includes("there is no such file"),
  );
});

Deno.test("DiagnosticsError counts what follows the first mistake", async () => {
  await assert.rejects(
    () => loadText("nmae: x\nstesp: []\n"),
    (error) => error instanceof DiagnosticsError && /\(and 1 more\)$/.test(error.message),
  );
});

Deno.test("braces that only look like an expression are a warning", async () => {
  const { warnings } = await loadText(`
inputs: { x: { default: 1 } }
steps:
  - { id: a, run: "docker inspect --format '{{ .Id }}' && echo \${HOME}" }
  - { id: b, run: "echo {{ inputs.x }} now" }
  - id: c
    run: echo \${inputs.x}
  - id: d
    run: echo \${ inputs.x }
`);
  assert.deepEqual(
    warnings.map(({ place, rule, hint }) => [place.line, place.column, rule, hint]),
    [
      [5, 25, "bare-braces", "write ${{ inputs.x }} for its value"],
      [7, 15, "bare-braces", "write ${{ inputs.x }} for its value"],
      [9, 15, "bare-braces", "write ${{ inputs.x }} for its value"],
    ],
  );
});

Deno.test("templates that double at every level are refused before memory runs out", async () => {
  const more = Object.fromEntries(Array.from({ length: 18 }, (_, index) => [
    `t${index}.yaml`,
    `steps:\n  - { id: a, uses: ./t${index + 1}.yaml }\n  - { id: b, uses: ./t${
      index + 1
    }.yaml }\n`,
  ]));
  more["t18.yaml"] = "steps:\n  - { id: end, run: echo }\n";
  const main = "steps:\n  - { id: a, uses: ./t0.yaml }\n";
  await assert.rejects(() => loadText({ main, more }), /make more than 100000 steps/);
});

Deno.test("loadPipeline() reads no file that only a program can have made so long", async () => {
  const step = `  - { id: a, run: "${"x".repeat(1 << 20)}" }\n`;
  const mistakes = await mistakesOf(`steps:\n${step.repeat(5)}`);
  assert.deepEqual(mistakes, ["1:1 long-file"]);
  const needs = "a,".repeat(300_000);
  assert.deepEqual(await mistakesOf(`steps:\n  - { id: a, needs: [${needs}] }\n`), [
    "1:1 long-file",
  ]);
});

Deno.test("loadPipeline() reports a value under __proto__ that does not fit, and takes one that does", async () => {
  const found = await mistakesOf(`
inputs: { __proto__: { type: 3 } }
steps:
  - { id: a, run: ":", env: { __proto__: x }, outputs: { __proto__: { from: file } } }
`);
  const lines = found.map((mistake) => mistake.replace(/:\d+ /, " "));
  assert.deepEqual(lines, ["2 invalid-value", "4 invalid-value"]);
});

Deno.test("the name of a pipeline stands on one line", async () => {
  const of = (name: string) => mistakesOf(`name: ${name}\nsteps: [{ id: a, run: "true" }]\n`);
  assert.deepEqual(await of(`"two\\nlines"`), ["1:7 invalid-value"]);
  assert.deepEqual(await of(`"\\e[2J"`), ["1:7 invalid-value"]);
  assert.deepEqual(await of("Größe, ✔ and spaces"), []);
});
