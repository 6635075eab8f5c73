import type { Command } from "@commander-js/extra-typings";
import type { CommandContext } from "../command_module.ts";
import { openRuns } from "../past_runs.ts";
import type { GlobalFlags } from "../settings.ts";

export function define(command: Command, context: CommandContext): void {
  command.action(async (_flags, self) => {
    const { createMetrics } = await import("../../metrics/metrics.ts");
    using runs = openRuns(self.optsWithGlobals() as GlobalFlags, context);
    const metrics = createMetrics();
    for (const event of runs.store.eventsOfTypes(metrics.eventTypes)) metrics.event(event);
    context.stdout(await metrics.text());
  });
}
