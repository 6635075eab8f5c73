/** One attempt at a step: limits of time, output, and an end within bounds whatever the step does. */
import type { Usage } from "../../core/usage.ts";
import { formatDuration } from "../../core/duration.ts";
import type { GridError } from "../../core/errors.ts";
import type { ActionKind, Step } from "../../pipeline/pipeline.ts";
import type { Staying } from "../staying.ts";
import type { AttemptFinished, Event, Failure } from "../event.ts";
import { failureOf, stopError } from "../failure.ts";
import { limitError, Limits } from "./limits.ts";
import type {
  AttemptOutput,
  CachedResult,
  EnginePorts,
  Made,
  StepHost,
  StepKind,
  StepNote,
  StepOutcome,
  StepRequest,
} from "../ports.ts";

/** Beyond the kill grace: time to reach the node, to look for survivors, and to come back. */
const KILL_SLACK_MS = 15_000;
/** Why nobody needs to be impatient any more. */
const ENDED = Symbol("the work has ended");

export interface AttemptOptions {
  readonly step: Step;
  readonly attempt: number;
  readonly ports: EnginePorts;
  /** Fires at the step's total limit, on cancel and on fail-fast. */
  readonly signal: AbortSignal;
  /** Evaluates the step's expressions. @throws {GridError} where that fails */
  readonly request: () => StepRequest;
  readonly emit: (event: Event) => void;
}

export interface AttemptEnd {
  readonly result: AttemptFinished["result"];
  readonly outputs: Extract<StepOutcome, { status: "succeeded" }>["outputs"];
  readonly filed?: Extract<StepOutcome, { status: "succeeded" }>["filed"];
  readonly masked?: readonly string[];
  readonly exitCode: number | undefined;
  readonly failure: Failure | undefined;
  /** The last node that was chosen. */
  readonly node: string | undefined;
  /** Lines of its output in which a mask stands. */
  readonly maskedLines?: number;
  /** Of its output: what found no room to be kept. */
  readonly unkeptBytes?: number;
  /** What its command used of the node. */
  readonly usage?: Usage;
  /** Container image that its command ran in. */
  readonly image?: string;
  /** Why no other run may use the result, or what it made, or what stood in for it. */
  readonly unfit?: string;
  readonly made?: Made;
  readonly reused?: CachedResult;
  readonly stays?: Staying;
}

/** Never rejects for what the step does; only where the journal or the output fails. */
export async function runAttempt(options: AttemptOptions): Promise<AttemptEnd> {
  const { step, attempt, ports } = options;
  const hasSecrets = step.secrets.length > 0;
  const output = ports.output.open({ step: step.id, attempt, hasSecrets });
  const end = await attemptWith(options, output);
  const { maskedLines = 0, unkeptBytes = 0 } = output;
  return {
    ...end,
    ...(maskedLines > 0 && { maskedLines }),
    ...(unkeptBytes > 0 && { unkeptBytes }),
  };
}

async function attemptWith(options: AttemptOptions, given: AttemptOutput): Promise<AttemptEnd> {
  await using open = new AsyncDisposableStack();
  const output = open.use(given);
  const { step, ports } = options;
  using limits = new Limits(ports.clock, options.signal);
  const { attemptMs, idleMs } = step.timeout;
  if (attemptMs !== undefined) {
    limits.allow(attemptMs, () => limitError(step, "attempt", attemptMs));
  }
  if (idleMs !== undefined) limits.allowIdle(idleMs, () => limitError(step, "idle", idleMs));
  const host = new AttemptHost(options, {
    limits,
    write: (stream, bytes) => output.write(stream, bytes),
  });
  let outcome: StepOutcome | undefined;
  try {
    limits.signal.throwIfAborted();
    outcome = await endSoon(work(options, host), { options, limits, host });
  } catch (thrown) {
    outcome = { status: "failed", failure: failureOf(thrown, { started: host.started }) };
  }
  const ended = attemptEnd(outcome, { host, signal: limits.signal });
  const { usage, image } = host;
  const end = { ...ended, ...(usage && { usage }), ...(image && { image }) };
  if (end.stays) return { ...end, stays: keepOpen(end.stays, { host, open: open.move() }) };
  host.close();
  return end;
}

/** What it prints is taken until it is over. */
function keepOpen(
  { over }: Staying,
  { host, open }: { readonly host: AttemptHost; readonly open: AsyncDisposableStack },
): Staying {
  const close = async () => {
    host.close();
    await open.disposeAsync();
  };
  return { over: over.then(async (failure) => (await close(), failure)) };
}

/** An async function, so that whatever the kind throws becomes a rejection. */
async function work({ ports, request }: AttemptOptions, host: StepHost): Promise<StepOutcome> {
  const { action, ...rest } = request();
  // Each kind takes exactly the requests whose action is of that kind.
  const kind = ports.kinds[action.kind as Exclude<ActionKind, "group">] as StepKind<ActionKind>;
  return await kind.run({ action, ...rest }, host);
}

