/** `grid cluster start`: the head first, then all workers at once, every one verified. */
import { GridError, toGridError } from "../core/errors.ts";
import { getLogger } from "../core/log.ts";
import { quote } from "../core/shell.ts";
import type { OpenNode } from "../cluster/node.ts";
import { lockCluster } from "./cluster_lock.ts";
import type { RayNodeStatus, RayOptions } from "./lifecycle.ts";
import { type HeadAddress, probeMembers } from "./members.ts";
import {
  preflight,
  reachesHead,
  startNode,
  type StartSecrets,
  stopNode,
} from "./node_lifecycle.ts";
import { failedStatus, memberStatus } from "./node_verdict.ts";
import { gpusFor } from "./ray_gpus.ts";
import { type RaySession, readSession, tokenPath } from "./session.ts";
import { type NodePreflight, versionHint, versionProblem } from "./start_command.ts";

/** @throws {GridError} `ray` where there can be no head, `missing-tool`, or a transport code */
export async function startCluster(options: RayOptions): Promise<readonly RayNodeStatus[]> {
  const { nodes, config, signal } = options;
  const head = headOf(options);
  await using _lock = await lockCluster(head, signal);
  if (!config.headBindAll) {
    // Ray 2.58 has no option for it: its GCS and raylets listen on every interface.
    getLogger("ray").warn(
      "ray.head_bind_all: false cannot be kept, Ray listens on all interfaces; " +
        "the token keeps strangers out, a firewall keeps them away",
    );
  }
  const sessions = await readSessions(options);
  const workers = nodes.filter((node) => node !== head);
  const peer = workers[0]?.node.endpoint.host;
  // Importing Ray takes long: all nodes do it at once, while the head starts.
  const looks = new Map(
    workers.map((worker) => [worker, lookAt(worker, { head, sessions, signal })]),
  );
  const headFacts = await preflight(head, { own: head.node.endpoint.host, peer }, signal);
  const cluster = await startHead(head, { ...options, facts: headFacts, sessions });
  const failures = new Map<string, GridError>();
  await Promise.all(workers.map(async (worker) => {
    try {
      const look = await looks.get(worker);
      await startWorker(worker, { ...options, head, headFacts, cluster, sessions, look });
    } catch (error) {
      signal.throwIfAborted();
      failures.set(worker.node.name, toGridError(error));
    }
  }));
  const members = await probeMembers(head, cluster, { signal });
  return nodes.map((node) => {
    const role = node === head ? "head" : "worker";
    const failure = failures.get(node.node.name);
    return failure ? failedStatus(node, role, failure) : memberStatus(node, role, members);
  });
}

/** The node that carries the head. @throws {GridError} `ray` if it was not reached */
function headOf({ reached, headName }: RayOptions): OpenNode {
  const head = reached.find(({ node }) => node.name === headName);
  if (head) return head;
  throw new GridError({
    code: "ray",
    message: `Cannot use Ray: its head ${headName} was not reached`,
    hint: "grid health shows why; ray.head in the cluster configuration names another node",
  });
}

/** A node whose record could not be read is not started: what runs there would be lost. */
type Sessions = ReadonlyMap<OpenNode, RaySession | GridError | undefined>;

async function readSessions({ reached, signal }: RayOptions): Promise<Sessions> {
  const pairs = await Promise.all(reached.map(async (node) => {
    try {
      return [node, await readSession(node, signal)] as const;
    } catch (error) {
      signal.throwIfAborted();
      return [node, toGridError(error)] as const;
    }
  }));
  return new Map<OpenNode, RaySession | GridError | undefined>(pairs);
}

/** What a worker tells before it is started; nothing where its part of Ray runs already. */
async function lookAt(
  worker: OpenNode,
  { head, sessions, signal }: {
    readonly head: OpenNode;
    readonly sessions: Sessions;
    readonly signal: AbortSignal;
  },
): Promise<NodePreflight | GridError | undefined> {
  const [session, headSession] = [sessions.get(worker), sessions.get(head)];
  if (session instanceof GridError) return session;
  // A dead head comes back with another cluster, which the worker knows nothing of.
  const hasHead = headSession !== undefined && !(headSession instanceof GridError) &&
    headSession.lives && session?.cluster === headSession.cluster;
  if (session?.lives && hasHead) return undefined;
  try {
    const peers = { own: worker.node.endpoint.host, peer: head.node.endpoint.host };
    return await preflight(worker, peers, signal);
  } catch (error) {
    return toGridError(error);
  }
}

