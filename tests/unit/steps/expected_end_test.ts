import assert from "node:assert/strict";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { commandPipeline } from "../../../src/pipeline/command_pipeline.ts";
import type { OpenNode } from "../../../src/cluster/node.ts";
import { usualTimes, withExpectedEnds } from "../../../src/steps/expected_end.ts";

const SELECTOR = {
  gpus: 1,
  minFreeVramBytes: undefined,
  labels: [],
  among: [],
  waitMs: 0,
};

Deno.test("withExpectedEnds() tells how long a step takes, where it wants GPUs", async () => {
  const seen: unknown[] = [];
  const asked: string[] = [];
  const inner = {
    select: (_: unknown, options?: { words?: unknown }) => {
      seen.push(options?.words);
      return Promise.reject(new Error("none"));
    },
    claim: (_: unknown, wish: { words: unknown }) => {
      seen.push(wish.words);
      return Promise.resolve("");
    },
  } as unknown as Cluster;
  const cluster = withExpectedEnds(inner, (step) => {
    asked.push(step);
    return step === "train" ? 60_000 : undefined;
  });
  const words = { run: "r1", step: "train" };
  await assert.rejects(cluster.select(SELECTOR, { words }));
  await assert.rejects(cluster.select({ ...SELECTOR, gpus: 0 }, { words }));
  await assert.rejects(cluster.select(SELECTOR));
  const wish = { minFreeVramBytes: undefined, group: "g", waitMs: 0 };
  const node = {} as OpenNode;
  await cluster.claim(node, { ...wish, gpus: 2, words: { run: "r1", step: "new" } });
  await cluster.claim(node, { ...wish, gpus: 0, words });
  assert.deepEqual(seen, [
    { run: "r1", step: "train", lastsMs: 60_000 },
    words,
    undefined,
    { run: "r1", step: "new", lastsMs: undefined },
    words,
  ]);
  assert.deepEqual(asked, ["train", "new"]);
});

Deno.test("usualTimes() of a choice is that of the one step that it is for, and nothing where there are more", () => {
  const known = [{ step: "command", usualMs: 60_000 }, { step: "node", usualMs: 100 }];
  const single = commandPipeline({ command: "python train.py", gpus: 1 });
  const usual = usualTimes(single.steps, () => known);
  assert.deepEqual([usual("node"), usual("command")], [60_000, 60_000]);
  const [choice, ...steps] = single.steps;
  assert.ok(choice && steps[0]);
  const more = usualTimes([choice, ...steps, { ...steps[0], id: "after" }], () => known);
  assert.deepEqual([more("node"), more("command")], [undefined, 60_000]);
});
