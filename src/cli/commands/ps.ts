import type { Command } from "../command_line/command.ts";
import { renderProblem } from "../../terminal/problem.ts";
import { renderJobs } from "../../terminal/tables/jobs_table.ts";
import { listJobs } from "../../transport/job/job_list.ts";
import type { CommandContext } from "../command_module.ts";
import { openMachines, silentNodes } from "../nodes.ts";
import { nameList } from "../option_values.ts";
import { openSession } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";

interface PsFlags extends GlobalFlags {
  readonly nodes?: readonly string[];
}

export function define(command: Command, context: CommandContext): void {
  command
    .option("--nodes <names>", "only these, separated by commas", { read: nameList })
    .action<PsFlags>(async (flags) => {
      await using session = await openSession(flags, context);
      const { settings, grid } = session;
      const { open, failed } = await openMachines(session, { names: flags.nodes, withLocal: true });
      const lists = await Promise.all(open.map(async ({ node, transport, root }) => {
        const jobs = await listJobs(transport, root);
        return jobs.map((job) => ({ node: node.name, ...job }));
      }));
      const jobs = lists.flat();
      const document = JSON.stringify({ jobs, silent: silentNodes(failed) }, null, 2) + "\n";
      if (settings.json) context.stdout(document);
      else {
        context.stdout(renderJobs(jobs, {
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
    });
}
