/** Starting a job exactly once, and finding one that was started before. */
import { systemClock } from "../../core/clock.ts";
import { GridError } from "../../core/errors.ts";
import { quote } from "../../core/shell.ts";
import type { Job, JobSpec, KillReport } from "./job.ts";
import { killTree } from "./job_kill.ts";
import { isLinkFailure, isNeverSent, type JobIdentity, JobLink } from "./job_link.ts";
import { jobCall, jobLibrary } from "./job_script.ts";
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
  await putFiles(transport, spec);
  const ask = { id, leaseMs, start: startCommand(spec), offset: NOTHING };
  const news = await nodeJobs(transport, root).ask(ask).catch(async (error) => {
    const isAnyThere = spec.files !== undefined || spec.service !== undefined;
    if (isAnyThere && !mayHaveStarted(error)) await dropFiles(transport, spec);
    throw error;
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

/** Whether the job has been started and has not ended; asking is a sign of life to it. @throws {GridError} a transport code */
export async function isJobRunning(
  transport: Transport,
  { id, root, leaseMs }: JobIdentity,
): Promise<boolean> {
  const ask = { id, leaseMs, start: undefined, offset: NOTHING, atOnce: true };
  const { state: { kind } } = await nodeJobs(transport, root).ask(ask);
  return kind === "running" || kind === "starting";
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
  const input = spec.hasInput ? [jobCall("grid_take_input", [])] : [];
  return [...expectation(spec), ...input, ...lifetime(spec), ...masking(spec), start].join("\n");
}

function expectation(spec: JobSpec): string[] {
  return spec.isOneOfMany ? [jobCall("grid_expect_many", [])] : [];
}

function lifetime({ life }: JobSpec): string[] {
  if (life === undefined) return [];
  const seconds = (ms: number) => Math.max(1, Math.ceil(ms / 1000));
  return [jobCall("grid_take_life", [seconds(life.ms), seconds(life.graceMs)])];
}

function masking(spec: JobSpec): string[] {
  const patterns = maskPatterns(
    Object.entries(spec.secrets).map(([name, value]) => {
      const mask = spec.masks?.[name];
      return mask ? { value, mask } : value;
    }),
  );
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
  return Object.entries(variables(spec)).map(([name, value]) =>
    name === "PATH" ? `PATH=${[...spec.pathPrefix, value].join(":")}` : `${name}=${value}`
  );
}

function variables(spec: JobSpec): Readonly<Record<string, string>> {
  const job = `${spec.root}/.grid/jobs/${spec.id}`;
  const names = Object.keys(spec.files ?? {});
  return {
    ...spec.env,
    ...Object.fromEntries(names.map((name) => [name, `${job}.value.${name}`])),
    ...spec.secrets,
    GRID_JOB: spec.id,
    GRID_OUTPUT: `${job}.output`,
    ...(spec.record !== undefined && { GRID_RECORD: spec.record }),
  };
}

/** Before the start: a command must find them. Writing them twice changes nothing. */
async function putFiles(transport: Transport, spec: JobSpec): Promise<void> {
  for (const [name, content] of Object.entries(spec.files ?? {})) {
    await putJobFile(transport, spec, { name: `value.${name}`, content });
  }
  if (spec.service !== undefined) {
    await putJobFile(transport, spec, { name: "service", content: spec.service });
  }
}

/**
 * Writes a file of a job, in place of one that may be there.
 *
 * @throws {GridError} `workspace` where the disk forbids it; a transport code
 */
export async function putJobFile(
  transport: Transport,
  { root, id }: Pick<JobSpec, "root" | "id">,
  { name, content }: { readonly name: string; readonly content: string },
): Promise<void> {
  const { code, stderr } = await transport.exec(jobCall("grid_put", [root, id, name]), {
    library: jobLibrary(),
    stdin: content,
  });
  if (code === 0) return;
  const what = name.startsWith("value.") ? `the value of ${name.slice(6)}` : `${name} of a job`;
  throw new GridError({
    code: "workspace",
    message: `Cannot write ${what} on "${transport.endpoint.name}": ${stderr.trim()}`,
    hint: "look at the space and the permissions of remote_root",
    node: transport.endpoint.name,
  });
}

function check(spec: JobSpec): void {
  if (!JOB_ID.test(spec.id)) {
    throw new GridError({ code: "bug", message: `Cannot start job "${spec.id}": not a file name` });
  }
  const given = Object.entries(variables(spec));
  for (const [name, value] of given) {
    if (!VARIABLE.test(name)) throw notAName(name);
    if (value.includes("\0")) throw holdsNul(name);
    // Mostly clear without counting: three bytes are the most that a character takes.
    if (name.length + 3 * value.length + 2 <= MOST_VARIABLE_BYTES) continue;
    const bytes = new TextEncoder().encode(value).length;
    if (name.length + bytes + 2 > MOST_VARIABLE_BYTES) throw tooLong(name, bytes);
  }
  const sizes = given.map(([name, value]) => [name, name.length + value.length + 2] as const);
  const [largest] = sizes.toSorted((a, b) => b[1] - a[1]);
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  if (largest && total > MOST_BYTES) throw tooLong(largest[0], largest[1], total);
}

/** What Linux takes of a variable with its name, `=` and an end: MAX_ARG_STRLEN. */
const MOST_VARIABLE_BYTES = 128 * 1024;
/** For all together: a quarter of the usual stack of 8 MiB, less what the account has itself. */
const MOST_BYTES = 2 * 2 ** 20 - 128 * 1024;

/** Of a job that never was; why it was not is the error to tell. */
async function dropFiles(transport: Transport, { root, id }: JobSpec): Promise<void> {
  const job = quote(`${root}/.grid/jobs/${id}`);
  await transport.exec(`rm -f ${job}.value.* ${job}.service`).catch(() => {});
}

function notAName(name: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot set environment variable "${name}": not a name that a shell knows`,
    hint: "use letters, digits and _ only, and no digit first",
  });
}

function holdsNul(name: string): GridError {
  return new GridError({
    code: "step-failed",
    message: `Cannot start the command: variable ${name} holds a NUL character`,
    hint: `no program can be given one; let it name a file: env: { ${name}: { file: … } }`,
  });
}

function tooLong(name: string, bytes: number, total?: number): GridError {
  const size = (count: number) => count.toLocaleString("en-US");
  const most = size(total === undefined ? MOST_VARIABLE_BYTES : MOST_BYTES);
  return new GridError({
    code: "usage",
    message: total === undefined
      ? `Cannot start the command: variable ${name} has ${size(bytes)} bytes, more than the ` +
        `${most} that an environment takes`
      : `Cannot start the command: its variables have ${size(total)} bytes together, more than ` +
        `the ${most} that an environment takes; the largest is ${name} with ${size(bytes)}`,
    hint: `let it name a file: env: { ${name}: { file: … } }, or read $GRID_VALUES`,
  });
}

/**
 * Ends a job that nobody can follow, because the node's answers about it cannot be read.
 *
 * @throws {GridError} a transport code
 */
export function killUnheard(
  transport: Transport,
  { graceMs, ...identity }: JobIdentity & { readonly graceMs: number },
): Promise<KillReport> {
  return killTree(new JobLink(transport, identity), { graceMs });
}

/** Whether the node answered, but nothing that its programs could say. */
export function isUnheard(error: unknown): boolean {
  return error instanceof GridError && error.code.startsWith("answer-");
}

/** Whether a command may run although `startJob` threw this. */
export function mayHaveStarted(error: unknown): boolean {
  return isUnheard(error) || (isLinkFailure(error) && !isNeverSent(error));
}