interface RunningCluster extends StartSecrets, HeadAddress {}

interface HeadOptions extends RayOptions {
  readonly facts: NodePreflight;
  readonly sessions: Sessions;
}

/** Takes over a head that already runs, so that a repeated start only adds what is missing. */
async function startHead(head: OpenNode, options: HeadOptions): Promise<RunningCluster> {
  const { config, signal, facts, sessions } = options;
  const session = sessions.get(head);
  if (session instanceof GridError) throw session;
  if (session?.role === "head" && session.lives) {
    const { stdout } = await head.transport.exec(`cat ${quote(tokenPath(head))}`, { signal });
    return { ...session, token: stdout.trim() };
  }
  refuseSecondHead(head, options);
  if (session) await stopNode(head, signal, { isBroken: true });
  const problem = versionProblem(facts, facts);
  if (problem) throw cannotStart(head, problem, versionHint(facts, facts));
  const ip = ownAddress(head, facts);
  const address = `${ip}:${config.gcsPort}`;
  const secrets = { cluster: randomHex(4), token: randomHex(32) };
  const { count: gpus, variables } = await gpusFor(head, { ...options, ...secrets });
  const plan = { node: head.node.name, role: "head", ip, address, config } as const;
  await startNode(head, { ...plan, preflight: facts, gpus }, { ...secrets, variables, signal });
  return { ...secrets, address, ip };
}

/** Whoever asks for a worker, or has named another head, gets no second cluster. */
function refuseSecondHead(head: OpenNode, { nodes, sessions }: HeadOptions): void {
  const names = nodes.map(({ node }) => node.name);
  const other = [...sessions].find(([node, session]) =>
    node !== head && !(session instanceof GridError) && session?.role === "head" && session.lives
  )?.[0].node.name;
  if (other !== undefined) {
    throw cannotStart(
      head,
      `${other} carries the head of a cluster that runs`,
      `ray.head: ${other} keeps it; grid cluster stop ends it, with its batches`,
    );
  }
  if (!nodes.includes(head)) {
    const command = `grid cluster start --nodes ${[head.node.name, ...names].join(",")}`;
    throw new GridError({
      code: "ray",
      message: `Cannot start Ray on ${names.join(", ")}: the head ${head.node.name} is not running`,
      hint: `${command} starts it, too; ray.head names another one`,
    });
  }
}

async function startWorker(
  worker: OpenNode,
  { config, health, signal, headFacts, cluster, sessions, look }: RayOptions & {
    readonly head: OpenNode;
    readonly headFacts: NodePreflight;
    readonly cluster: RunningCluster;
    readonly sessions: Sessions;
    readonly look: NodePreflight | GridError | undefined;
  },
): Promise<void> {
  if (look instanceof GridError) throw look;
  if (look === undefined) return;
  const problem = versionProblem(look, headFacts);
  if (problem) throw cannotStart(worker, problem, versionHint(look, headFacts));
  const session = sessions.get(worker);
  if (session && !(session instanceof GridError)) {
    await refuseOtherCluster(worker, { session, cluster, signal });
    await stopNode(worker, signal, { isBroken: true });
  }
  const { count: gpus, variables } = await gpusFor(worker, { ...cluster, config, health });
  await startNode(worker, {
    node: worker.node.name,
    role: "worker",
    ip: ownAddress(worker, look),
    address: cluster.address,
    preflight: look,
    gpus,
    config,
  }, { cluster: cluster.cluster, token: cluster.token, variables, signal });
}

/** A node that works for another head, which lives, is left to it. */
async function refuseOtherCluster(
  worker: OpenNode,
  { session, cluster, signal }: {
    readonly session: RaySession;
    readonly cluster: RunningCluster;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  if (!session.lives || session.address === cluster.address) return;
  if (!await reachesHead(worker, session.address, signal)) return;
  throw cannotStart(
    worker,
    `it works for the head at ${session.address}`,
    "grid cluster stop --nodes " + worker.node.name + " frees it",
  );
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
