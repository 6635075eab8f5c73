/** A run among others: it says that it is there, and hears when somebody asks it to stop. */
import { GridError } from "../../core/errors.ts";
import type { EnginePorts } from "../ports.ts";

/** How often a run looks whether it was cancelled from outside. */
const LOOK_MS = 1000;

export interface Registration extends Disposable {
  /** Fires when another process asked the run to stop. */
  readonly signal: AbortSignal;
}

export interface EnterOptions {
  readonly run: string;
  readonly ports: EnginePorts;
  /** The run that this one goes on from. */
  readonly resumes: string | undefined;
}

/**
 * Enters the run into the registry until it is disposed.
 *
 * @throws {GridError} `conflict` where the run to resume still runs, or another went on from it
 */
export function enterRegistry({ run, ports, resumes }: EnterOptions): Registration {
  const { registry, clock } = ports;
  const cancel = new AbortController();
  if (!registry) return { signal: cancel.signal, [Symbol.dispose]: () => {} };
  if (resumes !== undefined && registry.isAlive(resumes)) throw stillRuns(resumes);
  registry.enter(run, { resumes });
  const over = new AbortController();
  const listen = async () => {
    while (!cancel.signal.aborted) {
      await clock.sleep(LOOK_MS, { signal: over.signal });
      const reason = registry.cancelRequest(run);
      if (reason !== undefined) cancel.abort(cancelled(reason));
    }
  };
  listen().catch((thrown) => {
    // A registry that fails must not go unheard: the run stops and says why.
    if (!over.signal.aborted) cancel.abort(thrown);
  });
  return {
    signal: cancel.signal,
    [Symbol.dispose]: () => {
      over.abort();
      registry.leave(run);
    },
  };
}

function cancelled(reason: string): GridError {
  return new GridError({ code: "interrupted", message: reason });
}

function stillRuns(run: string): GridError {
  return new GridError({
    code: "conflict",
    message: `Cannot resume run ${run}: it still runs`,
    hint: `follow it: grid logs ${run} -f; or end it first: grid cancel ${run}`,
  });
}
