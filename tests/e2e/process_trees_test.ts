/** A time-out and Ctrl-C leave nothing running, whatever a step has started, whoever runs it. */
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { type CliResult, project, startGrid } from "../support/cli.ts";
import { jobLeaders } from "../support/job_leaders.ts";
import { labConfig } from "../support/lab.ts";
import { type OpenSshOptions, startOpenSsh } from "../support/openssh.ts";
import { PROCESS_TREES } from "../support/process_trees.ts";
import { findAccount, type Part, testWith } from "../support/requires.ts";
import { TreeWatch } from "../support/tree_watch.ts";

const GRACE_MS = 1000;
/** To reach the node, to look for survivors, and to come back. */
const SLACK_MS = 2000;
/** Long enough for every tree to stand; on a busy machine only the later. */
const LIMITS_MS = [2000, 15_000, 60_000];
const LOOK_MS = 50;
const LONGEST_MS = 180_000;

interface Place extends AsyncDisposable {
  readonly config: string;
  /** Absolute `remote_root`, or relative to the project. */
  readonly root: string;
  readonly node: string;
}

interface Way {
  readonly name: string;
  readonly parts: readonly Part[];
  open(): Promise<Place>;
}

const WAYS: readonly Way[] = [
  { name: "on this machine", parts: [], open: () => Promise.resolve(here()) },
  { name: "over OpenSSH as this account", parts: ["sshd"], open: () => overSsh() },
  {
    name: "over OpenSSH as an ordinary account",
    parts: ["sshd", "account"],
    open: () => overSsh(findAccount()),
  },
];

for (const { name, parts, open } of WAYS) {
  testWith(parts, `${name}: a time-out ends every tree of processes`, async () => {
    await using place = await open();
    const { result, watch, steps, limitMs, lateMs } = await runToLimit(place);
    assert.equal(result.code, 4, result.stderr);
    for (const { id, state, failure, startedAt } of steps) {
      assert.equal(state, "timed-out", id);
      assert.match(
        failure?.message ?? "",
        /took longer than \d.*s; 0 survivors \(processes\)$/,
        id,
      );
      assertDeadInTime(watch, { id, toldAt: Date.parse(startedAt) + limitMs, lateMs });
    }
    assert.deepEqual(watch.survivors(), []);
  });

  testWith(parts, `${name}: Ctrl-C ends every tree of processes`, async () => {
    await using place = await open();
    const { result, watch, steps, interruptedAt, lateMs } = await runTrees(place, {
      interrupt: true,
    });
    assert.equal(result.code, 130, result.stderr);
    for (const { id, state, reason } of steps) {
      assert.equal(state, "cancelled", id);
      assert.equal(reason, "interrupted by SIGINT; 0 survivors (processes)", id);
      assertDeadInTime(watch, { id, toldAt: interruptedAt, lateMs });
    }
    assert.deepEqual(watch.survivors(), []);
  });
}

function here(): Place {
  const config = "nodes: [{ name: here, transport: local }]\nremote_root: workspace\n";
  return {
    config,
    root: "workspace",
    node: "here",
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function overSsh(account?: OpenSshOptions["account"]): Promise<Place> {
  const lab = await startOpenSsh({ nodes: 1, gpus: 0, ...(account && { account }) });
  return {
    config: labConfig({ lab, rayMode: "embedded" }),
    root: lab.nodes[0]?.root ?? "",
    node: "node1",
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  };
}

interface TreeRun {
  readonly result: CliResult;
  readonly watch: TreeWatch;
  readonly steps: readonly StepReport[];
  /** When SIGINT was sent, in milliseconds since the Unix epoch. */
  readonly interruptedAt: number;
  /** How much longer a look took than it should: the machine is so busy that others are late as well. */
  readonly lateMs: number;
}

interface StepReport {
  readonly id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly startedAt: string;
  readonly failure: { readonly message: string } | null;
}

/** With a limit that lets every tree stand before it is ended. */
async function runToLimit(place: Place): Promise<TreeRun & { readonly limitMs: number }> {
  for (const limitMs of LIMITS_MS) {
    try {
      return { ...await runTrees(place, { limit: `attempt: ${limitMs}ms` }), limitMs };
    } catch (error) {
      if (limitMs === LIMITS_MS.at(-1)) throw error;
    }
  }
  throw new Error("there is no limit");
}

/** Runs one step per tree, all at once, and looks at /proc until the program has ended. */
async function runTrees(
  { config, root, node }: Place,
  { limit, interrupt = false }: { readonly limit?: string; readonly interrupt?: boolean },
): Promise<TreeRun> {
  const variable = `TREE_${crypto.randomUUID().slice(0, 8)}`;
  using home = project({
    "cluster.yaml": config,
    "p.yaml": pipeline({ node, limit, variable }),
  });
  const watch = new TreeWatch({
    variable,
    values: PROCESS_TREES.map(idOf),
    leadersOf: (step) =>
      jobLeaders(resolve(home.path, root)).filter(({ job }) => job.includes(`-${step}-1-`))
        .map(({ pid }) => pid),
  });
  const missing = () =>
    PROCESS_TREES.filter((tree) => watch.tree(idOf(tree)).pids.size < tree.processes);
  let [interruptedAt, lateMs] = [0, 0];
  await using run = startGrid(["run", "p.yaml", "--json", "--config", "cluster.yaml"], {
    cwd: home.path,
  });
  const deadline = Date.now() + LONGEST_MS;
  while (!run.isOver()) {
    const before = Date.now();
    watch.look();
    if (Date.now() > deadline) run.signal("SIGKILL");
    if (interrupt && interruptedAt === 0 && missing().length === 0) {
      interruptedAt = Date.now();
      run.signal("SIGINT");
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    lateMs = Math.max(lateMs, Date.now() - before - LOOK_MS);
  }
  const result = await run.ended;
  assert.deepEqual(missing(), [], `these trees did not stand:\n${result.stderr}`);
  return { result, watch, steps: JSON.parse(result.stdout).steps, interruptedAt, lateMs };
}

interface PipelineOptions {
  readonly node: string;
  readonly limit: string | undefined;
  /** Marks what a step starts: its value is the step's name. */
  readonly variable: string;
}

function pipeline({ node, limit, variable }: PipelineOptions): string {
  const limits = [...(limit === undefined ? [] : [limit]), `kill-grace: ${GRACE_MS}ms`].join(", ");
  const steps = PROCESS_TREES.map((tree) =>
    `  - id: ${idOf(tree)}
    node: ${node}
    timeout: { ${limits} }
    env: { ${variable}: ${idOf(tree)} }
    run: ${JSON.stringify(tree.command)}
`
  );
  return `name: trees\nsteps:\n${steps.join("")}`;
}

const idOf = ({ name }: { readonly name: string }) => name.replaceAll(" ", "-");

interface Told {
  readonly id: string;
  /** When the step was told to stop, in milliseconds since the Unix epoch. */
  readonly toldAt: number;
  readonly lateMs: number;
}

/** Each of the dozen programs between the two is as late as the one that looks. */
function assertDeadInTime(watch: TreeWatch, { id, toldAt, lateMs }: Told): void {
  const tookMs = watch.tree(id).lastSeenAt - toldAt;
  assert.ok(
    tookMs < GRACE_MS + SLACK_MS + 12 * lateMs,
    `${id} was alive ${tookMs} ms after it was told to stop`,
  );
}
