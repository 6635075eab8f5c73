/** Why a port on a node cannot be reached. */
import { GridError } from "../core/errors.ts";
import type { DialTarget } from "./transport.ts";

export interface DialPlace extends DialTarget {
  readonly node: string;
}

/** All that `ssh` says where nobody listens, and where the server forbids forwarding: a program there knows. */
export class RefusedByPeer extends Error {
  override readonly name = "RefusedByPeer";
}

export function nobodyListens(
  { node, host, port }: DialPlace,
  { state, cause }: { readonly state: string; readonly cause?: unknown },
): GridError {
  return new GridError({
    code: "tcp",
    message: `Cannot connect to ${host} port ${port} on "${node}": ${state}`,
    hint: "is it up, and on this port? grid services lists what Grid runs",
    node,
    cause,
  });
}

export function forwardingForbidden({ node, host, port }: DialPlace, cause?: unknown): GridError {
  return new GridError({
    code: "channel",
    message: `Cannot connect to ${host} port ${port} on "${node}": its server forbids forwarding`,
    hint:
      "it needs AllowTcpForwarding local in its sshd_config, or one of python3, perl, bash and nc",
    node,
    cause,
  });
}
