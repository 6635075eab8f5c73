import type { Command } from "../command_line/command.ts";
import { GridError } from "../../core/errors.ts";
import type { RayClusterStatus, RayNodeStatus, RayOptions } from "../../ray/lifecycle.ts";
import type { CommandContext } from "../command_module.ts";
import { type OpenedNodes, openNodes } from "../nodes.ts";
import { nameList, wholeNumber } from "../option_values.ts";
import { openSession, type Session } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";

const VERBS = {
  start: "start Ray on the nodes and see that every one joined",
  stop: "end exactly what start began",
  status: "show which nodes carry Ray, and who uses it",
} as const;

type Verb = keyof typeof VERBS;

interface ClusterFlags extends GlobalFlags {
  readonly nodes?: readonly string[];
}

interface LogsFlags extends ClusterFlags {
  readonly lines?: number;
}

interface DashboardFlags extends GlobalFlags {
  readonly port?: number;
  readonly token?: true;
}

export function define(command: Command, context: CommandContext): void {
  const withNodes = (child: Command) =>
    child.option("--nodes <names>", "only these, separated by commas", { read: nameList });
  for (const [verb, summary] of Object.entries(VERBS)) {
    withNodes(command.command(verb, summary)).action<ClusterFlags>(async (flags) => {
      await using session = await openManaged(`${verb} Ray`, flags, context);
      context.setExitCode(await act(verb as Verb, { session, flags, context }));
    });
  }
  withNodes(command.command("logs", "show what Ray itself has logged, also after it has ended"))
    .argument("[file]", "such as raylet.out or 'worker-*.err'; default what tells of a failure")
    .option("-n, --lines <count>", "of each file, from its end (default: 20); 0 only lists", {
      read: wholeNumber,
    })
    .action<LogsFlags>(async (file, flags) => {
      await using session = await openManaged("read Ray's logs", flags, context);
      context.setExitCode(await showLogs(file, { session, flags, context }));
    });
  command.command("dashboard", "open a way to Ray's dashboard until Ctrl-C")
    .option("--port <number>", "on this machine (default: any free one)", { read: wholeNumber })
    .option("--token", "print the token that the dashboard asks for")
    .action<DashboardFlags>(async (flags) => {
      await using session = await openManaged("open the dashboard", flags, context);
      const { openDashboard } = await import("../ray_dashboard.ts");
      await openDashboard({ session, head: headName(session), flags, context });
    });
}

interface ActOptions<Flags = ClusterFlags> {
  readonly session: Session;
  readonly flags: Flags;
  readonly context: CommandContext;
}

async function openManaged(
  purpose: string,
  flags: GlobalFlags,
  context: CommandContext,
): Promise<Session> {
  const session = await openSession(flags, context);
  const { mode } = session.grid.config.ray;
  if (mode === "managed") return session;
  await session[Symbol.asyncDispose]();
  throw new GridError({
    code: "usage",
    message: `Cannot ${purpose}: the cluster config says ray.mode: ${mode}`,
    hint: "ray.mode: managed lets Grid start and stop Ray on its nodes",
  });
}

/** Where batches look for it, too. */
function headName({ grid }: Session): string {
  return grid.config.ray.head ?? grid.cluster.nodes[0]?.name ?? "local";
}

async function act(verb: Verb, { session, flags, context }: ActOptions): Promise<number> {
  const { settings, grid } = session;
  const { options, failed } = await reach(verb, session, flags.nodes);
  const { createRayCluster } = await import("../../ray/managed.ts");
  const answer = options.nodes.length === 0 ? [] : await createRayCluster()[verb](options);
  const { nodes: reached, holders } = isStatus(answer) ? answer : { nodes: answer, holders: [] };
  const rows = [...reached, ...failed.map(failedRow)];
  if (settings.json) {
    const report = verb === "status" ? { nodes: rows, holders } : { nodes: rows };
    context.stdout(JSON.stringify(report, null, 2) + "\n");
  } else {
    const { renderRayCluster, renderRayHolders } = await import(
      "../../terminal/tables/ray_table.ts"
    );
    const look = { color: settings.color.stdout, width: context.columns("stdout") };
    context.stdout(renderRayCluster(rows, look));
    if (verb === "status" && rows.some(({ state }) => state === "alive")) {
      context.stdout("\n" + renderRayHolders(holders, { ...look, now: grid.clock.now() }));
    }
  }
  if (options.nodes.length === 0) return 3;
  const wanted = verb === "start" ? "alive" : "stopped";
  return verb !== "status" && rows.some(({ state }) => state !== wanted) ? 1 : 0;
}

function isStatus(
  answer: RayClusterStatus | readonly RayNodeStatus[],
): answer is RayClusterStatus {
  return "holders" in answer;
}

interface Reached {
  readonly options: RayOptions;
  /** Of the nodes that were asked for. */
  readonly failed: OpenedNodes["failed"];
}

/** A start looks at all nodes: another one may carry a head already. */
async function reach(
  verb: Verb,
  session: Session,
  names: readonly string[] | undefined,
): Promise<Reached> {
  const { grid, signal } = session;
  const head = headName(session);
  const outside = names === undefined || names.includes(head) ? [] : [head];
  const asked = names &&
    [...new Set(verb === "start" ? allNames(session) : [...names, ...outside])];
  const known = allNames(session);
  // An unknown name is an error of its own, before anything is opened.
  if (names?.some((name) => !known.includes(name))) {
    await openNodes(session, { names, withLocal: false });
  }
  const { open, failed } = await openNodes(session, { names: asked, withLocal: false });
  const isAsked = (name: string) => names === undefined || names.includes(name);
  return {
    options: {
      config: grid.config.ray,
      headName: head,
      nodes: open.filter(({ node }) => isAsked(node.name)),
      reached: open,
      health: async (name) =>
        (await grid.cluster.health({ among: [name], fresh: true, signal }))[0],
      signal,
    },
    failed: failed.filter(({ node }) => isAsked(node)),
  };
}

function allNames({ grid }: Session): readonly string[] {
  return grid.cluster.nodes.map(({ name }) => name);
}

async function showLogs(
  file: string | undefined,
  { session, flags, context }: ActOptions<LogsFlags>,
): Promise<number> {
  const { settings, signal } = session;
  const { open, failed } = await openNodes(session, { names: flags.nodes, withLocal: false });
  const { readRayLogs } = await import("../../ray/ray_logs.ts");
  const logs = await Promise.all(
    open.map((node) => readRayLogs(node, { file, lines: flags.lines ?? 20, signal })),
  );
  if (settings.json) context.stdout(JSON.stringify({ nodes: logs }, null, 2) + "\n");
  else {
    const { renderRayLogs } = await import("../../terminal/tables/ray_logs.ts");
    context.stdout(renderRayLogs(logs));
    for (const { node, error } of failed) context.stderr(`${node}: ${error.message}\n`);
  }
  if (open.length === 0) return 3;
  return logs.some(({ files }) => files.length > 0) ? 0 : 1;
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
