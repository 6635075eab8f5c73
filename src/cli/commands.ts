import type { CommandModule } from "./command_module.ts";

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly group: "Pipelines" | "Runs" | "Nodes" | "Grid";
  /** Loaded only when the command's name is among the arguments. */
  load(): Promise<CommandModule>;
}

/** Every command in the order of `grid --help`. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "run",
    summary: "run a pipeline file, or one command on the best node",
    group: "Pipelines",
    load: () => import("./commands/run.ts"),
  },
  {
    name: "validate",
    summary: "check pipeline files and show every mistake",
    group: "Pipelines",
    load: () => import("./commands/validate.ts"),
  },
  {
    name: "plan",
    summary: "show what a run would do, without doing it",
    group: "Pipelines",
    load: () => import("./commands/plan.ts"),
  },
  {
    name: "graph",
    summary: "draw the graph of a pipeline as text, Mermaid, DOT or SVG",
    group: "Pipelines",
    load: () => import("./commands/graph.ts"),
  },
  {
    name: "resume",
    summary: "go on from a run: repeat only what failed or changed",
    group: "Pipelines",
    load: () => import("./commands/resume.ts"),
  },
  {
    name: "cancel",
    summary: "end a run that another terminal started",
    group: "Pipelines",
    load: () => import("./commands/cancel.ts"),
  },
  {
    name: "runs",
    summary: "list runs, newest first",
    group: "Runs",
    load: () => import("./commands/runs.ts"),
  },
  {
    name: "show",
    summary: "show one run: steps, attempts, nodes, times",
    group: "Runs",
    load: () => import("./commands/show.ts"),
  },
  {
    name: "logs",
    summary: "print what a run's steps printed",
    group: "Runs",
    load: () => import("./commands/logs.ts"),
  },
  {
    name: "why",
    summary: "say in one line why a step ran, waited, was skipped or reused",
    group: "Runs",
    load: () => import("./commands/why.ts"),
  },
  {
    name: "report",
    summary: "print where a run's report lies",
    group: "Runs",
    load: () => import("./commands/report.ts"),
  },
  {
    name: "health",
    summary: "show load, GPUs and score of every node",
    group: "Nodes",
    load: () => import("./commands/health.ts"),
  },
  {
    name: "sync",
    summary: "bring a folder to nodes",
    group: "Nodes",
    load: () => import("./commands/sync.ts"),
  },
  {
    name: "cluster",
    summary: "start, stop or inspect Ray on the nodes",
    group: "Nodes",
    load: () => import("./commands/cluster.ts"),
  },
  {
    name: "setup",
    summary: "make the Python environment of every node, with Ray",
    group: "Nodes",
    load: () => import("./commands/setup.ts"),
  },
  {
    name: "trust",
    summary: "show the host keys of nodes and add them to known_hosts",
    group: "Nodes",
    load: () => import("./commands/trust.ts"),
  },
  {
    name: "ps",
    summary: "list what Grid's jobs left running on the nodes",
    group: "Nodes",
    load: () => import("./commands/ps.ts"),
  },
  {
    name: "kill",
    summary: "end a job on its node, with everything it started",
    group: "Nodes",
    load: () => import("./commands/kill.ts"),
  },
  {
    name: "metrics",
    summary: "print totals over all runs in Prometheus format",
    group: "Grid",
    load: () => import("./commands/metrics.ts"),
  },
];
