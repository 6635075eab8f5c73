/** Starting a job exactly once, and finding one that was started before. */
import { systemClock } from "../../core/clock.ts";
import { GridError } from "../../core/errors.ts";
import type { Job, JobSpec } from "./job.ts";
import { isLinkFailure, isNeverSent, JobLink } from "./job_link.ts";
import { jobCall } from "./job_script.ts";
import { maskPatterns, maskPrograms } from "./output_mask.ts";
import { nodeJobs } from "./node_jobs.ts";
import { RemoteJob } from "./remote_job.ts";
import type { Transport } from "../transport.ts";

const JOB_ID = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const NOTHING = { stdout: 0, stderr: 0 };

/**
 * Starts the command, or attaches where this id was started before. Short commands have ended, and
 * their output has come along, when this returns.
 *
 * @throws {GridError} `step-failed` where its folder cannot be entered; `workspace` where the disk
 * forbids it; a transport code, of which only `lost` and `timed-out` leave open whether it started
 */
export async function startJob(transport: Transport, spec: JobSpec): Promise<Job> {
  check(spec);
  const { id, root, leaseMs } = spec;
  const news = await nodeJobs(transport, root).ask({
    id,
    leaseMs,
    start: startCommand(spec),
    offset: NOTHING,
  });
  return new RemoteJob(new JobLink(transport, spec), news);
}

/** The job as it stands, or undefined where the node has no such job. */
export async function attachJob(
  transport: Transport,
  spec: Pick<JobSpec, "id" | "root" | "leaseMs">,
): Promise<Job | undefined> {
  const { id, root, leaseMs } = spec;
  const news = await nodeJobs(transport, root).ask({
    id,
    leaseMs,
    start: undefined,
    offset: NOTHING,
    atOnce: true,
  });
  return news.state.kind === "gone" ? undefined : new RemoteJob(new JobLink(transport, spec), news);
}

function startCommand(spec: JobSpec): string {
  const start = jobCall("grid_start", [
    spec.root,
    spec.id,
    spec.cwd,
    spec.shell,
    systemClock.now(),
    spec.detach ? "detached" : "leased",
    Math.ceil(spec.leaseMs / 1000),
    watchInterval(spec.leaseMs),
    spec.pathPrefix.join(":"),
    spec.command,
    ...environment(spec),
  ]);
  return [...expectation(spec), ...masking(spec), start].join("\n");
}

function expectation(spec: JobSpec): string[] {
  return spec.isOneOfMany ? [jobCall("grid_expect_many", [])] : [];
}

function masking(spec: JobSpec): string[] {
  const patterns = maskPatterns(Object.values(spec.secrets));
  if (patterns === "") return [];
  const { perl, python } = maskPrograms();
  return [jobCall("grid_mask", [perl, python, patterns])];
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
    GRID_OUTPUT: `${spec.root}/.grid/jobs/${spec.id}.output`,
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

/** Whether a command may run although `startJob` threw this. */
export function mayHaveStarted(error: unknown): boolean {
  return isLinkFailure(error) && !isNeverSent(error);
}
