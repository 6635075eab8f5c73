/** Starting and stopping Ray on one node. */
import { GridError } from "../core/errors.ts";
import { getLogger } from "../core/log.ts";
import type { OpenNode } from "../cluster/node.ts";
import { pythonCommand, rayNodeScript, runScript } from "./node_script.ts";
import { rayClientEnv } from "./session.ts";
import { type NodePreflight, startArguments, type StartPlan } from "./start_command.ts";

/** Importing Ray takes half a second, on a busy machine several. */
const PREFLIGHT_TIMEOUT_MS = 60_000;
/** A head with a dashboard was seen to need 11 s on a loaded machine. */
const START_TIMEOUT_MS = 120_000;
/** The script waits 13 s at most; each of its looks at /proc takes long on a busy machine. */
const STOP_TIMEOUT_MS = 120_000;

export interface Peers {
  /** How the node itself is reached, where that is configured. */
  readonly own: string | undefined;
  /** How the other side is reached: the head for a worker, a worker for the head. */
  readonly peer: string | undefined;
}

/** @throws {GridError} `missing-tool` where `grid_env` holds no Ray */
export async function preflight(
  node: OpenNode,
  peers: Peers,
  signal: AbortSignal,
): Promise<NodePreflight> {
  const args = [peers.own ?? "", peers.peer ?? ""];
  const script = pythonCommand(node, { file: "ray_preflight.py", args });
  const answer = await runScript(node, script, {
    purpose: "look for Ray",
    timeoutMs: PREFLIGHT_TIMEOUT_MS,
    signal,
  });
  const facts = markedLine(answer.stdout);
  if (facts !== undefined) return JSON.parse(facts);
  throw new GridError({
    code: "missing-tool",
    message: `Cannot start Ray on ${node.node.name}: no working Ray in ${node.root}/grid_env ` +
      `(${lastLine(answer.stderr)})`,
    hint: "grid setup",
    node: node.node.name,
  });
}

export interface StartSecrets {
  readonly cluster: string;
  readonly token: string;
}

/** Ray gives its own processes 30 s and no second try; they need one on a busy machine. */
const STARTED_TOO_SLOWLY = /timed out during startup|failed to start\. Timeout after/;

/** @throws {GridError} `ray` with the last words of `ray start`, which leaves nothing behind */
export async function startNode(
  node: OpenNode,
  plan: StartPlan,
  options: StartSecrets & { readonly signal: AbortSignal },
): Promise<void> {
  const script = startScript(node, plan, options);
  const start = async () => {
    try {
      const answer = await runScript(node, script, {
        purpose: "start Ray",
        timeoutMs: START_TIMEOUT_MS,
        signal: options.signal,
      });
      if (answer.code !== 0) throw startError(node, plan, answer.stderr);
    } catch (error) {
      await stopNode(node, AbortSignal.timeout(STOP_TIMEOUT_MS));
      throw error;
    }
  };
  try {
    await start();
  } catch (error) {
    if (!(error instanceof GridError && STARTED_TOO_SLOWLY.test(error.message))) throw error;
    getLogger("ray").warn("{node}: {problem}; trying once more", {
      node: node.node.name,
      problem: error.message,
    });
    await start();
  }
}

function startScript(node: OpenNode, plan: StartPlan, secrets: StartSecrets): string {
  const { config, preflight } = plan;
  const hasDashboard = plan.role === "head" && preflight.dashboard;
  return rayNodeScript(node, ["ray_start", ...startArguments(plan)], {
    CLUSTER: secrets.cluster,
    ROLE: plan.role,
    ADDRESS: plan.address,
    IP: plan.ip,
    DASHBOARD: hasDashboard ? `${config.dashboardHost}:${config.dashboardPort}` : "",
    TOKEN: secrets.token,
    BIN: `${node.root}/grid_env/bin`,
    LOG_LEVEL: config.logLevel,
  });
}

/** Ends what `startNode` started, and removes its folders. @throws {GridError} `ray` naming survivors */
export async function stopNode(node: OpenNode, signal: AbortSignal): Promise<void> {
  const answer = await runScript(node, rayNodeScript(node, ["ray_stop"]), {
    purpose: "stop Ray",
    timeoutMs: STOP_TIMEOUT_MS,
    signal,
  });
  if (answer.code === 0) return;
  const words = `${answer.stdout}${answer.stderr}`.trim();
  throw new GridError({
    code: "ray",
    message: `Cannot stop Ray on ${node.node.name}: ${words}`,
    hint: "End these processes by hand as their owner, then run grid cluster stop again",
    node: node.node.name,
  });
}

/** What Ray's own book says about one of its nodes. */
export interface RayMember {
  /** The label `grid-host`. */
  readonly name: string | null;
  readonly alive: boolean;
  /** Whether it took a small task; null where none was sent. */
  readonly answered: boolean | null;
  /** What the task's own `exit 3` came back as; null where it has not answered. */
  readonly exitCode: number | null;
  readonly address: string;
  readonly cpus: number;
  readonly gpus: number;
}

export interface MembersOptions {
  readonly address: string;
  readonly ip: string;
  /** Send every node a task and wait this long; 0 only reads the list. */
  readonly probeSeconds: number;
  readonly signal: AbortSignal;
}

/** Asks the head who is in the cluster. @throws {GridError} `ray`, or `timed-out` */
export async function listMembers(
  head: OpenNode,
  options: MembersOptions,
): Promise<readonly RayMember[]> {
  const args = [options.address, options.ip, String(options.probeSeconds)];
  const script = pythonCommand(head, { file: "ray_probe.py", args }, rayClientEnv(head));
  const answer = await runScript(head, script, {
    purpose: "ask Ray for its nodes",
    timeoutMs: PREFLIGHT_TIMEOUT_MS + options.probeSeconds * 1000,
    signal: options.signal,
  });
  const members = markedLine(answer.stdout);
  if (members !== undefined) return JSON.parse(members);
  throw new GridError({
    code: "ray",
    message: `Cannot ask Ray for its nodes: ${lastLine(answer.stderr)}`,
    hint: "grid cluster start mends what is broken",
    node: head.node.name,
  });
}

function startError(node: OpenNode, plan: StartPlan, stderr: string): GridError {
  return new GridError({
    code: "ray",
    message: `Cannot start Ray on ${node.node.name}: ${lastLine(stderr)}`,
    hint: plan.role === "head"
      ? headHint(lastLine(stderr), plan)
      : `Can ${node.node.name} reach ${plan.address}? Open the network between the nodes`,
    node: node.node.name,
    cause: stderr,
  });
}

/** Names the setting of the port that is taken; other failures have no cure that is known here. */
function headHint(words: string, { config }: StartPlan): string | undefined {
  const port = /uses port (\d+)/.exec(words)?.[1];
  if (port === String(config.gcsPort)) {
    return `Port ${port} must be free there; ray.redis_port sets another one`;
  }
  if (port === String(config.dashboardPort)) {
    return `Port ${port} must be free there; ray.dashboard_port sets another one`;
  }
  return undefined;
}

/** What a Python program of ours says stands behind this mark; Ray prints around it. */
function markedLine(text: string): string | undefined {
  return text.split("\n").find((line) => line.startsWith("grid:"))?.slice("grid:".length);
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.trim() || "it said nothing";
}
