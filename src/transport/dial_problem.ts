/** Why a port on a node cannot be reached. */
import { GridError } from "../core/errors.ts";
import type { DialTarget } from "./transport.ts";

export interface DialPlace extends DialTarget {
  readonly node: string;
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
    hint: "it needs AllowTcpForwarding yes in its sshd_config",
    node,
    cause,
  });
}
