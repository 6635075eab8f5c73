import type { Command } from "../command_line/command.ts";
import { GridError } from "../../core/errors.ts";
import type { OpenNode } from "../../cluster/node.ts";
import { listJobs } from "../../transport/job/job_list.ts";
import { containerWords, endContainers } from "../../steps/container_job.ts";
import { survivorWords } from "../../steps/run_failure.ts";
import { attachJob } from "../../transport/job/job_start.ts";
import type { CommandContext } from "../command_module.ts";
import { type OpenedNodes, openMachines } from "../nodes.ts";
import { durationMs } from "../option_values.ts";
import { openSession, type Session } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";

/** A job that is being ended needs no long lease. */
const LEASE_MS = 60_000;
const GRACE_MS = 10_000;

export function define(command: Command, context: CommandContext): void {
  command
    .argument("<jobs...>", "job ids as `grid ps` shows them, or the beginning of one")
    .option("--grace <duration>", "between SIGTERM and SIGKILL; default 10s", { read: durationMs })
    .action<GlobalFlags & { readonly grace?: number }>(async (ids, flags) => {
      await using session = await openSession(flags, context);
      const nodes = await openMachines(session, { names: undefined, withLocal: true });
      const ended: Omit<EndedJob, "words">[] = [];
      const found: FoundJob[] = [];
      for (const id of ids) found.push(await findJob(id, nodes));
      const graceMs = flags.grace ?? GRACE_MS;
      // Each may take its whole grace.
      const ends = await Promise.allSettled(found.map((job) => end(job, { session, graceMs })));
      for (const outcome of ends) {
        if (outcome.status === "rejected") continue;
        const job = outcome.value;
        const { words, ...fact } = job;
        context.stderr(`${job.job} on ${job.node}: ${words}\n`);
        ended.push(fact);
      }
      const failure = ends.find(({ status }) => status === "rejected");
      if (failure?.status === "rejected") throw failure.reason;
      if (session.settings.json) context.stdout(JSON.stringify({ ended }, null, 2) + "\n");
    });
}

interface FoundJob {
  readonly node: OpenNode;
  readonly id: string;
}

/** @throws {GridError} where no job, or more than one, begins like this */
async function findJob(prefix: string, { open, failed }: OpenedNodes): Promise<FoundJob> {
  const lists = await Promise.all(open.map(async (node) => {
    const jobs = await listJobs(node.transport, node.root);
    return jobs.map(({ id }) => ({ node, id }));
  }));
  const all = lists.flat();
  const matches = all.filter(({ id }) => id.startsWith(prefix));
  const [match, second] = matches;
  if (match && (!second || match.id === prefix)) return match;
  if (match) {
    throw new GridError({
      code: "usage",
      message: `Cannot end job "${prefix}": ${matches.length} jobs begin like this`,
      hint: `for example ${match.id}`,
    });
  }
  const [away] = failed;
  const names = failed.map(({ node }) => node).join(", ");
  const unasked = away ? `; ${names} could not be asked: ${away.error.message}` : "";
  throw new GridError({
    code: away?.error.code ?? "usage",
    message: `Cannot end job "${prefix}": no node${
      away ? " that answers" : ""
    } has such a job${unasked}`,
    hint: "list them: grid ps",
  });
}

interface EndOptions {
  readonly session: Session;
  readonly graceMs: number;
}

interface EndedJob {
  readonly job: string;
  readonly node: string;
  /** It was over before it was asked to end. */
  readonly wasGone: boolean;
  readonly words: string;
}

async function end({ node, id }: FoundJob, { session, graceMs }: EndOptions): Promise<EndedJob> {
  const job = await attachJob(node.transport, { id, root: node.root, leaseMs: LEASE_MS });
  const ended = { job: id, node: node.node.name };
  if (!job) return { ...ended, wasGone: true, words: "gone already" };
  const report = await job.kill({ graceMs, signal: session.signal });
  if (report.survivors.length > 0) {
    throw new GridError({
      code: "step-failed",
      message: `Cannot end job ${id} on ${node.node.name}: ${survivorWords(report)}`,
      node: node.node.name,
    });
  }
  const containers = await endContainers(node.transport, { ...node, id });
  const words = containerWords(report, containers);
  if (containers.left.length > 0) {
    throw new GridError({
      code: "step-failed",
      message: `Cannot end job ${id} on ${node.node.name}: ${words}`,
      hint: `look at it there: ${containers.engine} ps -a --filter label=grid.job=${id}`,
      node: node.node.name,
    });
  }
  await job.remove();
  return { ...ended, wasGone: false, words: `ended, ${words}` };
}
