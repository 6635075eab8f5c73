import type { Command } from "../command_line/command.ts";
import { GridError } from "../../core/errors.ts";
import { survivorWords } from "../../steps/run_failure.ts";
import { renderProblem } from "../../terminal/problem.ts";
import { renderServices } from "../../terminal/tables/services_table.ts";
import { attachJob } from "../../transport/job/job_start.ts";
import type { CommandContext } from "../command_module.ts";
import { silentNodes } from "../nodes.ts";
import { durationMs, nameList } from "../option_values.ts";
import { chooseService, findServices, type FoundService, isServing } from "../services.ts";
import { openSession } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";

/** A job that is being ended needs no long lease. */
const LEASE_MS = 60_000;

interface ServicesFlags extends GlobalFlags {
  readonly nodes?: readonly string[];
  readonly all?: true;
}

interface StopFlags extends GlobalFlags {
  readonly grace?: number;
}

export function define(command: Command, context: CommandContext): void {
  command
    .option("--nodes <names>", "only these, separated by commas", { read: nameList })
    .option("--all", "also those that have ended, as long as their files are there")
    .action<ServicesFlags>((flags) => list(flags, context));
  command.command("stop", "end a service, with everything it started")
    .argument("<run>", "the run; or a name of the step that only one service has, or a job")
    .argument("[step]", "the step")
    .option("--grace <duration>", "between SIGTERM and SIGKILL; default what the step says", {
      read: durationMs,
    })
    .action<StopFlags>(async (name, step, flags) => {
      await using session = await openSession(flags, context);
      const wish = { name, step, what: "end the service" };
      const service = chooseService(await findServices(session), wish, session.grid.store);
      const words = await stop(service, { signal: session.signal, graceMs: flags.grace });
      const { run, job, on: { node } } = service;
      context.stderr(`${service.step} of run ${run} on ${node.name}: ${words}\n`);
      if (session.settings.json) {
        const ended = { node: node.name, run, step: service.step, job };
        context.stdout(JSON.stringify({ ended }, null, 2) + "\n");
      }
    });
}

async function list(flags: ServicesFlags, context: CommandContext): Promise<void> {
  await using session = await openSession(flags, context);
  const { settings, grid } = session;
  const { services, nodes: { open, failed } } = await findServices(session, flags.nodes);
  const shown = flags.all ? services : services.filter(isServing);
  const rows = shown.map(({ on, ...service }) => ({ node: on.node.name, ...service }));
  if (settings.json) {
    const list = rows.map((row) => ({
      ...row,
      port: row.port ?? null,
      address: row.address ?? null,
      untilMs: row.untilMs ?? null,
    }));
    const document = { services: list, silent: silentNodes(failed) };
    context.stdout(JSON.stringify(document, null, 2) + "\n");
  } else {
    context.stdout(renderServices(rows, {
      color: settings.color.stdout,
      width: context.columns("stdout"),
      now: grid.clock.now(),
      nodes: { answered: open.length, silent: failed.length },
    }));
  }
  for (const { error } of failed) {
    context.stderr(renderProblem(error, { color: settings.color.stderr }));
  }
  if (failed.length > 0) context.setExitCode(3);
}

interface StopOptions {
  readonly signal: AbortSignal;
  readonly graceMs: number | undefined;
}

/** @throws {GridError} `step-failed` where something of it cannot be ended */
async function stop(
  { on, job: id, graceMs: own }: FoundService,
  { signal, graceMs = own }: StopOptions,
): Promise<string> {
  const job = await attachJob(on.transport, { id, root: on.root, leaseMs: LEASE_MS });
  if (!job) return "gone already";
  const report = await job.kill({ graceMs, signal });
  if (report.survivors.length > 0) {
    throw new GridError({
      code: "step-failed",
      message: `Cannot end the service on "${on.node.name}": ${survivorWords(report)}`,
      node: on.node.name,
    });
  }
  // Its run may still follow it, and is told by these files how it ended.
  return `ended, ${survivorWords(report)}`;
}
