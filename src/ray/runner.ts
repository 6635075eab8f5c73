/** The batch runner of each `ray.mode`. */
import type { RayConfig } from "../cluster/config.ts";
import { lazy } from "../core/lazy.ts";
import type { BatchRunner } from "./batch.ts";
import { DriversAhead } from "./driver_ahead.ts";
import { FinishedTasks } from "./finished_tasks.ts";

/** One per run: it remembers what the attempts of each step have finished. */
export function createBatchRunner(config: RayConfig): BatchRunner & AsyncDisposable {
  const finished = new FinishedTasks();
  const closing = new AsyncDisposableStack();
  closing.use(finished);
  const runner = runnerOf(config, { finished, closing });
  return { ...runner, [Symbol.asyncDispose]: () => closing[Symbol.asyncDispose]() };
}

interface RunnerParts {
  readonly finished: FinishedTasks;
  /** What is to be closed with the runner. */
  readonly closing: AsyncDisposableStack;
}

function runnerOf(config: RayConfig, parts: RunnerParts): BatchRunner {
  const { finished } = parts;
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
      return managedRunner(config, parts);
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

function managedRunner(config: RayConfig, { finished, closing }: RunnerParts): BatchRunner {
  const load = () =>
    lazy<typeof import("./managed_batch.ts")>("./managed_batch.ts", import.meta.url);
  const ahead = closing.use(new DriversAhead());
  return {
    mode: "managed",
    prepare: async (head, start) => (await load()).prepareManaged(ahead, { head, start }),
    run: async (head, spec, host) =>
      await (await load()).runOnManaged({ config, head, spec, host, finished, ahead }),
  };
}
