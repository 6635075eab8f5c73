import { accountName } from "../../core/account.ts";
import type { Command } from "../command_line/command.ts";
import { lazy } from "../../core/lazy.ts";
import { bringNews } from "../submitted/news.ts";
import { GridError } from "../../core/errors.ts";
import type { CommandContext } from "../command_module.ts";
import { openRuns, stateOf } from "../past_runs.ts";
import type { GlobalFlags } from "../settings.ts";

export function define(command: Command, context: CommandContext): void {
  command
    .argument("<run>", "a run: id, the beginning of one, a pipeline's name, or last")
    .close("Its commands are ended as by Ctrl-C, and its report is written.")
    .action<GlobalFlags>(async (name, flags) => {
      using runs = openRuns(flags, context);
      await bringNews(runs, context);
      const run = runs.store.resolveRun(name);
      const reason = `cancelled by ${accountName()}`;
      const there = runs.store.nodeRunners.find(run);
      const asked = there === undefined
        ? runs.store.requestCancel(run, reason)
        : await cancelThere(there, { runs, context, reason });
      if (!asked) throw notRunning(run, stateOf(runs, run).result);
      if (runs.settings.json) context.stdout(JSON.stringify({ run, asked: true }) + "\n");
      context.stderr(`asked run ${run} to stop; follow it: grid logs ${run} -f\n`);
    });
}

async function cancelThere(
  ...call: Parameters<typeof import("../submitted/cancel_on.ts").cancelOn>
) {
  const { cancelOn } = await lazy<typeof import("../submitted/cancel_on.ts")>(
    "../submitted/cancel_on.ts",
    import.meta.url,
  );
  return await cancelOn(...call);
}

function notRunning(run: string, result: string): GridError {
  const died = result === "running";
  return new GridError({
    code: "conflict",
    message: `Cannot cancel run ${run}: ${died ? "its runner is gone" : `it is over (${result})`}`,
    hint: died ? `what it left on nodes: grid ps; to go on: grid resume ${run}` : undefined,
  });
}
