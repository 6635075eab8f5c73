/** The `run` step: a shell script as a supervised job on a node. */
import type { OpenNode } from "../cluster/node.ts";
import { type GridError, toGridError } from "../core/errors.ts";
import { lazy } from "../core/lazy.ts";
import type { StepHost, StepKind, StepOutcome, SurvivorNote } from "../engine/ports.ts";
import type { FollowOptions, Job, JobSpec } from "../transport/job/job.ts";
import { endJob } from "../transport/job/job_ending.ts";
import { attachJob, mayHaveStarted, startJob } from "../transport/job/job_start.ts";
import { absentFileHint } from "./absent_file.ts";
import { aftermath, cancelledJob } from "./cancelled_job.ts";
import { followFed, inputSpent } from "./fed_job.ts";
import { onManyNodes } from "./gang_entry.ts";
import { gpuLost, isGpuLost, type JobPlace, MOST_CHOICES, placeJob } from "./gpu_claim.ts";
import { JobSweep } from "./job_sweep.ts";
import { LastWords } from "./last_words.ts";
import { Survivors } from "./survivors.ts";
import { isAbandoned, jobPrefix, newJobId } from "./job_names.ts";
import { onNode, resolveNode } from "./placement.ts";
import type { RunStepOptions } from "./run_options.ts";
import { jobSpec, type RunRequest, statePrelude } from "./run_job.ts";
import { failed, failedExit } from "./run_failure.ts";
import { fullDiskHint } from "./full_disk.ts";
import { fitnessOf, standingResult } from "./run_cache.ts";
import { readOutputs } from "./run_outputs.ts";
import { freshnessOf } from "./stale_result.ts";
import { unpreparedEnd } from "./unprepared.ts";
import { TextTail } from "./text_tail.ts";
import { TreeGate } from "./tree_gate.ts";
import { endUnheard, isUnheard } from "./unheard.ts";
import type { Services } from "./service.ts";
import { plannedBefore, planService, type ServicePlan, staying } from "./service_plan.ts";
import { failedStart } from "./service_words.ts";

/** Characters of stdout that a declared output is looked for in. */
const TAIL_CHARACTERS = 2 ** 20;

export interface RunStep extends StepKind<"run">, AsyncDisposable {
  /** Ends what the commands left running; there must be no more of them. */
  clearUp(): Promise<readonly SurvivorNote[]>;
  /** Removes most of what ended jobs left on their nodes. */
  settle(): void;
}

/** Dispose it after the run: only then the last jobs' files go. */
export function createRunStep(options: RunStepOptions): RunStep {
  const sweep = new JobSweep();
  const survivors = new Survivors();
  let services: Promise<Services> | undefined;
  const endServices = async () => await (await services)?.end();
  const shared = { ...options, sweep, survivors, services: () => services ??= loadServices() };
  return {
    kind: "run",
    run: (request, host) =>
      request.action.gang === undefined
        ? new RunAttempt({ ...shared, request: staying(request), host }).run()
        : onManyNodes(request, { ...shared, host }),
    clearUp: () => endServices().then(() => survivors.end()),
    settle: () => sweep.settle(),
    async [Symbol.asyncDispose]() {
      // Nothing is left of a run that went to its end.
      await endServices();
      await survivors.end();
      await sweep[Symbol.asyncDispose]();
      await options.input?.cancel();
    },
  };
}

interface AttemptOptions extends RunStepOptions {
  readonly request: RunRequest;
  readonly host: StepHost;
  readonly sweep: JobSweep;
  readonly survivors: Survivors;
  /** Their code is loaded for the first. */
  readonly services: () => Promise<Services>;
}

async function loadServices(): Promise<Services> {
  const { Services } = await lazy<typeof import("./service.ts")>("./service.ts", import.meta.url);
  return new Services();
}