interface Watch {
  readonly options: AttemptOptions;
  readonly limits: Limits;
  readonly host: AttemptHost;
}

/** The work's outcome, or undefined where it did not end in time after the signal. */
async function endSoon(
  running: Promise<StepOutcome>,
  { options, limits, host }: Watch,
): Promise<StepOutcome | undefined> {
  const { ports, step } = options;
  const patience = step.timeout.killGraceMs + KILL_SLACK_MS;
  const ended = new AbortController();
  const abandoned = Promise.withResolvers<undefined>();
  const lose = () => {
    const message = `did not end within ${
      formatDuration(patience)
    } of being told to; it may still run`;
    host.note({ type: "warned", message });
  };
  const onAbort = () => {
    ports.clock.sleep(patience, { signal: ended.signal }).then(lose)
      // Once the work has ended, nobody looks at this promise.
      .then(() => abandoned.resolve(undefined), abandoned.reject);
  };
  if (limits.signal.aborted) onAbort();
  else limits.signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([running, abandoned.promise]);
  } finally {
    limits.signal.removeEventListener("abort", onAbort);
    ended.abort(ENDED);
  }
}

/** What the step's kind sees of the engine; deaf once the attempt is over. */
class AttemptHost implements StepHost {
  readonly signal: AbortSignal;
  readonly clock: EnginePorts["clock"];
  readonly outputFile: StepHost["outputFile"];
  /** A command is about to start, or has. */
  started = false;
  node: string | undefined;
  usage: Usage | undefined;
  image: string | undefined;
  #open = true;
  readonly #options: AttemptOptions;
  readonly #limits: Limits;
  readonly #write: StepHost["output"];

  constructor(
    options: AttemptOptions,
    { limits, write }: { readonly limits: Limits; readonly write: StepHost["output"] },
  ) {
    this.#options = options;
    this.#limits = limits;
    this.#write = write;
    this.signal = limits.signal;
    this.clock = options.ports.clock;
    const { step: { id: step }, attempt, ports: { outputFiles } } = options;
    this.outputFile = outputFiles && ((name) => outputFiles({ step, attempt, name }));
  }

  output(...chunk: Parameters<StepHost["output"]>): void | Promise<void> {
    if (!this.#open) return;
    this.#limits.sign();
    return this.#write(...chunk);
  }

  note(note: StepNote): void {
    if (!this.#open) return;
    this.#limits.sign();
    if (note.type === "job.started") this.started = true;
    if (note.type === "node.chosen" && !note.rank) this.node = note.node;
    const { step, attempt, ports } = this.#options;
    const at = ports.clock.now();
    if (note.type === "warned") this.#options.emit({ ...note, at, step: step.id });
    else this.#options.emit({ ...note, at, step: step.id, attempt });
  }

  used(usage: Usage): void {
    if (this.#open) this.usage = usage;
  }

  ranIn(image: string): void {
    if (this.#open) this.image = image;
  }

  close(): void {
    this.#open = false;
  }
}

function attemptEnd(
  outcome: StepOutcome | undefined,
  { host, signal }: { readonly host: AttemptHost; readonly signal: AbortSignal },
): AttemptEnd {
  const { node } = host;
  if (outcome?.status === "succeeded") {
    const { status: _, ...rest } = outcome;
    return { exitCode: undefined, ...rest, result: "succeeded", failure: undefined, node };
  }
  const failure = signal.aborted
    ? stoppedFailure(stopError(signal.reason), { outcome, host })
    : outcome?.failure;
  const result = signal.aborted
    ? stoppedResult(stopError(signal.reason))
    : isLate(outcome)
    ? "timed-out"
    : "failed";
  return { result, outputs: {}, exitCode: failure?.exitCode, failure, node };
}

function isLate(outcome: StepOutcome | undefined): boolean {
  return outcome?.status === "failed" && outcome.isLate === true;
}

export function stoppedResult(error: GridError): "timed-out" | "cancelled" {
  return error.code === "timed-out" ? "timed-out" : "cancelled";
}

interface Stopped {
  readonly outcome: Extract<StepOutcome, { status: "failed" }> | undefined;
  readonly host: AttemptHost;
}

/** The limit or the cancel is the cause; how the command then ended stays on record. */
function stoppedFailure(error: GridError, { outcome, host }: Stopped): Failure {
  const seen = outcome?.failure;
  const node = seen?.node ?? host.node;
  const failure = failureOf(error, { started: seen?.started ?? host.started });
  return {
    ...failure,
    ...(outcome?.aftermath === undefined
      ? {}
      : { message: `${failure.message}; ${outcome.aftermath}` }),
    ...(node === undefined ? {} : { node }),
    ...(seen?.exitCode === undefined ? {} : { exitCode: seen.exitCode }),
    ...(seen?.signal === undefined ? {} : { signal: seen.signal }),
  };
}
