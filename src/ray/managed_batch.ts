/** A batch on the Ray that Grid started: the driver is a job on the head. */
import { GridError } from "../core/errors.ts";
import type { RayConfig } from "../cluster/config.ts";
import type { OpenNode } from "../cluster/node.ts";
import type { BatchHost, BatchOutcome, BatchSpec } from "./batch.ts";
import type { DriverPlace } from "./driver_spec.ts";
import type { FinishedTasks } from "./finished_tasks.ts";
import { runDriver } from "./driver_job.ts";
import { rayClientEnv, readSession } from "./session.ts";

export interface ManagedBatchOptions {
  readonly config: RayConfig;
  readonly head: OpenNode;
  readonly spec: BatchSpec;
  readonly host: BatchHost;
  readonly finished: FinishedTasks;
}

/** @throws {GridError} `ray` where no cluster is running, and what `runDriver` throws */
export async function runOnManaged(options: ManagedBatchOptions): Promise<BatchOutcome> {
  const { head, spec, host, finished } = options;
  return await runDriver({
    head,
    place: () => placeOf(options),
    spec,
    host,
    finished,
    env: {
      ...rayClientEnv(head),
      // Ray reads them when it is loaded.
      RAY_DEDUP_LOGS: "0",
      RAY_COLOR_PREFIX: "0",
      GRID_ROOT: head.root,
      GRID_NODE: head.node.name,
    },
    usesRay: true,
  });
}

async function placeOf({ config, head, host }: ManagedBatchOptions): Promise<DriverPlace> {
  const session = await readSession(head, host.signal);
  if (session === undefined || !session.lives) {
    const state = session ? "Ray has died there" : "no Ray of ours is running there";
    throw new GridError({
      code: "ray",
      message: `Cannot run the batch on ${head.node.name}: ${state}`,
      hint: "grid cluster start",
      node: head.node.name,
    });
  }
  const { address, ip: nodeIp } = session;
  return { mode: "ray", address, nodeIp, namespace: config.namespace };
}
