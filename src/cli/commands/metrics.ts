import { chmod, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { resolve } from "node:path";
import type { Command } from "../command_line/command.ts";
import { WordError } from "../command_line/option.ts";
import type { CommandContext } from "../command_module.ts";
import { parseDuration } from "../../core/duration.ts";
import { GridError, refusedError } from "../../core/errors.ts";
import { randomWord } from "../../core/ids.ts";
import { oneLine } from "../../terminal/harmless.ts";
import { openSession } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";

interface MetricsFlags extends GlobalFlags {
  readonly textfile?: string;
  readonly push?: string;
  readonly noLook?: true;
  readonly expect: ReadonlyMap<string, number>;
  readonly label: Readonly<Record<string, string>>;
}

export function define(command: Command, context: CommandContext): void {
  command
    .option("--textfile <file>", "write them to this file, whole or not at all; for node_exporter")
    .option("--push <url>", "hand them to the Pushgateway there")
    .option("--expect <pipeline=time>", "the pipeline shall succeed within this time; repeatable", {
      read: expectation,
      initial: new Map<string, number>(),
    })
    .option("--label <name=value>", "put this label on every series; repeatable", {
      read: label,
      initial: {},
    })
    .option("--no-look", "ask no node: tell what the last look at each saw")
    .action<MetricsFlags>(async (flags) => {
      const [{ metricsData, metricsText }, { collectMetrics }] = await Promise.all([
        import("../../metrics/metrics.ts"),
        import("../collect_metrics.ts"),
      ]);
      await using session = await openSession(flags, context);
      const { grid, signal, settings } = session;
      const reading = await collectMetrics(grid, {
        signal,
        look: flags.noLook !== true,
        expected: flags.expect,
        labels: flags.label,
        warn: (message) => context.stderr(`warning: ${oneLine(message)}\n`),
      });
      const { textfile, push } = flags;
      const text = await metricsText(reading);
      if (textfile !== undefined) await writeTextfile(resolve(context.cwd, textfile), text);
      if (push !== undefined) {
        const { pushMetrics } = await import("../push_metrics.ts");
        await pushMetrics({ url: push, text, host: hostname(), labels: flags.label, signal });
      }
      if (textfile !== undefined || push !== undefined) return;
      context.stdout(
        settings.json
          ? JSON.stringify({ metrics: await metricsData(reading) }, null, 2) + "\n"
          : text,
      );
    });
}

/** `nightly=26h`. */
function expectation(
  word: string,
  before: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const at = word.lastIndexOf("=");
  const ms = parseDuration(word.slice(at + 1));
  if (at < 1 || ms === undefined || ms === 0) {
    throw new WordError("needs a pipeline and a time, such as nightly=26h");
  }
  return new Map([...before, [word.slice(0, at), ms / 1000]]);
}

/** https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels */
const LABEL = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s;
/** Labels that series of ours have, or that Prometheus puts there. */
const TAKEN = new Set(["pipeline", "schedule", "status", "node", "code", "le", "job", "instance"]);

function label(
  word: string,
  before: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const [, name = "", value = ""] = LABEL.exec(word) ?? [];
  if (name === "" || name.startsWith("__")) {
    throw new WordError("needs a name and a value, such as project=vision");
  }
  if (TAKEN.has(name)) {
    throw new WordError(`must have another name: series have a ${name} of their own`);
  }
  return { ...before, [name]: value };
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
