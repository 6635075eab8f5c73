/** What is said of one node of Grid's own Ray, from its record and from Ray's book. */
import type { GridError } from "../core/errors.ts";
import type { OpenNode } from "../cluster/node.ts";
import type { RayNodeStatus } from "./lifecycle.ts";
import type { RayMember } from "./members.ts";
import type { RaySession } from "./session.ts";
import { labelOf } from "./start_command.ts";

/** `run_failing_command` in `ray_probe.py`. */
const PROBE_EXIT_CODE = 3;
const MEND = "grid cluster start mends what is broken, and leaves the rest alone";

export type Role = RayNodeStatus["role"];

export function memberStatus(
  node: OpenNode,
  role: Role,
  members: readonly RayMember[],
): RayNodeStatus {
  const label = labelOf(node.node.name);
  const own = members.filter((member) => member.name === label);
  // One that was replaced a moment ago may still pass for alive.
  const living = own.filter((member) => member.alive);
  const member = living.find(({ answered }) => answered) ?? living.at(-1) ?? own[0];
  const base = bareStatus(node, role, "dead");
  if (!member?.alive) {
    const reason = member ? "Ray has given it up as dead" : "Ray does not know it";
    return { ...base, reason, hint: MEND };
  }
  const facts = {
    address: member.address,
    cpus: member.cpus,
    gpus: member.gpus,
    cpusUsed: member.cpusUsed ?? undefined,
    gpusUsed: member.gpusUsed ?? undefined,
  };
  if (member.answered === false) {
    const reason = `it joined from ${member.address} but takes no task`;
    const hint = "Open all ports between the nodes, in both directions";
    return { ...base, ...facts, state: "failed", reason, hint };
  }
  if (member.exitCode !== null && member.exitCode !== PROBE_EXIT_CODE) {
    const reason = `a command that ends with exit code ${PROBE_EXIT_CODE} is said there to end ` +
      `with ${member.exitCode}, so failures would pass for successes`;
    const hint =
      "Ray's own settings make workers ignore SIGCHLD: RAY_* in the environment of `ray start`";
    return { ...base, ...facts, state: "failed", reason, hint };
  }
  return { ...base, ...facts, state: "alive" };
}

/** What its record tells without asking Ray; undefined where Ray has to be asked. */
export function recordStatus(
  node: OpenNode,
  role: Role,
  { session, head }: {
    readonly session: RaySession | undefined;
    readonly head: RaySession | undefined;
  },
): RayNodeStatus | undefined {
  if (!session) return bareStatus(node, role, "stopped");
  const dead = (reason: string) => ({ ...bareStatus(node, role, "dead"), reason, hint: MEND });
  if (!session.lives) {
    if (session.processes === 0) return dead("Ray's processes are gone");
    return dead(role === "head" ? "its raylet or GCS is gone" : "its raylet is gone");
  }
  if (!head?.lives) return dead(head ? "its head is dead" : "its head is not running");
  if (session.cluster !== head.cluster) {
    return dead(`its head was another one, at ${session.address}`);
  }
  return undefined;
}

/** Ray's book could not be read. */
export function silentStatus(node: OpenNode, role: Role, error: GridError): RayNodeStatus {
  const reason = role === "head" ? error.message : "its head does not answer";
  return { ...bareStatus(node, role, "dead"), reason, hint: error.hint };
}

export function failedStatus(node: OpenNode, role: Role, error: GridError): RayNodeStatus {
  const base = bareStatus(node, role, "failed");
  return { ...base, reason: error.message, hint: error.hint };
}

export function bareStatus(
  node: OpenNode,
  role: Role,
  state: RayNodeStatus["state"],
): RayNodeStatus {
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
