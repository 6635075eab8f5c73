/** A Ray cluster of Grid's own: the head first, then all workers at once, every one verified. */
import { GridError, toGridError } from "../core/errors.ts";
import { getLogger } from "../core/log.ts";
import type { RayConfig } from "../cluster/config.ts";
import type { OpenNode } from "../cluster/node.ts";
import type { RayCluster, RayNodeStatus, RayOptions } from "./lifecycle.ts";
import { lockCluster } from "./cluster_lock.ts";
import {
  listMembers,
  preflight,
  type RayMember,
  startNode,
  type StartSecrets,
  stopNode,
} from "./node_lifecycle.ts";
import { type RaySession, readSession, tokenPath } from "./session.ts";
import { labelOf, type NodePreflight, versionHint, versionProblem } from "./start_command.ts";
import { quote } from "../core/shell.ts";

/** A worker process starts in about a second; a busy machine takes its time. */
const PROBE_SECONDS = 30;
/** `run_failing_command` in `ray_probe.py`. */
const PROBE_EXIT_CODE = 3;
const MEND = "grid cluster start mends what is broken, and leaves the rest alone";

export function createRayCluster(): RayCluster {
  return { start, stop, status };
}

/** The node that carries the head. @throws {GridError} `ray` if it was not reached */
export function headOf(nodes: readonly OpenNode[], config: RayConfig): OpenNode {
  const head = config.head === undefined
    ? nodes[0]
    : nodes.find((node) => node.node.name === config.head);
  if (head) return head;
  throw new GridError({
    code: "ray",
    message: config.head === undefined
      ? "Cannot use Ray: no node was reached"
      : `Cannot use Ray: its head ${config.head} was not reached`,
    hint: "grid health shows why; ray.head in the cluster configuration names another node",
  });
}

async function start(options: RayOptions): Promise<readonly RayNodeStatus[]> {
  const { nodes, config, signal } = options;
  const head = headOf(nodes, config);
  await using _lock = await lockCluster(head, signal);
  if (!config.headBindAll) {
    // Ray 2.58 has no option for it: its GCS and raylets listen on every interface.
    getLogger("ray").warn(
      "ray.head_bind_all: false cannot be kept, Ray listens on all interfaces; " +
        "the token keeps strangers out, a firewall keeps them away",
    );
  }
  const workers = nodes.filter((node) => node !== head);
  const peer = workers[0]?.node.endpoint.host;
  const headFacts = await preflight(head, { own: head.node.endpoint.host, peer }, signal);
  const cluster = await startHead(head, { ...options, facts: headFacts });
  const failures = new Map<string, GridError>();
  await Promise.all(workers.map(async (worker) => {
    try {
      await startWorker(worker, { ...options, head, headFacts, cluster });
    } catch (error) {
      signal.throwIfAborted();
      failures.set(worker.node.name, toGridError(error));
    }
  }));
  const members = await listMembers(head, {
    address: cluster.address,
    ip: cluster.ip,
    probeSeconds: PROBE_SECONDS,
    signal,
  });
  return nodes.map((node) => {
    const role = node === head ? "head" : "worker";
    const failure = failures.get(node.node.name);
    return failure ? failedStatus(node, role, failure) : memberStatus(node, role, members);
  });
}

interface RunningCluster extends StartSecrets {
  readonly address: string;
  readonly ip: string;
}

/** Takes over a head that already runs, so that a repeated start only adds what is missing. */
async function startHead(
  head: OpenNode,
  { config, signal, facts }: RayOptions & { readonly facts: NodePreflight },
): Promise<RunningCluster> {
  const session = await readSession(head, signal);
  if (session?.role === "head" && session.lives) {
    const { stdout } = await head.transport.exec(`cat ${quote(tokenPath(head))}`, { signal });
    return { ...session, token: stdout.trim() };
  }
  if (session) await stopNode(head, signal);
  const problem = versionProblem(facts, facts);
  if (problem) throw cannotStart(head, problem, versionHint(facts, facts));
  const ip = ownAddress(head, facts);
  const address = `${ip}:${config.gcsPort}`;
  const secrets = { cluster: randomHex(4), token: randomHex(32) };
  const plan = { node: head.node.name, role: "head", ip, address, config } as const;
  await startNode(head, { ...plan, preflight: facts, gpus: head.node.gpus }, {
    ...secrets,
    signal,
  });
  return { ...secrets, address, ip };
}

async function startWorker(
  worker: OpenNode,
  { config, signal, head, headFacts, cluster }: RayOptions & {
    readonly head: OpenNode;
    readonly headFacts: NodePreflight;
    readonly cluster: RunningCluster;
  },
): Promise<void> {
  const session = await readSession(worker, signal);
  if (session?.cluster === cluster.cluster && session.lives) return;
  if (session) await stopNode(worker, signal);
  const peers = { own: worker.node.endpoint.host, peer: head.node.endpoint.host ?? cluster.ip };
  const facts = await preflight(worker, peers, signal);
  const problem = versionProblem(facts, headFacts);
  if (problem) throw cannotStart(worker, problem, versionHint(facts, headFacts));
  await startNode(worker, {
    node: worker.node.name,
    role: "worker",
    ip: ownAddress(worker, facts),
    address: cluster.address,
    preflight: facts,
    gpus: worker.node.gpus,
    config,
  }, { cluster: cluster.cluster, token: cluster.token, signal });
}

