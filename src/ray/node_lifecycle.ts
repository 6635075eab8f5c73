/** Starting and stopping Ray on one node. */
import { GridError } from "../core/errors.ts";
import { getLogger } from "../core/log.ts";
import type { OpenNode } from "../cluster/node.ts";
import {
  lastLine,
  markedLine,
  pythonCommand,
  rayNodeScript,
  runScript,
  tellingLine,
} from "./node_script.ts";
import type { ExecResult } from "../transport/transport.ts";
import { takenGpus } from "./ray_gpus.ts";
import { type NodePreflight, startArguments, type StartPlan } from "./start_command.ts";

/** Importing Ray takes half a second, on a busy machine several. */
const PREFLIGHT_TIMEOUT_MS = 60_000;
/** A head with a dashboard needs 6 s; on a machine with twenty times more work than cores, four minutes. */
const START_TIMEOUT_MS = 300_000;
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

/**
 * How `ray_start` ends where Ray gave up on processes that were only slow: it gives them 30 s and no second
 * try, and they need one on a busy machine.
 */
const STARTED_TOO_SLOWLY = 9;
/** How it ends where somebody else claimed its GPUs first. */
const GPUS_TAKEN = 7;

/** @throws {GridError} `ray` with the last words of `ray start`, which leaves nothing behind */
export async function startNode(
  node: OpenNode,
  plan: StartPlan,
  options: StartSecrets & {
    readonly signal: AbortSignal;
    readonly variables: Readonly<Record<string, string>>;
  },
): Promise<void> {
  const script = startScript(node, plan, options);
  for (let isFirst = true;; isFirst = false) {
    const answer = await tryStart(node, script, options.signal);
    if (answer.code === 0) return;
    if (answer.code === GPUS_TAKEN) throw takenGpus(node.node.name);
    const error = startError(node, plan, answer.stderr);
    if (answer.code !== STARTED_TOO_SLOWLY || !isFirst) throw error;
    getLogger("ray").warn("{node}: {problem}; trying once more", {
      node: node.node.name,
      problem: error.message,
    });
  }
}

async function tryStart(node: OpenNode, script: string, signal: AbortSignal): Promise<ExecResult> {
  let isStarted = false;
  try {
    const answer = await runScript(node, script, {
      purpose: "start Ray",
      timeoutMs: START_TIMEOUT_MS,
      signal,
    });
    isStarted = answer.code === 0;
    return answer;
  } finally {
    if (!isStarted) await stopNode(node, AbortSignal.timeout(STOP_TIMEOUT_MS));
  }
}

function startScript(
  node: OpenNode,
  plan: StartPlan,
  secrets: StartSecrets & { readonly variables: Readonly<Record<string, string>> },
): string {
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
    TEMP_DIR: config.tempDir ?? "",
    SPILL_DIR: config.spillDir ?? "",
    CLAIM_WISH: "",
    HIDE_GPUS: "",
    ...secrets.variables,
    METRIC_PORTS: plan.role === "head" ? preflight.ports.slice(5, 7).join(" ") : "",
  });
}

/** Whether somebody listens there, as the node sees it. */
export async function reachesHead(
  node: OpenNode,
  address: string,
  signal: AbortSignal,
): Promise<boolean> {
  const variables = { ADDRESS: address, BIN: `${node.root}/grid_env/bin` };
  const { code } = await runScript(node, rayNodeScript(node, ["reach_head"], variables), {
    purpose: "look for the head",
    timeoutMs: PREFLIGHT_TIMEOUT_MS,
    signal,
  });
  return code === 0;
}

/** What is left of a Ray that has died does nothing more that could be lost. */
const REMAINS_TENTHS = 10;

/**
 * Ends what `startNode` started, and removes its folders.
 *
 * @throws {GridError} `ray` naming survivors
 */
export async function stopNode(
  node: OpenNode,
  signal: AbortSignal,
  { isBroken = false }: { readonly isBroken?: boolean } = {},
): Promise<void> {
  const call = ["ray_stop", ...(isBroken ? [String(REMAINS_TENTHS)] : [])];
  const answer = await runScript(node, rayNodeScript(node, call), {
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

function startError(node: OpenNode, plan: StartPlan, stderr: string): GridError {
  const words = tellingLine(stderr);
  return new GridError({
    code: "ray",
    message: `Cannot start Ray on ${node.node.name}: ${words}`,
    hint: startHint(words, { node, plan }),
    node: node.node.name,
    cause: stderr,
  });
}

/** Names the setting that is to be changed; other failures have no cure that is known here. */
function startHint(
  words: string,
  { node, plan: { config, address } }: { readonly node: OpenNode; readonly plan: StartPlan },
): string | undefined {
  if (words.includes("cannot reach the head")) {
    return `Can ${node.node.name} reach ${address}? Open the network between the nodes`;
  }
  const setting = /^(ray\.\w+):/.exec(words)?.[1];
  if (setting !== undefined) return `${setting} must name a folder that the account may write to`;
  const port = /uses port (\d+)/.exec(words)?.[1];
  if (port === String(config.gcsPort)) {
    return `Port ${port} must be free there; ray.redis_port sets another one`;
  }
  if (port === String(config.dashboardPort)) {
    return `Port ${port} must be free there; ray.dashboard_port sets another one`;
  }
  return `grid cluster logs --nodes ${node.node.name} shows more`;
}
