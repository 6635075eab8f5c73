/** A job whose step is asked to stop: nothing of it may be left running, and what is left is named. */
import type { OpenNode } from "../cluster/node.ts";
import { toGridError } from "../core/errors.ts";
import type { StepHost, StepOutcome } from "../engine/ports.ts";
import type { Job, JobSpec, KillReport } from "../transport/job/job.ts";
import { endJob } from "../transport/job/job_ending.ts";
import { containerWords, endContainers } from "./container_job.ts";
import { failed, ownCode, survivorWords } from "./run_failure.ts";
import type { RunRequest } from "./run_job.ts";

interface JobOf {
  readonly node: OpenNode;
  readonly spec: Pick<JobSpec, "id">;
  /** As it is on that node. */
  readonly request: RunRequest;
}

export interface CancelledOptions extends JobOf {
  /** Its signal is aborted. */
  readonly host: StepHost;
  /** Called once nothing of it runs any more. */
  readonly onEnded: () => void;
}

export async function cancelledJob(job: Job, options: CancelledOptions): Promise<StepOutcome> {
  const { node, request, host, onEnded } = options;
  const outcome = failed(toGridError(host.signal.reason), { node, started: true });
  try {
    const { exit, ...report } = await endJob(job, {
      graceMs: request.killGraceMs,
      onOutput: (stream, bytes) => host.output(stream, bytes),
    });
    if (job.usage) host.used?.(job.usage);
    const left = await aftermath(report, options);
    if (report.survivors.length === 0) onEnded();
    for (const message of job.warnings) host.note({ type: "warned", message });
    return { ...outcome, failure: { ...outcome.failure, ...ownCode(exit) }, aftermath: left };
  } catch (error) {
    const why = toGridError(error).message;
    return { ...outcome, aftermath: `its processes could not be ended: ${why}` };
  }
}

/** What is left of a job, by looking at processes and, for a container, by asking its engine. */
export async function aftermath(
  report: KillReport,
  { node, spec: { id }, request }: JobOf,
): Promise<string> {
  const { run: script, container } = request.action;
  if (!container) return survivorWords(report, { script });
  return containerWords(report, await endContainers(node.transport, { ...node, id }));
}
