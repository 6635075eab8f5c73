/** The `run` step: a shell script as a supervised job on a node. */
import type { Cluster } from "../cluster/cluster.ts";
import type { OpenNode } from "../cluster/node.ts";
import { type GridError, toGridError } from "../core/errors.ts";
import { fileNameOf, randomWord } from "../core/ids.ts";
import type { Failure } from "../engine/event.ts";
import type { StepHost, StepKind, StepOutcome, StepRequest } from "../engine/ports.ts";
import type { RunAction } from "../pipeline/pipeline.ts";
import type { Job, JobExit, JobSpec } from "../transport/job.ts";
import { mayHaveStarted, startJob } from "../transport/job_start.ts";
import { gpuLost, isGpuLost, type JobPlace, MOST_CHOICES, placeJob } from "./gpu_lease.ts";
import { type EndedJob, JobSweep } from "./job_sweep.ts";
import { pathPrefix, stepFolder } from "./placement.ts";
import { readOutputs } from "./run_outputs.ts";
import { TextTail } from "./text_tail.ts";

export interface RunStepOptions {
  readonly cluster: Pick<Cluster, "open" | "select" | "lease">;
  /** How long a job outlives its runner, unless it is detached; default 5 minutes. */
  readonly leaseMs?: number;
}

type RunRequest = StepRequest<RunAction<string>>;

const LEASE_MS = 5 * 60_000;
/** Characters of stdout that a declared output is looked for in. */
const TAIL_CHARACTERS = 2 ** 20;

/** Dispose it after the run: only then the last jobs' folders go. */
export function createRunStep(options: RunStepOptions): StepKind<"run"> & AsyncDisposable {
  const sweep = new JobSweep();
  return {
    kind: "run",
    run: (request, host) => new RunAttempt({ ...options, request, host, sweep }).run(),
    [Symbol.asyncDispose]: () => sweep[Symbol.asyncDispose](),
  };
}

interface AttemptOptions extends RunStepOptions {
  readonly request: RunRequest;
  readonly host: StepHost;
  readonly sweep: JobSweep;
}

class RunAttempt {
  readonly #options: AttemptOptions;

  constructor(options: AttemptOptions) {
    this.#options = options;
  }

  async run(): Promise<StepOutcome> {
    const { request, host, cluster } = this.#options;
    for (let choice = 1;; choice++) {
      const place = await placeJob(request, host, cluster);
      const outcome = await this.#runOn(place);
      if (outcome !== "gpu-lost") return outcome;
      if (choice === MOST_CHOICES) {
        return failed(gpuLost(place.node), { node: place.node, started: false });
      }
    }
  }

