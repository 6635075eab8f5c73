import assert from "node:assert/strict";
import { dirname } from "node:path";
import type { OpenNode } from "../../../src/cluster/node.ts";
import type { BatchSpec } from "../../../src/ray/batch.ts";
import { driverFiles, driverSpecText, markOf } from "../../../src/ray/driver_spec.ts";

const spec: BatchSpec = {
  id: "run1.score.1",
  resultsKey: "run1.score",
  target: { call: "tasks:score" },
  tasks: ["1", '{"shard": 2}'],
  batchSize: 10,
  gpusPerBatch: 0,
  cpusPerBatch: 1,
  maxFailures: 0,
  cwd: "/root/work/train",
  code: "digest",
  identityEnv: {},
  env: { MODEL: "model.json", GRID_NODE: "n1" },
  secrets: { HF_TOKEN: "planted" },
  killGraceMs: 1000,
};
const head = { root: "/root/work", node: { name: "n1" } } as OpenNode;

Deno.test("driverFiles() keeps results over attempts, runs and lists, but not over other code", async () => {
  const first = await driverFiles("/root/work", spec);
  const retry = await driverFiles("/root/work", { ...spec, id: "run2.score.1", tasks: ["1"] });
  assert.equal(first.work, retry.work);
  assert.equal(dirname(first.results), dirname(retry.results));
  assert.notEqual(first.results, retry.results);
  assert.notEqual(first.spec, retry.spec);
  const changes: Partial<BatchSpec>[] = [
    { target: { command: "true" } },
    { code: "other" },
    { setup: "tasks:load" },
    { identityEnv: { MODEL: "other" } },
  ];
  for (const change of changes) {
    const other = await driverFiles("/root/work", { ...spec, ...change });
    assert.notEqual(first.work, other.work);
  }
});

Deno.test("driverFiles() makes a file name of any step", async () => {
  const files = await driverFiles("/w", { ...spec, resultsKey: "run1.eval/score[a=../..]" });
  assert.match(files.folder, /^\/w\/\.grid\/batches\/[^/]+$/);
});

Deno.test("driverSpecText() names variables and keeps their values out", async () => {
  const files = await driverFiles(head.root, spec);
  const text = driverSpecText(spec, { head, files, place: { mode: "embedded" } });
  assert.ok(!text.includes("planted") && !text.includes("model.json"));
  const [first = "", ...tasks] = text.split("\n");
  const parsed = JSON.parse(first);
  // A worker's node is its own, not the head's.
  assert.deepEqual(parsed.forward, ["MODEL", "HF_TOKEN"]);
  assert.deepEqual(tasks, ["1", '{"shard": 2}']);
  assert.equal(parsed.mark, markOf(spec));
  assert.equal(parsed.mode, "embedded");
});

Deno.test("driverSpecText() tells where Ray is", async () => {
  const files = await driverFiles(head.root, spec);
  const place = {
    mode: "ray",
    address: "10.0.0.1:6379",
    nodeIp: "10.0.0.1",
    namespace: "n",
  } as const;
  const [first = ""] = driverSpecText(spec, { head, files, place }).split("\n");
  const parsed = JSON.parse(first);
  assert.equal(parsed.mode, "ray");
  assert.equal(parsed.address, "10.0.0.1:6379");
  assert.equal(parsed.node_ip, "10.0.0.1");
  assert.equal(parsed.namespace, "n");
});
