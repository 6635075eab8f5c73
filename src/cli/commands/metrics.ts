import { chmod, rename, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "../command_line/command.ts";
import type { CommandContext } from "../command_module.ts";
import { GridError, refusedError } from "../../core/errors.ts";
import { randomWord } from "../../core/ids.ts";
import { oneLine } from "../../terminal/harmless.ts";
import { openRuns } from "../past_runs.ts";
import type { GlobalFlags } from "../settings.ts";

interface MetricsFlags extends GlobalFlags {
  readonly textfile?: string;
}

export function define(command: Command, context: CommandContext): void {
  command
    .option("--textfile <file>", "write them to this file, whole or not at all; for node_exporter")
    .action<MetricsFlags>(async (flags) => {
      const { createMetrics } = await import("../../metrics/metrics.ts");
      using runs = openRuns(flags, context);
      const metrics = createMetrics({ isAlive: (run) => runs.store.isAlive(run) });
      const told = new Set<string>();
      const tell = ({ message }: GridError, run: string) => {
        if (told.has(run)) return;
        told.add(run);
        context.stderr(`warning: ${oneLine(message)}; what cannot be read is not counted\n`);
      };
      for (const event of runs.store.eventsOfTypes(metrics.eventTypes, tell)) metrics.event(event);
      if (flags.textfile !== undefined) {
        return await writeTextfile(resolve(context.cwd, flags.textfile), await metrics.text());
      }
      context.stdout(
        runs.settings.json
          ? JSON.stringify({ metrics: await metrics.data() }, null, 2) + "\n"
          : await metrics.text(),
      );
    });
}

/** The collector reads only what ends in `.prom`, and under another account. */
async function writeTextfile(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomWord(8)}.tmp`;
  try {
    await writeFile(draft, text, { flag: "wx", mode: 0o644 });
    await chmod(draft, 0o644);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    const action = `write the metrics to "${path}"`;
    throw refusedError(error, action) ?? notWritten(action, error);
  }
}

function notWritten(action: string, cause: unknown): GridError {
  const isMissing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
  return new GridError({
    code: "usage",
    message: `Cannot ${action}: ${isMissing ? "its folder does not exist" : String(cause)}`,
    hint: isMissing ? `make it: mkdir -p <folder>` : undefined,
    cause,
  });
}
