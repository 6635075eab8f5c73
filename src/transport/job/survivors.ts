/** What jobs left running on a node when they ended, and its end. */
import { quoteAll } from "../../core/shell.ts";
import type { KillReport } from "./job.ts";
import { killTree } from "./job_kill.ts";
import { JobLink } from "./job_link.ts";
import { jobLibrary, jobProgram } from "./job_script.ts";
import type { Transport } from "../transport.ts";

export interface SurvivorOptions {
  /** Absolute `remote_root`. */
  readonly root: string;
  /** Names of jobs, or the beginnings of names, which end in `*`. */
  readonly jobs: readonly string[];
  /** Something is left for certain. */
  readonly isCertain?: boolean;
  /** Between the polite and the final signal, for one of these jobs. */
  readonly graceMs: (job: string) => number;
}

export interface JobSurvivors extends KillReport {
  readonly job: string;
  /** Command lines, parents first. */
  readonly commands: readonly string[];
}

/** For a look; a node that takes longer has other worries. */
const LOOK_MS = 3000;
/** Beyond the grace: for the final signal, and for the way there and back. */
const KILL_SLACK_MS = 5000;

/**
 * Ends what ended jobs left running, as a job is ended, and tells what that was. Cheap where there is
 * nothing: one process on the node. Jobs that still run are left alone; without `/proc` all are.
 *
 * @throws {GridError} a transport code
 */
export async function endSurvivors(
  transport: Transport,
  options: SurvivorOptions,
): Promise<readonly JobSurvivors[]> {
  if (!options.isCertain && !await isSomethingLeft(transport, options)) return [];
  const commands = await commandsLeft(transport, options);
  return await Promise.all([...commands].map(async ([job, found]) => {
    const graceMs = options.graceMs(job);
    const signal = AbortSignal.timeout(graceMs + KILL_SLACK_MS);
    const link = new JobLink(transport, { id: job, root: options.root, leaseMs: graceMs });
    return { job, commands: found, ...await killTree(link, { graceMs, signal }) };
  }));
}

/** Whether any process carries the mark of one of these jobs. */
async function isSomethingLeft(
  transport: Transport,
  { jobs }: Pick<SurvivorOptions, "jobs">,
): Promise<boolean> {
  const marks = jobs.flatMap((job) => ["-e", `GRID_JOB=${job.replace(/\*$/, "")}`]);
  const look = "[ ! -d /proc/self ] || " +
    // By NUL: some see of a text with one only what stands before it.
    `LC_ALL=C exec grep -lszF ${quoteAll(marks)} /proc/[0-9]*/environ`;
  return (await transport.exec(look, { timeoutMs: LOOK_MS })).stdout !== "";
}

async function commandsLeft(
  transport: Transport,
  { root, jobs }: Pick<SurvivorOptions, "root" | "jobs">,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { stdout } = await transport.exec(
    `${jobProgram("job_left.sh")}\ngrid_left ${quoteAll([root, ...jobs])}`,
    { library: jobLibrary(), timeoutMs: LOOK_MS },
  );
  const found = new Map<string, string[]>();
  for (const line of stdout.split("\n")) {
    const [job = "", ...words] = line.split(" ");
    if (job === "") continue;
    found.set(job, [...found.get(job) ?? [], words.join(" ")]);
  }
  return found;
}