  async #runOn({ node, prelude }: JobPlace): Promise<StepOutcome | "gpu-lost"> {
    const { host } = this.#options;
    const spec = this.#spec(node, prelude);
    host.note({ type: "job.started", node: node.node.name, job: spec.id });
    let job: Job;
    try {
      job = await startJob(node.transport, spec);
    } catch (error) {
      return failed(toGridError(error), { node, started: mayHaveStarted(error) });
    }
    return await this.#attend(job, { node, spec });
  }

  async #attend(job: Job, place: Place): Promise<StepOutcome | "gpu-lost"> {
    const { host, sweep } = this.#options;
    const stdout = this.#readsStdout ? new TextTail(TAIL_CHARACTERS) : undefined;
    try {
      const exit = await job.follow({
        signal: host.signal,
        onOutput: (stream, bytes) => {
          if (stream === "stdout") stdout?.push(bytes);
          return host.output(stream, bytes);
        },
      });
      // Nobody waits for what a lost supervisor left behind.
      if (exit.kind === "vanished") await job.kill({ graceMs: this.#options.request.killGraceMs });
      sweep.add(ended(place));
      if (await isGpuLost(job, exit)) return "gpu-lost";
      if (exit.kind !== "code" || exit.code !== 0) return failedExit(exit, place);
      return await this.#succeeded(job, { ...place, stdout: stdout?.end() ?? "" });
    } catch (error) {
      if (!host.signal.aborted) return failed(toGridError(error), { ...place, started: true });
      return await this.#cancelled(job, place);
    }
  }

  async #succeeded(job: Job, place: Place & { readonly stdout: string }): Promise<StepOutcome> {
    const outputs = await readOutputs(this.#options.request.outputs, {
      node: place.node,
      cwd: place.spec.cwd,
      outputFile: await job.readOutputFile(),
      stdout: place.stdout,
    });
    return { status: "succeeded", outputs, exitCode: 0 };
  }

  /** The signal asks to stop: nothing may be left running, and what is left is named. */
  async #cancelled(job: Job, place: Place): Promise<StepOutcome> {
    const { host, request, sweep } = this.#options;
    const reason = toGridError(host.signal.reason);
    try {
      const { survivors } = await job.kill({ graceMs: request.killGraceMs });
      if (survivors.length === 0) sweep.add(ended(place));
      const names = survivors.map(({ pid, command }) => `${pid} (${command})`).join(", ");
      const left = survivors.length === 0 ? "" : `; ${survivors.length} survivors: ${names}`;
      return failed(reason, { ...place, started: true, more: left });
    } catch (error) {
      const more = `; its processes could not be ended: ${toGridError(error).message}`;
      return failed(reason, { ...place, started: true, more });
    }
  }

  get #readsStdout(): boolean {
    return this.#options.request.outputs.some((output) => output.from === "stdout");
  }

  #spec(node: OpenNode, prelude: string): JobSpec {
    const { request, leaseMs } = this.#options;
    const { run, step, attempt } = request;
    return {
      id: request.resumeJob?.job ?? newJobId(request),
      root: node.root,
      command: prelude + request.action.run,
      shell: request.shell,
      cwd: stepFolder(request, node),
      env: {
        ...request.env,
        GRID_RUN_ID: run,
        GRID_STEP: step,
        GRID_ATTEMPT: String(attempt),
        GRID_NODE: node.node.name,
      },
      secrets: request.secrets,
      pathPrefix: pathPrefix(node),
      detach: request.detach,
      leaseMs: leaseMs ?? LEASE_MS,
    };
  }
}

interface Place {
  readonly node: OpenNode;
  readonly spec: JobSpec;
}

function ended({ node, spec }: Place): EndedJob {
  return { transport: node.transport, root: spec.root, id: spec.id };
}

function newJobId({ run, step, attempt }: RunRequest): string {
  const words = [fileNameOf(run), fileNameOf(step), String(attempt), randomWord(4)];
  return words.join("-").replaceAll(/[=,]/g, "_");
}

function failedExit(exit: Exclude<JobExit, { code: 0 }>, { node }: Place): StepOutcome {
  const what = `Cannot finish the command on "${node.node.name}"`;
  const common = { node: node.node.name, started: true };
  switch (exit.kind) {
    case "code":
      return {
        status: "failed",
        failure: {
          ...common,
          code: "exit",
          message: `${what}: it exited with code ${exit.code}`,
          exitCode: exit.code,
        },
      };
    case "signal":
      return { status: "failed", failure: { ...common, ...signalled(exit, what) } };
    case "vanished":
      return {
        status: "failed",
        failure: {
          ...common,
          code: "lost",
          message: `${what}: it left no exit code`,
          hint: "the node was restarted, or somebody killed the shell that supervised the command",
        },
      };
  }
}

function signalled(
  exit: Extract<JobExit, { kind: "signal" }>,
  what: string,
): Pick<Failure, "code" | "message" | "signal" | "hint"> {
  if (exit.by === "lease") {
    const message = `${what}: the node ended it, because its runner was away for too long`;
    return { code: "lost", message, signal: exit.signal, hint: "detach: true lets it go on" };
  }
  return {
    code: "signal",
    message: `${what}: it was ended by ${exit.signal}`,
    signal: exit.signal,
    ...(exit.signal === "SIGKILL"
      ? { hint: "perhaps the node ran out of memory: dmesg | grep -i oom" }
      : {}),
  };
}

interface FailedOptions {
  readonly node: OpenNode;
  readonly started: boolean;
  /** Added to the message. */
  readonly more?: string;
}

function failed(error: GridError, { node, started, more = "" }: FailedOptions): StepOutcome {
  // A bug of ours must keep its stack.
  if (error.code === "bug") throw error;
  const failure: Failure = {
    code: error.code,
    message: error.message + more,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    node: error.node ?? node.node.name,
    started,
  };
  return { status: "failed", failure };
}
