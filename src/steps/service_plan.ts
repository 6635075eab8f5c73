/** What is settled about a service before it starts. */
import type { OpenNode } from "../cluster/node.ts";
import { systemClock } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";
import type { StepRequest } from "../engine/ports.ts";
import type { RunAction } from "../pipeline/pipeline.ts";
import type { Service } from "../pipeline/service_wish.ts";
import type { JobSpec } from "../transport/job/job.ts";
import { findPort, listServices, type ServiceNote } from "../transport/job/job_service.ts";

type RunRequest = StepRequest<RunAction<string>>;

export interface ServicePlan {
  readonly service: Service;
  readonly port: number | undefined;
  readonly note: ServiceNote;
}

/**
 * Where it will listen, and what its node is told of it.
 *
 * @throws {GridError} `conflict` where its port is taken; a transport code
 */
export async function planService(
  request: RunRequest,
  node: OpenNode,
): Promise<ServicePlan | undefined> {
  const { service } = request.action;
  if (service === undefined) return undefined;
  const port = service.port === undefined ? undefined : await choosePort(node, service.port);
  const { life } = service;
  const { run, pipeline, step, killGraceMs } = request;
  const note: ServiceNote = {
    run,
    pipeline,
    step,
    port,
    life: typeof life === "object" ? "time" : life,
    untilMs: typeof life === "object" ? systemClock.now() + life.ms : undefined,
    graceMs: killGraceMs,
    ready: false,
  };
  return { service, port, note };
}

/** What the job of a service has more than others. */
export function serviceSpec(
  plan: ServicePlan | undefined,
): Pick<JobSpec, "life" | "service"> & { readonly env: Readonly<Record<string, string>> } {
  if (plan === undefined) return { env: {} };
  const { service: { life }, port, note } = plan;
  return {
    env: port === undefined ? {} : { GRID_SERVICE_PORT: String(port) },
    service: JSON.stringify(note),
    ...(typeof life === "object" && { life: { ms: life.ms, graceMs: note.graceMs } }),
  };
}

/** One that an earlier runner started, if it still runs: with the port that it was given. */
export async function plannedBefore(
  request: RunRequest,
  node: OpenNode,
  job: string,
): Promise<ServicePlan | undefined> {
  const { service } = request.action;
  if (service === undefined) return undefined;
  const [listed] = await listServices(node.transport, node.root, { job });
  if (listed === undefined) return undefined;
  const { gpus: _gpus, job: _job, state: _state, startedAt: _at, ...note } = listed;
  // Whoever asks for it finds it under the run that has it now.
  return { service, port: note.port, note: { ...note, run: request.run } };
}

async function choosePort(node: OpenNode, wish: number | "auto"): Promise<number> {
  const { transport, root, node: { name } } = node;
  const found = await findPort(transport, wish);
  if (found.kind === "free") return found.port;
  const mine = (await listServices(transport, root))
    .find(({ port, state }) => port === wish && (state === "running" || state === "starting"));
  const who = mine
    ? `service "${mine.step}" of run ${mine.run} listens there`
    : found.pid === undefined
    ? "something listens there, of another account"
    : `process ${found.pid} listens there: ${found.command}`;
  throw new GridError({
    code: "conflict",
    message: `Cannot start the service on "${name}": port ${wish} is taken, ${who}`,
    hint: mine
      ? `end it: grid services stop ${mine.run} ${mine.step}; or take any free port: port: auto`
      : "take another port, or any free one: port: auto, which the command finds in $GRID_SERVICE_PORT",
    node: name,
  });
}

/** A service that outlives its run needs no runner. */
export function staying(request: RunRequest): RunRequest {
  const { service } = request.action;
  return service === undefined ? request : { ...request, detach: service.life !== "run" };
}