async function stop({ nodes, config, signal }: RayOptions): Promise<readonly RayNodeStatus[]> {
  const [head] = nodes.filter(({ node }) => config.head === undefined || node.name === config.head);
  await using _lock = head && await lockCluster(head, signal);
  const found = await Promise.all(nodes.map((node) => sessionOf(node, signal)));
  const stopAll = (role: "head" | "worker") =>
    Promise.all(found.map(async ({ node, session, failure }) => {
      if (failure || session?.role !== role) return undefined;
      try {
        await stopNode(node, signal);
      } catch (error) {
        return toGridError(error);
      }
    }));
  const workers = await stopAll("worker");
  const heads = await stopAll("head");
  return found.map(({ node, session, failure }, index) => {
    const role = session?.role ?? "worker";
    const problem = failure ?? workers[index] ?? heads[index];
    return problem ? failedStatus(node, role, problem) : bareStatus(node, role, "stopped");
  });
}

async function status({ nodes, config, signal }: RayOptions): Promise<readonly RayNodeStatus[]> {
  const head = headOf(nodes, config);
  const found = await Promise.all(nodes.map((node) => sessionOf(node, signal)));
  const headSession = found.find(({ node }) => node === head)?.session;
  const members = headSession?.lives
    ? await listMembers(head, { ...headSession, probeSeconds: 0, signal })
    : [];
  return found.map(({ node, session, failure }) => {
    const role = node === head ? "head" : "worker";
    if (failure) return failedStatus(node, role, failure);
    if (!session) return bareStatus(node, role, "stopped");
    if (!session.lives) {
      const reason = session.processes === 0
        ? "Ray's processes are gone"
        : role === "head"
        ? "its raylet or GCS is gone"
        : "its raylet is gone";
      return { ...bareStatus(node, role, "dead"), reason, hint: MEND };
    }
    if (!headSession?.lives) {
      const reason = headSession ? "its head is dead" : "its head is not running";
      return { ...bareStatus(node, role, "dead"), reason, hint: MEND };
    }
    return memberStatus(node, role, members);
  });
}

interface FoundSession {
  readonly node: OpenNode;
  readonly session?: RaySession | undefined;
  readonly failure?: GridError;
}

async function sessionOf(node: OpenNode, signal: AbortSignal): Promise<FoundSession> {
  try {
    return { node, session: await readSession(node, signal) };
  } catch (error) {
    signal.throwIfAborted();
    return { node, failure: toGridError(error) };
  }
}

type Role = RayNodeStatus["role"];

function memberStatus(node: OpenNode, role: Role, members: readonly RayMember[]): RayNodeStatus {
  const label = labelOf(node.node.name);
  const own = members.filter((member) => member.name === label);
  const member = own.find((member) => member.alive) ?? own[0];
  const base = bareStatus(node, role, "dead");
  if (!member?.alive) {
    const reason = member ? "Ray has given it up as dead" : "Ray does not know it";
    return { ...base, reason, hint: MEND };
  }
  const { address, cpus, gpus } = member;
  if (member.answered === false) {
    const reason = `it joined from ${address} but takes no task`;
    const hint = "Open all ports between the nodes, in both directions";
    return { ...base, state: "failed", address, cpus, gpus, reason, hint };
  }
  if (member.exitCode !== null && member.exitCode !== PROBE_EXIT_CODE) {
    const reason = `a command that ends with exit code ${PROBE_EXIT_CODE} is said there to end ` +
      `with ${member.exitCode}, so failures would pass for successes`;
    const hint =
      "Ray's own settings make workers ignore SIGCHLD: RAY_* in the environment of `ray start`";
    return { ...base, state: "failed", address, cpus, gpus, reason, hint };
  }
  return { ...base, state: "alive", address, cpus, gpus };
}

function failedStatus(node: OpenNode, role: Role, error: GridError): RayNodeStatus {
  const base = bareStatus(node, role, "failed");
  return { ...base, reason: error.message, hint: error.hint };
}

function bareStatus(node: OpenNode, role: Role, state: RayNodeStatus["state"]): RayNodeStatus {
  return {
    node: node.node.name,
    role,
    state,
    address: undefined,
    cpus: undefined,
    gpus: undefined,
    reason: undefined,
    hint: undefined,
  };
}

function ownAddress(node: OpenNode, facts: NodePreflight): string {
  if (facts.ip !== null) return facts.ip;
  throw cannotStart(node, "it has no address that others could reach");
}

function cannotStart(node: OpenNode, problem: string, hint?: string): GridError {
  return new GridError({
    code: "ray",
    message: `Cannot start Ray on ${node.node.name}: ${problem}`,
    hint,
    node: node.node.name,
  });
}

function randomHex(bytes: number): string {
  const values = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(values, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
