/** An engine whose steps are functions: what it does to them is what the tests look at. */
import { setImmediate } from "node:timers";
import { GridError } from "../../src/core/errors.ts";
import type { Event, Failure } from "../../src/engine/event.ts";
import type {
  EnginePorts,
  StepHost,
  StepKinds,
  StepOutcome,
  StepRequest,
} from "../../src/engine/ports.ts";
import { type RunOptions, runPipeline } from "../../src/engine/run.ts";
import { replay, type RunState } from "../../src/engine/reduce.ts";
import type { Pipeline } from "../../src/pipeline/pipeline.ts";
import { FakeClock } from "./fake_clock.ts";

export type Behaviour = (
  request: StepRequest,
  host: StepHost,
) => StepOutcome | Promise<StepOutcome>;

export interface FakeEngineOptions extends Partial<RunOptions> {
  /** By step id; every other step succeeds at once. */
  readonly steps?: Readonly<Record<string, Behaviour>>;
  /** For every step that `steps` does not name. */
  readonly otherwise?: Behaviour;
  readonly ports?: Partial<EnginePorts>;
  readonly clock?: FakeClock;
  /** Sees each event when a reader of the run does. */
  readonly readEvent?: (event: Event) => void;
}

export interface FakeRun {
  readonly events: readonly Event[];
  readonly state: RunState;
  readonly requests: readonly StepRequest[];
  readonly clock: FakeClock;
  /** Text each attempt printed, by `step.attempt`. */
  readonly output: ReadonlyMap<string, string>;
}

/** Runs the pipeline to its end; the fake clock is moved on whenever nothing else happens. */
export async function runFake(
  pipeline: Pipeline,
  options: FakeEngineOptions = {},
): Promise<FakeRun> {
  const {
    steps = {},
    otherwise = succeed(),
    ports = {},
    clock = new FakeClock(),
    readEvent,
    ...rest
  } = options;
  const requests: StepRequest[] = [];
  const output = new Map<string, string>();
  const run = (request: StepRequest, host: StepHost): Promise<StepOutcome> => {
    requests.push(request);
    return Promise.resolve((steps[request.step] ?? otherwise)(request, host));
  };
  const kinds = Object.fromEntries(
    ["sync", "data", "select-node", "run", "ray-batch", "fetch"].map((
      kind,
    ) => [kind, { kind, run }]),
  ) as unknown as StepKinds;
  const events: Event[] = [];
  const stream = runPipeline(pipeline, {
    kinds,
    journal: { append: () => {} },
    output: {
      open: ({ step, attempt }) => ({
        write: (_, bytes) => {
          const key = `${step}.${attempt}`;
          output.set(key, (output.get(key) ?? "") + new TextDecoder().decode(bytes));
        },
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
    },
    clock,
    random: () => 0.5,
    mask: (value) => value,
    ...ports,
  }, {
    run: "20260131-120000-test",
    project: "/project",
    signal: new AbortController().signal,
    secrets: {},
    env: {},
    gridVersion: "0.0.0",
    ...rest,
  });
  const reading = (async () => {
    for await (const event of stream) {
      readEvent?.(event);
      events.push(event);
    }
  })();
  await whileAdvancing(reading, clock);
  const state = replay(events);
  if (!state) throw new Error("a run without events");
  return { events, state, requests, clock, output };
}

/** Moves the clock on in small steps until the work is done. */
export async function whileAdvancing<T>(work: Promise<T>, clock: FakeClock): Promise<T> {
  let done = false;
  work.then(() => done = true, () => done = true);
  for (let turn = 0; !done; turn++) {
    if (turn > 200_000) throw new Error("the run does not end");
    await clock.advance(turn < 50 ? 0 : 100);
    // The engine journals at the end of a turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return await work;
}

export function succeed(outputs: Readonly<Record<string, string>> = {}): Behaviour {
  return () => ({ status: "succeeded", outputs });
}

export function fail(failure: Partial<Failure> = {}): Behaviour {
  return () => ({ status: "failed", failure: makeFailure(failure) });
}

export function makeFailure(failure: Partial<Failure> = {}): Failure {
  return { code: "exit", message: "exit code 1", exitCode: 1, started: true, ...failure };
}

/** One behaviour per attempt; the last goes on for ever. */
export function inTurn(...behaviours: readonly Behaviour[]): Behaviour {
  return (request, host) => {
    const behaviour = behaviours[Math.min(request.attempt, behaviours.length) - 1];
    if (!behaviour) throw new Error("no behaviour");
    return behaviour(request, host);
  };
}

/** Succeeds after `ms` on the clock unless it is told to stop. */
export function takes(ms: number): Behaviour {
  return async (_, host) => {
    await host.clock.sleep(ms, { signal: host.signal });
    return { status: "succeeded", outputs: {} };
  };
}

/** Runs until it is told to stop, and then says so. */
export function untilStopped(): Behaviour {
  return takes(1e12);
}

/** Does not listen to the signal. */
export function deaf(): Behaviour {
  return () => new Promise<StepOutcome>(() => {});
}

export function interrupted(): GridError {
  return new GridError({ code: "interrupted", message: "the run was interrupted" });
}

/** `step: state` for every step, in order. */
export function states(state: RunState): Record<string, string> {
  return Object.fromEntries([...state.steps].map(([id, { status }]) => [id, status]));
}

/** `type step` of the events that tell how steps went. */
export function trace(events: readonly Event[]): string[] {
  return events.map((event) => "step" in event ? `${event.type} ${event.step}` : event.type);
}
