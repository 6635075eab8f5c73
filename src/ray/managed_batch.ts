/** A batch on the Ray that Grid started: the driver is a job on the head. */
import { GridError } from "../core/errors.ts";
import type { RayConfig } from "../cluster/config.ts";
import type { OpenNode } from "../cluster/node.ts";
import type { BatchHost, BatchOutcome, BatchSpec, BatchStart } from "./batch.ts";
import type { DriversAhead } from "./driver_ahead.ts";
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
  readonly ahead: DriversAhead;
}

/** Starts what `runOnManaged` will need, so that Ray is loaded when its batch comes. */
export function prepareManaged(
  ahead: DriversAhead,
  { head, start }: { readonly head: OpenNode; readonly start: BatchStart },
): void {
  ahead.begin({ head, start, env: driverEnv(head), usesRay: true });
}

/** @throws {GridError} `ray` where no cluster is running, and what `runDriver` throws */
export async function runOnManaged(options: ManagedBatchOptions): Promise<BatchOutcome> {
  const { head, spec, host, finished, ahead } = options;
  const env = driverEnv(head);
  const place = () => placeOf(options);
  return await runDriver({ head, place, spec, host, finished, ahead, env, usesRay: true });
}

function driverEnv(head: OpenNode): Readonly<Record<string, string>> {
  return {
    ...rayClientEnv(head),
    // Ray reads them when it is loaded.
    RAY_DEDUP_LOGS: "0",
    RAY_COLOR_PREFIX: "0",
    GRID_ROOT: head.root,
    GRID_NODE: head.node.name,
  };
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
