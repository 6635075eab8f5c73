/** What Grid itself would do on its way to a node, for `grid doctor`; connects to nothing. */
import { lookup } from "node:dns/promises";
import type { Endpoint } from "../transport.ts";
import { type AddressOptions, resolveAddress } from "./address.ts";
import { findCredentials } from "./auth.ts";

export interface LoginPlan {
  readonly user: string;
  readonly host: string;
  readonly port: number;
  /** Of the host's name; none where it has none here, or where a jump host is asked for it. */
  readonly addresses: readonly string[];
  readonly jumps: readonly string[];
  /** In order. */
  readonly offered: readonly string[];
  /** Keys that cannot be used, each with what to do. */
  readonly problems: readonly { readonly state: string; readonly hint: string }[];
  /** What only `ssh` itself can do; then Grid lets it. */
  readonly beyond: readonly string[];
}

/** @throws {GridError} `usage` for a name that must not reach `ssh`, or a broken configuration */
export async function loginPlan(endpoint: Endpoint, options: AddressOptions): Promise<LoginPlan> {
  const address = await resolveAddress(endpoint, options);
  const { user, host, port, jumps } = address;
  const credentials = await findCredentials(address);
  const found = jumps.length > 0 ? [] : await lookup(host, { all: true }).catch(() => []);
  return {
    user,
    host,
    port,
    addresses: found.map(({ address }) => address),
    jumps,
    offered: credentials.offered,
    problems: credentials.problems,
    beyond: [...address.beyond, ...credentials.beyond],
  };
}
