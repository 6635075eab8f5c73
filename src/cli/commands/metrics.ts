import type { Command } from "../command_line/command.ts";
import type { CommandContext } from "../command_module.ts";
import { openRuns } from "../past_runs.ts";
import type { GlobalFlags } from "../settings.ts";

export function define(command: Command, context: CommandContext): void {
  command.action<GlobalFlags>(async (flags) => {
    const { createMetrics } = await import("../../metrics/metrics.ts");
    using runs = openRuns(flags, context);
    const metrics = createMetrics();
    for (const event of runs.store.eventsOfTypes(metrics.eventTypes)) metrics.event(event);
    context.stdout(
      runs.settings.json
        ? JSON.stringify({ metrics: await metrics.data() }, null, 2) + "\n"
        : await metrics.text(),
    );
  });
}
