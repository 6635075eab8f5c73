import type { Command } from "../command_line/command.ts";
import type { SetupResult } from "../../cluster/setup_result.ts";
import { GridError } from "../../core/errors.ts";
import type { CommandContext } from "../command_module.ts";
import { openNodes } from "../nodes.ts";
import { durationMs, nameList } from "../option_values.ts";
import { openSession } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";

interface SetupFlags extends GlobalFlags {
  readonly nodes?: readonly string[];
  readonly requirements?: string;
  readonly wheels?: string;
  readonly venv?: string;
  readonly again?: true;
  readonly timeout?: number;
}

/** Ray is some hundred megabytes. */
const TIMEOUT_MS = 30 * 60_000;

export function define(command: Command, context: CommandContext): void {
  command
    .option("--nodes <names>", "only these, separated by commas", { read: nameList })
    .option("--requirements <file>", "a requirements file of this machine: what the steps import")
    .option("--wheels <folder>", "install from this folder of the nodes instead of an index")
    .option("--venv <folder>", "link this environment of the nodes instead of making one")
    .option("--again", "make the environment anew even where it is as asked for")
    .option("--timeout <time>", "give up after this; default 30m", { read: durationMs })
    .action<SetupFlags>(async (flags) => {
      context.setExitCode(await setUp(flags, context));
    });
}

/** 0 when every node is ready, 3 when none could be reached, else 1. */
async function setUp(flags: SetupFlags, context: CommandContext): Promise<number> {
  await using session = await openSession(flags, context);
  const { grid, settings, signal } = session;
  const requirements = flags.requirements && await readRequirements(flags.requirements);
  const { open, failed } = await openNodes(session, { names: flags.nodes, withLocal: false });
  const { differences, setupNodes } = await import("../../cluster/setup.ts");
  const limit = AbortSignal.any([signal, timeLimit(flags.timeout ?? TIMEOUT_MS)]);
  const reached = await setupNodes(open, {
    ray: grid.config.ray,
    requirements,
    wheels: flags.wheels,
    venv: flags.venv,
    again: flags.again,
    signal: limit,
  });
  const rows = [...reached, ...failed.map(({ node, error }) => unreached(node, error))];
  const differs = differences(reached);
  if (settings.json) context.stdout(JSON.stringify({ nodes: rows, differs }, null, 2) + "\n");
  else {
    const { renderSetup } = await import("../../terminal/tables/setup_table.ts");
    const { stdout: color } = settings.color;
    context.stdout(renderSetup(rows, { color, width: context.columns("stdout") }));
    for (const words of differs) context.stderr(`warning: not the same on all nodes: ${words}\n`);
  }
  if (open.length === 0) return 3;
  return rows.some(({ state }) => state === "failed") ? 1 : 0;
}

async function readRequirements(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (cause) {
    throw new GridError({
      code: "usage",
      message: `Cannot read requirements "${file}": ${
        cause instanceof Deno.errors.NotFound ? "there is no such file" : cause
      }`,
      cause,
    });
  }
}

function timeLimit(ms: number): AbortSignal {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    const hint = "--timeout 2h gives it longer";
    const message = "Cannot finish the setup: its time is over";
    controller.abort(new GridError({ code: "timed-out", message, hint }));
  }, ms);
  Deno.unrefTimer(timer);
  return controller.signal;
}

function unreached(node: string, error: GridError): SetupResult {
  const { message: reason, hint } = error;
  const nothing = {
    python: undefined,
    ray: undefined,
    packages: undefined,
    digest: undefined,
    tool: undefined,
    sharedWith: undefined,
    durationMs: 0,
  };
  return { node, state: "failed", ...nothing, reason, hint };
}
