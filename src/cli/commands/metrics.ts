import type { Command } from "../command_line/command.ts";
import type { CommandContext } from "../command_module.ts";
import type { GridError } from "../../core/errors.ts";
import { oneLine } from "../../terminal/harmless.ts";
import { openRuns } from "../past_runs.ts";
import type { GlobalFlags } from "../settings.ts";

export function define(command: Command, context: CommandContext): void {
  command.action<GlobalFlags>(async (flags) => {
    const { createMetrics } = await import("../../metrics/metrics.ts");
    using runs = openRuns(flags, context);
    const metrics = createMetrics();
    const told = new Set<string>();
    const tell = ({ message }: GridError, run: string) => {
      if (told.has(run)) return;
      told.add(run);
      context.stderr(`warning: ${oneLine(message)}; what cannot be read is not counted\n`);
    };
    for (const event of runs.store.eventsOfTypes(metrics.eventTypes, tell)) metrics.event(event);
    context.stdout(
      runs.settings.json
        ? JSON.stringify({ metrics: await metrics.data() }, null, 2) + "\n"
        : await metrics.text(),
    );
  });
}
