/** A node of this machine with code, and a batch over it that runs without Ray. */
import { join } from "node:path";
import type { OpenNode } from "../../src/cluster/node.ts";
import type { BatchSpec } from "../../src/ray/batch.ts";
import type { DriverJobOptions } from "../../src/ray/driver_job.ts";
import { FinishedTasks } from "../../src/ray/finished_tasks.ts";
import { CollectedOutcomes } from "./batch_results.ts";
import { openLocalNode } from "./job_nodes.ts";

export const SPEC: Omit<BatchSpec, "cwd"> = {
  // Whatever bears the name of a batch on this machine is ended with it.
  id: `run.batch-${crypto.randomUUID().slice(0, 8)}`,
  resultsKey: "run.batch",
  target: { call: "work:double" },
  tasks: ["1", "2", "3"],
  batchSize: 1,
  gpusPerBatch: 0,
  cpusPerBatch: 1,
  maxFailures: 0,
  code: "code",
  identityEnv: {},
  env: {},
  secrets: {},
  killGraceMs: 2000,
};

export async function openHead() {
  const node = await openLocalNode();
  Deno.mkdirSync(join(node.root, "code"));
  Deno.writeTextFileSync(
    join(node.root, "code/work.py"),
    "def double(task):\n    return 2 * task\n",
  );
  const head = {
    node: {
      name: "here",
      endpoint: node.transport.endpoint,
      labels: [],
      gpus: undefined,
      remoteRoot: node.root,
    },
    transport: node.transport,
    root: node.root,
    home: node.root,
  } satisfies OpenNode;
  return { head, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
}

export function optionsOf(head: OpenNode, fields: Partial<BatchSpec> = {}) {
  const outcomes = new CollectedOutcomes();
  const options: DriverJobOptions = {
    head,
    place: () => ({ mode: "embedded" }),
    usesRay: false,
    spec: { ...SPEC, cwd: join(head.root, "code"), ...fields },
    host: {
      signal: new AbortController().signal,
      output: () => {},
      progress: () => {},
      outcomes,
      jobStarted: () => {},
    },
    env: { GRID_ROOT: head.root, GRID_NODE: head.node.name },
    finished: new FinishedTasks(),
  };
  return { options, outcomes };
}
