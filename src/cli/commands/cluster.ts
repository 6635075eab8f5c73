import type { Command } from "../command_line/command.ts";
import { GridError } from "../../core/errors.ts";
import type { RayNodeStatus, RayOptions } from "../../ray/lifecycle.ts";
import type { CommandContext } from "../command_module.ts";
import { type OpenedNodes, openNodes } from "../nodes.ts";
import { nameList } from "../option_values.ts";
import { openSession } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";

const VERBS = {
  start: "start Ray on the nodes and see that every one joined",
  stop: "end exactly what start began",
  status: "show which nodes carry Ray",
} as const;

type Verb = keyof typeof VERBS;

interface ClusterFlags extends GlobalFlags {
  readonly nodes?: readonly string[];
}

export function define(command: Command, context: CommandContext): void {
  for (const [verb, summary] of Object.entries(VERBS)) {
    command.command(verb, summary)
      .option(
        "--nodes <names>",
        "only these, separated by commas; the first carries the head",
        { read: nameList },
      )
      .action<ClusterFlags>(async (flags) => {
        context.setExitCode(await act(verb as Verb, { flags, context }));
      });
  }
}

interface ActOptions {
  readonly flags: ClusterFlags;
  readonly context: CommandContext;
}

async function act(verb: Verb, { flags, context }: ActOptions): Promise<number> {
  await using session = await openSession(flags, context);
  const { grid, settings, signal } = session;
  if (grid.config.ray.mode !== "managed") {
    throw new GridError({
      code: "usage",
      message: `Cannot ${verb} Ray: the cluster config says ray.mode: ${grid.config.ray.mode}`,
      hint: "ray.mode: managed lets Grid start and stop Ray on its nodes",
    });
  }
  const { open, failed } = await openNodes(session, { names: flags.nodes, withLocal: false });
  const { createRayCluster } = await import("../../ray/managed.ts");
  const options: RayOptions = { config: grid.config.ray, nodes: open, signal };
  const reached = open.length === 0 ? [] : await createRayCluster()[verb](options);
  const rows = [...reached, ...failed.map(failedRow)];
  if (settings.json) context.stdout(JSON.stringify({ nodes: rows }, null, 2) + "\n");
  else {
    const { renderRayCluster } = await import("../../terminal/tables/ray_table.ts");
    context.stdout(
      renderRayCluster(rows, { color: settings.color.stdout, width: context.columns("stdout") }),
    );
  }
  if (open.length === 0) return 3;
  const wanted = verb === "start" ? "alive" : "stopped";
  return verb !== "status" && rows.some(({ state }) => state !== wanted) ? 1 : 0;
}

function failedRow({ node, error }: OpenedNodes["failed"][number]): RayNodeStatus {
  return {
    node,
    role: "worker",
    state: "failed",
    address: undefined,
    cpus: undefined,
    gpus: undefined,
    reason: error.message,
    hint: error.hint,
  };
}
