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
    load: () => lazily("run"),
  },
  {
    name: "validate",
    summary: "check pipeline files and show every mistake",
    group: "Pipelines",
    load: () => lazily("validate"),
  },
  {
    name: "plan",
    summary: "show what a run would do, without doing it",
    group: "Pipelines",
    load: () => lazily("plan"),
  },
  {
    name: "graph",
    summary: "draw the graph of a pipeline as text, Mermaid, DOT or SVG",
    group: "Pipelines",
    load: () => lazily("graph"),
  },
  {
    name: "resume",
    summary: "go on from a run: repeat only what failed or changed",
    group: "Pipelines",
    load: () => lazily("resume"),
  },
  {
    name: "submit",
    summary: "start a run that goes on when the terminal is closed",
    group: "Pipelines",
    load: () => lazily("submit"),
  },
  {
    name: "attach",
    summary: "show a run from its beginning, and go on with it",
    group: "Pipelines",
    load: () => lazily("attach"),
  },
  {
    name: "cancel",
    summary: "end a run that another terminal started",
    group: "Pipelines",
    load: () => lazily("cancel"),
  },
  {
    name: "runs",
    summary: "list runs, newest first",
    group: "Runs",
    load: () => lazily("runs"),
  },
  {
    name: "show",
    summary: "show one run: steps, attempts, nodes, times",
    group: "Runs",
    load: () => lazily("show"),
  },
  {
    name: "logs",
    summary: "print what a run's steps printed",
    group: "Runs",
    load: () => lazily("logs"),
  },
  {
    name: "why",
    summary: "say in one line why a step ran, waited, was skipped or reused",
    group: "Runs",
    load: () => lazily("why"),
  },
  {
    name: "report",
    summary: "print where a run's report lies",
    group: "Runs",
    load: () => lazily("report"),
  },
  {
    name: "diff",
    summary: "say what differs between two runs: inputs, results, commit, times",
    group: "Runs",
    load: () => lazily("diff"),
  },
  {
    name: "serve",
    summary: "show runs, logs and nodes in the browser, live; cancel and resume there",
    group: "Runs",
    load: () => lazily("serve"),
  },
  {
    name: "schedule",
    summary: "show when pipelines begin by themselves, and their last times",
    group: "Runs",
    load: () => lazily("schedule"),
  },
  {
    name: "health",
    summary: "show load, GPUs and score of every node",
    group: "Nodes",
    load: () => lazily("health"),
  },
  {
    name: "queue",
    summary: "show who holds GPUs, and who waits for them",
    group: "Nodes",
    load: () => lazily("queue"),
  },
  {
    name: "free",
    summary: "show free GPUs by model, with the selector that asks for them",
    group: "Nodes",
    load: () => lazily("free"),
  },
  {
    name: "doctor",
    summary: "examine nodes as a step would use them, with the repair of what is wrong",
    group: "Nodes",
    load: () => lazily("doctor"),
  },
  {
    name: "services",
    summary: "list what runs on and serves, and end it",
    group: "Nodes",
    load: () => lazily("services"),
  },
  {
    name: "forward",
    summary: "open a port here that leads to a service or a port on a node",
    group: "Nodes",
    load: () => lazily("forward"),
  },
  {
    name: "shell",
    summary: "log in on a node, or where a step runs",
    group: "Nodes",
    load: () => lazily("shell"),
  },
  {
    name: "drain",
    summary: "give a node no new work, seen by all accounts",
    group: "Nodes",
    load: () => lazily("drain"),
  },
  {
    name: "undrain",
    summary: "let a drained node take work again",
    group: "Nodes",
    load: () => lazily("undrain"),
  },
  {
    name: "sync",
    summary: "bring a folder to nodes",
    group: "Nodes",
    load: () => lazily("sync"),
  },
  {
    name: "fetch",
    summary: "bring files from nodes, or from where a step ran",
    group: "Nodes",
    load: () => lazily("fetch"),
  },
  {
    name: "data",
    summary: "list the data sets on nodes; pin and remove them",
    group: "Nodes",
    load: () => lazily("data"),
  },
  {
    name: "cluster",
    summary: "start, stop or inspect Ray on the nodes",
    group: "Nodes",
    load: () => lazily("cluster"),
  },
  {
    name: "setup",
    summary: "make the Python environment of every node, with Ray",
    group: "Nodes",
    load: () => lazily("setup"),
  },
  {
    name: "trust",
    summary: "show the host keys of nodes and add them to known_hosts",
    group: "Nodes",
    load: () => lazily("trust"),
  },
  {
    name: "login",
    summary: "log in once to nodes that ask for a password or a code",
    group: "Nodes",
    load: () => lazily("login"),
  },
  {
    name: "ps",
    summary: "list what Grid's jobs left running on the nodes",
    group: "Nodes",
    load: () => lazily("ps"),
  },
  {
    name: "kill",
    summary: "end a job on its node, with everything it started",
    group: "Nodes",
    load: () => lazily("kill"),
  },
  {
    name: "init",
    summary: "make a project: a pipeline that runs, a cluster config",
    group: "Grid",
    load: () => lazily("init"),
  },
  {
    name: "ci",
    summary: "write the file by which GitHub, GitLab, Jenkins, cron, systemd run it",
    group: "Grid",
    load: () => lazily("ci"),
  },
  {
    name: "clean",
    summary: "remove reports and logs of old runs",
    group: "Grid",
    load: () => lazily("clean"),
  },
  {
    name: "completions",
    summary: "print completions for bash, zsh or fish",
    group: "Grid",
    load: () => lazily("completions"),
  },
  {
    name: "man",
    summary: "print the manual page",
    group: "Grid",
    load: () => lazily("man"),
  },
  {
    name: "metrics",
    summary: "print totals over all runs in Prometheus format",
    group: "Grid",
    load: () => lazily("metrics"),
  },
];

/**
 * Deno reads every module that a literal `import()` names before it runs the first line; `--help` has
 * no use for three hundred of them.
 */
function lazily(name: string): Promise<CommandModule> {
  return import(new URL(`./commands/${name}.ts`, import.meta.url).href);
}
