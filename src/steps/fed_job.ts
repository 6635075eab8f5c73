/** A job that is given something to read while it is followed. */
import type { OpenNode } from "../cluster/node.ts";
import { GridError } from "../core/errors.ts";
import type { FollowOptions, Job, JobExit, JobSpec } from "../transport/job/job.ts";
import type { JobInput } from "../transport/job/job_input.ts";
import { JobLink } from "../transport/job/job_link.ts";

export interface FedOptions extends FollowOptions {
  readonly node: OpenNode;
  readonly spec: JobSpec;
  readonly input: JobInput | undefined;
}

/**
 * Follows the job, as `Job.follow` does, and gives it its input meanwhile. Nobody waits for input that the
 * command did not want.
 *
 * @throws as `Job.follow`; what kept the input from being given
 */
export async function followFed(job: Job, options: FedOptions): Promise<JobExit> {
  const { input, node, spec, signal } = options;
  if (input === undefined) return await job.follow(options);
  const over = new AbortController();
  const broken = new AbortController();
  const feeding = input.feed(
    new JobLink(node.transport, spec),
    AbortSignal.any([signal, over.signal]),
  ).catch((error) => {
    if (!over.signal.aborted && !signal.aborted) broken.abort(error);
  });
  try {
    return await job.follow({ ...options, signal: AbortSignal.any([signal, broken.signal]) });
  } finally {
    over.abort();
    await feeding;
  }
}

/** Another try would see a part of the input. */
export function inputSpent({ node }: OpenNode): GridError {
  return new GridError({
    code: "step-failed",
    message: "Cannot start the command again: its first try has read a part of the input",
    hint: "run it once more: its input is read anew",
    node: node.name,
  });
}
