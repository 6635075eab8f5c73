import assert from "node:assert/strict";
import { startedEvent } from "../../../../src/engine/drive/announcement.ts";
import type { Event } from "../../../../src/engine/event.ts";
import type { Pipeline, Step } from "../../../../src/pipeline/pipeline.ts";
import { Text } from "../../../../src/expression/text.ts";
import { pipeline, step } from "../../../support/pipelines.ts";

const PLACE = { file: "p.yaml", line: 1, column: 1 };

function announced(pipeline: Pipeline): Extract<Event, { type: "run.started" }> {
  const started = { run: "r", project: "/p", gridVersion: "0" };
  const event = startedEvent(pipeline, { started, at: 5 });
  assert.ok(event.type === "run.started");
  return event;
}

function running(id: string, run: Text | string): Step {
  const text = typeof run === "string" ? Text.literal(run) : run;
  return { ...step(id), action: { kind: "run", run: text } };
}

Deno.test("startedEvent() has every command once, as written, with the steps that run it", () => {
  const spliced = new Text([
    { kind: "literal", value: "train --lr " },
    { kind: "expression", source: " matrix.lr ", place: PLACE },
    { kind: "literal", value: "\n" },
  ], PLACE);
  const { commands } = announced(
    pipeline([running("a", spliced), running("b", "echo b"), running("c", spliced)]),
  );
  assert.deepEqual(commands, [
    { text: "train --lr ${{ matrix.lr }}", steps: ["a", "c"] },
    { text: "echo b", steps: ["b"] },
  ]);
});

Deno.test("startedEvent() has the commands of hooks, too, and of batches", () => {
  const batch = { ...step("score"), action: { ...BATCH, target: { call: Text.literal("m:f") } } };
  const hooks = { success: [], failure: [running("tell", "notify")], exit: [] };
  const { commands } = announced({ ...pipeline([batch as Step]), hooks });
  assert.deepEqual(commands?.map(({ text }) => text), ["m:f", "notify"]);
});

const BATCH = { kind: "ray-batch", tasks: { range: 3 }, batchSize: 1, gpusPerBatch: 0 } as const;

Deno.test("startedEvent() cuts a long command and keeps no more than the journal can bear", () => {
  const long = Array.from(
    { length: 60 },
    (_, at) => running(`s${at}`, `${at} ${"x".repeat(20_000)}`),
  );
  const { commands = [] } = announced(pipeline([...long, running("short", "echo")]));
  assert.equal(commands[0]?.text.length, 8_001);
  const total = commands.reduce((sum, { text }) => sum + text.length, 0);
  assert.ok(total <= 200_000 && total > 190_000, String(total));
  assert.equal(commands.at(-1)?.text, "echo");
});

Deno.test("startedEvent() says of a cell what its values are, of others nothing", () => {
  const cell = { ...running("c[lr=0.1]", "x"), matrix: { lr: 0.1 }, group: "c" };
  const { steps } = announced(pipeline([cell, running("d", "y")]));
  assert.deepEqual(steps[0]?.matrix, { lr: 0.1 });
  assert.ok(!("matrix" in (steps[1] ?? {})));
});
