/** What the pages of `grid serve` are made from: the store, the nodes, and runners of their own. */
import { accountName } from "../core/account.ts";
import type { GpuFacts, NodeHealth } from "../cluster/node.ts";
import { queueOf } from "../cluster/queue.ts";
import { formatDuration } from "../core/duration.ts";
import type { Grid } from "../grid.ts";
import type { GpuView, NodesView, NodeView, WebSources } from "../web/sources.ts";
import { collectMetrics } from "./collect_metrics.ts";
import { completeReport } from "./past_runs.ts";
import { resumeElsewhere } from "./resume_elsewhere.ts";
import { shownSchedule } from "./schedule_rows.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Session } from "./session.ts";

/** So many of the last times of a schedule a page shows. */
const MOST_TIMES = 10;

export interface WebOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Of this process, where it starts runs by their schedules. */
  readonly scheduler: Pick<Scheduler, "problems"> | undefined;
}

export function webSources(
  { grid, settings, signal }: Session,
  { env, scheduler }: WebOptions,
): WebSources {
  const { store, project, clock } = grid;
  const folder = (run: string) => grid.runFolder(run);
  const past = { settings, store, folder, [Symbol.dispose]: () => {} };
  return {
    project,
    store,
    clock,
    account: accountName(),
    folder,
    nodes: () => nodesView(grid, signal),
    lookAtNodes: async () => void await grid.cluster.health({ signal, fresh: true }),
    metrics: async () => {
      const { metricsText } = await import("../metrics/metrics.ts");
      return await metricsText(await collectMetrics(grid, { signal, look: true, warn: () => {} }));
    },
    completeReport: (state) => completeReport(past, state),
    schedules: () => ({
      rows: store.schedules.all().map((row) =>
        shownSchedule(row, { store, now: clock.now(), most: MOST_TIMES })
      ),
      problems: [...scheduler?.problems.values() ?? []],
      isServing: scheduler !== undefined,
    }),
    resume: (run) => resumeElsewhere(run, { store, settings, env, signal }),
  };
}

async function nodesView({ cluster }: Grid, signal: AbortSignal): Promise<NodesView> {
  const rows = await cluster.health({ signal, ask: false });
  const byName = new Map(rows.map((row) => [row.node, row]));
  return {
    nodes: cluster.nodes.map(({ name }) => nodeView(name, byName.get(name))),
    queue: queueOf(rows),
  };
}

function nodeView(name: string, row: NodeHealth | undefined): NodeView {
  const facts = row?.facts;
  return {
    name,
    status: row?.status ?? "unknown",
    at: row?.at,
    reason: row?.reason,
    hint: row?.hint,
    score: row?.score,
    cpuPercent: row?.cpuPercent,
    gpuPercent: row?.gpuPercent,
    memoryAvailableBytes: facts?.memoryAvailableBytes,
    memoryTotalBytes: facts?.memoryTotalBytes,
    diskFreeBytes: facts?.diskFreeBytes,
    gpus: facts?.gpus.map(gpuView) ?? [],
    drains:
      facts?.drains?.map(({ account, reason }) =>
        reason === "" ? account : `${account}: ${reason}`
      ) ?? [],
    remarks:
      row?.remarks?.map(({ words, cure }) => cure === undefined ? words : `${words}; ${cure}`) ??
        [],
    scores: row?.looks?.map(({ score }) => score) ?? [],
  };
}

function gpuView(gpu: GpuFacts): GpuView {
  const { index, name, memoryUsedBytes, memoryTotalBytes, utilizationPercent, sick } = gpu;
  return {
    index,
    name,
    memoryUsedBytes,
    memoryTotalBytes,
    utilizationPercent,
    sick,
    holders: (gpu.leases ?? []).filter(({ isCovered }) => !isCovered).map((lease) => {
      const { holder, run, step, ageMs } = lease;
      const work = run ? `: ${run}${step ? ` ${step}` : ""}` : "";
      return `${holder}${work}${ageMs === undefined ? "" : `, for ${formatDuration(ageMs)}`}`;
    }),
  };
}
