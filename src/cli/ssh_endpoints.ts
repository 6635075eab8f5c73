/** Nodes that are reached over SSH, by name. */
import { nearest } from "../core/did_you_mean.ts";
import { GridError } from "../core/errors.ts";
import type { Grid } from "../grid.ts";
import type { Endpoint } from "../transport/transport.ts";
import { nameList } from "./option_values.ts";

export interface SshEndpointsOptions {
  readonly grid: Grid;
  /** For messages: "trust node" makes `Cannot trust node "x"`. */
  readonly action: string;
}

/** All of them for no names. @throws {GridError} `usage` for a name that is none of them */
export function sshEndpoints(
  words: readonly string[],
  { grid, action }: SshEndpointsOptions,
): Endpoint[] {
  const known = grid.cluster.nodes.filter(({ endpoint }) => endpoint.transport !== "local");
  const names = words.length === 0 ? [] : nameList(words.join(","));
  for (const name of names) {
    if (known.some((node) => node.name === name)) continue;
    const near = nearest(name, known.map((node) => node.name));
    throw new GridError({
      code: "usage",
      message: `Cannot ${action} "${name}": no node of that name is reached over SSH`,
      hint: near ? `did you mean "${near}"?` : undefined,
    });
  }
  return known.filter(({ name }) => names.length === 0 || names.includes(name))
    .map(({ endpoint }) => endpoint);
}