class RunAttempt {
  readonly #options: AttemptOptions;
  /** As it is on the node that was chosen last. */
  #request: RunRequest;

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.#request = options.request;
  }

  async run(): Promise<StepOutcome> {
    const { request } = this.#options;
    if (request.resumeJob === undefined) return await this.#start(request);
    const taken = await this.#takeOver(request.resumeJob.job);
    if (typeof taken === "object") return taken;
    // What its node does not know keeps its id: a shell that outlived its runner may yet start it.
    return await this.#start(taken === "unknown" ? request : { ...request, resumeJob: undefined });
  }

  /** Goes on with an earlier runner's job; `over` where it ended because nobody was there. */
  async #takeOver(id: string): Promise<StepOutcome | "unknown" | "over"> {
    const { request, host, cluster } = this.#options;
    const node = await resolveNode(request, host, cluster);
    this.#request = onNode(request, node);
    const service = await plannedBefore(request, node, id);
    const spec = this.#spec({ node, prelude: "", service }, id);
    host.note({ type: "job.started", node: node.node.name, job: id, folder: spec.cwd });
    try {
      const job = await attachJob(node.transport, spec);
      if (!job) return "unknown";
      if (request.action.service && !service) return "over";
      const outcome = await this.#attend(job, { node, spec, service, takenOver: true });
      return typeof outcome === "object" ? outcome : "over";
    } catch (error) {
      return failed(toGridError(error), { node, started: true });
    }
  }

  async #start(request: RunRequest): Promise<StepOutcome> {
    const { host, cluster } = this.#options;
    const standing = await standingResult(request, host, cluster);
    if (standing) return standing;
    let id = request.resumeJob?.job ?? newJobId(request);
    for (let choice = 1;; choice++) {
      const place = await placeJob(request, host, cluster);
      const outcome = await this.#runOn(place, id);
      if (typeof outcome === "object") return outcome;
      if (choice === MOST_CHOICES) {
        return failed(gpuLost(place.node), { node: place.node, started: false });
      }
      id = newJobId(request);
    }
  }

  async #runOn({ node, prelude, ...claim }: JobPlace, id: string): Promise<Attended> {
    const { host, input } = this.#options;
    this.#request = onNode(this.#options.request, node);
    if (input?.isSpentFor(id)) return failed(inputSpent(node), { node, started: false });
    input?.announce(node.transport);
    const gate = this.#gate(node);
    const service = await planService(this.#request, node);
    const former = this.#options.trees?.run.formerProjects;
    const state = statePrelude(this.#request, { node, former });
    const before = gate.prelude(id) + state + prelude;
    const spec = this.#spec({ ...claim, node, prelude: before, service }, id);
    host.note({ type: "job.started", node: node.node.name, job: spec.id, folder: spec.cwd });
    let job: Job;
    try {
      job = await startJob(node.transport, spec);
    } catch (error) {
      const outcome = failed(toGridError(error), { node, started: mayHaveStarted(error) });
      if (!isUnheard(error)) return outcome;
      const { killGraceMs: graceMs } = this.#request;
      return { ...outcome, aftermath: await endUnheard(node.transport, { ...spec, graceMs }) };
    }
    return await this.#attend(job, { node, spec, service });
  }

  async #serve(job: Job, place: Place, plan: ServicePlan): Promise<Attended> {
    const { services, host } = this.#options;
    const outcome = await (await services()).attend(job, {
      ...{ request: this.#request, host, ...place, plan },
      aftermath: (report) => aftermath(report, { ...place, request: this.#request }),
      onEnded: () => this.#ended(job, place),
    });
    if (!("over" in outcome)) return outcome;
    const { over: exit, printed } = outcome;
    this.#ended(job, place);
    if (await isGpuLost(job, { exit, node: place.node })) return "gpu-lost";
    const denied = await this.#gate(place.node).denial(job, exit);
    if (denied) return failed(denied, { ...place, started: false });
    return place.takenOver ? "abandoned" : failedStart(exit, { node: place.node, printed });
  }

  async #attend(job: Job, place: Place): Promise<Attended> {
    const { host, input } = this.#options;
    if (place.service) return await this.#serve(job, place, place.service);
    const isRead = this.#request.outputs.some(({ from }) => from === "stdout");
    const stdout = isRead ? new TextTail(TAIL_CHARACTERS) : undefined;
    const words = new LastWords();
    const onOutput: FollowOptions["onOutput"] = (stream, bytes) => {
      if (stream === "stdout") stdout?.push(bytes);
      words.push(stream, bytes);
      return host.output(stream, bytes);
    };
    try {
      const exit = await followFed(job, { ...place, input, signal: host.signal, onOutput });
      if (job.usage) host.used?.(job.usage);
      // Nobody waits for what a lost supervisor left behind.
      if (exit.kind === "vanished") {
        await endJob(job, { graceMs: this.#request.killGraceMs, onOutput });
      }
      words.tellImage(this.#request.action, host);
      this.#ended(job, place);
      for (const message of job.warnings) host.note({ type: "warned", message });
      if (await isGpuLost(job, { exit, node: place.node })) return "gpu-lost";
      const denied = await this.#gate(place.node).denial(job, exit);
      if (denied) return failed(denied, { ...place, started: false });
      const unready = await unpreparedEnd(job, {
        ...place,
        exit,
        request: this.#request,
        words,
      });
      if (unready) return unready;
      if (place.takenOver && isAbandoned(exit)) {
        const message = `its earlier job ${job.id} ended while no runner was there; it starts ` +
          "again, and what that job had printed comes first in the log";
        host.note({ type: "warned", message });
        return "abandoned";
      }
      if (exit.kind !== "code" || exit.code !== 0) {
        const absent = absentFileHint(words.stderr, {
          ...place,
          ...this.#options,
          request: this.#request,
        });
        const known = absent ?? words.hint(exit, { canAnswer: !!input });
        const hint = known.hint ? known : await fullDiskHint({ ...place, signal: host.signal });
        return failedExit(exit, { ...place, ...hint });
      }
      return await this.#succeeded(job, { ...place, stdout: stdout?.end() ?? "" });
    } catch (error) {
      if (host.signal.aborted) {
        const onEnded = () => this.#ended(job, place);
        return await cancelledJob(job, { ...place, request: this.#request, host, onEnded });
      }
      return await this.#unfollowed(job, { place, error: toGridError(error) });
    }
  }

  /** What nobody hears of any more must not go on; what a lost node runs, its lease ends. */
  async #unfollowed(
    job: Job,
    { place, error }: { readonly place: Place; readonly error: GridError },
  ): Promise<StepOutcome> {
    if (error.code !== "lost") await job.kill({ graceMs: this.#request.killGraceMs });
    return failed(error, { ...place, started: true });
  }

  async #succeeded(job: Job, place: Place & { readonly stdout: string }): Promise<StepOutcome> {
    const outputs = await readOutputs(this.#request.outputs, {
      node: place.node,
      cwd: place.spec.cwd,
      outputFile: await job.readOutputFile(),
      stdout: place.stdout,
      isMasked: Object.keys(place.spec.secrets).length > 0,
      freshness: freshnessOf(this.#options.trees, this.#options.host),
      signal: this.#options.host.signal,
    });
    const gate = this.#gate(place.node);
    const fitness = await fitnessOf(this.#options, { ...place, gate, outputs });
    return { status: "succeeded", outputs, exitCode: 0, ...fitness };
  }

  #gate(node: OpenNode): TreeGate {
    return new TreeGate(node, this.#options);
  }

  /** Its files may go, and what it left running is its own no more. */
  #ended({ hasLeft, printedBytes }: Job, { node, spec }: Place): void {
    const { request, sweep, survivors } = this.#options;
    const { step, killGraceMs } = request;
    const job = { transport: node.transport, root: spec.root, id: spec.id };
    // Its files lead to what it has left.
    sweep.add({ ...job, printedBytes }, { late: hasLeft });
    const prefix = jobPrefix(request.run);
    survivors.add({ ...job, step, killGraceMs, hasLeft }, { prefix });
  }

  #spec(place: JobPlace & Pick<Place, "service">, id: string): JobSpec {
    const { input, trees } = this.#options;
    const project = trees?.run.project;
    const request = this.#request;
    return jobSpec(
      { ...this.#options, request, id, hasInput: input !== undefined, project },
      place,
    );
  }
}

interface Place {
  readonly node: OpenNode;
  readonly spec: JobSpec;
  /** It is meant to stay. */
  readonly service: ServicePlan | undefined;
  /** An earlier runner started it. */
  readonly takenOver?: true;
}

/** How following a job ended: as the step does, or with a reason to start another job. */
type Attended = StepOutcome | "gpu-lost" | "abandoned";
