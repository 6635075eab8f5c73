/** Starting a job exactly once, and finding one that was started before. */
import { GridError } from "../core/errors.ts";
import { randomWord } from "../core/ids.ts";
import type { Job, JobSpec } from "./job.ts";
import { type JobAnswer, parseAnswer } from "./job_answer.ts";
import { isLinkFailure, JobLink } from "./job_link.ts";
import { RemoteJob } from "./remote_job.ts";
import type { Transport } from "./transport.ts";

const JOB_ID = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** A connection that was never made: the job is known not to have started. */
const NEVER_SENT = new Set([
  "dns",
  "tcp",
  "banner",
  "kex",
  "host-key",
  "auth",
  "penalty",
  "channel",
]);

/**
 * Starts the command, or attaches where this id was started before. Short commands have ended, and
 * their output has come along, when this returns.
 *
 * @throws {GridError} `workspace` where folder or disk forbid it; a transport code, of which only
 * `lost` and `timed-out` leave open whether the command started
 */
export async function startJob(transport: Transport, spec: JobSpec): Promise<Job> {
  check(spec);
  const link = new JobLink(transport, spec);
  const start = () => sendStart(link, spec);
  try {
    return new RemoteJob(link, await start());
  } catch (error) {
    if (!isLinkFailure(error) || isNeverSent(error)) throw error;
    // The answer was lost, not necessarily the job: whoever makes the folder first starts it.
    return new RemoteJob(link, await link.persist(start));
  }
}

/** The job as it stands, or undefined where the node has no such job. */
export async function attachJob(
  transport: Transport,
  spec: Pick<JobSpec, "id" | "root" | "leaseMs">,
): Promise<Job | undefined> {
  const link = new JobLink(transport, spec);
  const { signal } = new AbortController();
  const answer = await link.collect({ stdout: 0, stderr: 0 }, signal);
  return answer.state.kind === "gone" ? undefined : new RemoteJob(link, answer);
}

async function sendStart(link: JobLink, spec: JobSpec): Promise<JobAnswer> {
  const word = randomWord(20);
  const result = await link.call("grid_start", [
    word,
    spec.cwd,
    spec.shell,
    Date.now(),
    spec.detach ? "detached" : "leased",
    Math.ceil(spec.leaseMs / 1000),
    watchInterval(spec.leaseMs),
    spec.pathPrefix.join(":"),
    spec.command,
    ...environment(spec),
  ]);
  return parseAnswer(result, { node: link.node, job: spec.id, word });
}

/** Four looks per lease, in seconds; whole ones where possible, for not every `sleep` knows others. */
function watchInterval(leaseMs: number): string {
  const seconds = leaseMs / 4000;
  return seconds >= 2 ? String(Math.ceil(seconds)) : seconds.toFixed(2);
}

function environment(spec: JobSpec): string[] {
  const variables = {
    ...spec.env,
    ...spec.secrets,
    GRID_JOB: spec.id,
    GRID_OUTPUT: `${spec.root}/.grid/jobs/${spec.id}/output`,
  };
  return Object.entries(variables).map(([name, value]) =>
    name === "PATH" ? `PATH=${[...spec.pathPrefix, value].join(":")}` : `${name}=${value}`
  );
}

function check(spec: JobSpec): void {
  if (!JOB_ID.test(spec.id)) {
    throw new GridError({ code: "bug", message: `Cannot start job "${spec.id}": not a file name` });
  }
  for (const name of [...Object.keys(spec.env), ...Object.keys(spec.secrets)]) {
    if (VARIABLE.test(name)) continue;
    throw new GridError({
      code: "usage",
      message: `Cannot set environment variable "${name}": not a name that a shell knows`,
      hint: "use letters, digits and _ only, and no digit first",
    });
  }
}

function isNeverSent(error: unknown): boolean {
  return error instanceof GridError && NEVER_SENT.has(error.code);
}

/** Whether a command may run although `startJob` threw this. */
export function mayHaveStarted(error: unknown): boolean {
  return isLinkFailure(error) && !isNeverSent(error);
}
