import assert from "node:assert/strict";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import type { OpenNode } from "../../../src/cluster/node.ts";
import { withExpectedEnds } from "../../../src/steps/expected_end.ts";

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
