/** The batch runner of each `ray.mode`. */
import type { RayConfig } from "../cluster/config.ts";
import { lazy } from "../core/lazy.ts";
import type { BatchRunner } from "./batch.ts";
import { FinishedTasks } from "./finished_tasks.ts";

/** One per run: it remembers what the attempts of each step have finished. */
export function createBatchRunner(config: RayConfig): BatchRunner & AsyncDisposable {
  const finished = new FinishedTasks();
  const runner = runnerOf(config, finished);
  return { ...runner, [Symbol.asyncDispose]: () => finished[Symbol.asyncDispose]() };
}

function runnerOf(config: RayConfig, finished: FinishedTasks): BatchRunner {
  switch (config.mode) {
    case "embedded":
      return {
        mode: "embedded",
        run: async (head, spec, host) => {
          const { runDriver } = await lazy<typeof import("./driver_job.ts")>(
            "./driver_job.ts",
            import.meta.url,
          );
          const place = () => ({ mode: "embedded" }) as const;
          const env = { GRID_ROOT: head.root, GRID_NODE: head.node.name };
          return await runDriver({ head, place, spec, host, env, finished, usesRay: false });
        },
      };
    case "managed":
      return {
        mode: "managed",
        run: async (head, spec, host) => {
          const { runOnManaged } = await lazy<typeof import("./managed_batch.ts")>(
            "./managed_batch.ts",
            import.meta.url,
          );
          return await runOnManaged({ config, head, spec, host, finished });
        },
      };
    case "existing":
      return {
        mode: "existing",
        run: async (head, spec, host) => {
          const { runOnExisting } = await lazy<typeof import("./existing_batch.ts")>(
            "./existing_batch.ts",
            import.meta.url,
          );
          return await runOnExisting({ config, head, spec, host });
        },
      };
  }
}
