/** Jump hosts as `ProxyJump` writes them: `[user@]host[:port]`, also as `ssh://` URIs. */
import { GridError } from "../../core/errors.ts";
import type { Address } from "./address.ts";

export interface Hop {
  readonly user: string | undefined;
  readonly host: string;
  readonly port: number | undefined;
}

const HOP = /^(?:ssh:\/\/)?(?:([^@]+)@)?(\[[^\]]+\]|[^:@[\]]+)(?::(\d{1,5}))?\/?$/;

/** @throws {GridError} `usage` for a hop that cannot be read */
export function hopsOf(address: Pick<Address, "jumps" | "node">): Hop[] {
  return address.jumps.map((text) => {
    const [, user, host, port] = HOP.exec(text) ?? [];
    const number = port === undefined ? undefined : Number(port);
    if (host === undefined || (number !== undefined && (number < 1 || number > 65535))) {
      throw new GridError({
        code: "usage",
        message: `Cannot connect to "${address.node}": jump host ${JSON.stringify(text)} ` +
          "is not [user@]host[:port]",
        node: address.node,
      });
    }
    return { user, host: host.replace(/^\[|\]$/g, ""), port: number };
  });
}

/** A `Host *` with a ProxyJump names the jump host itself too; ssh passes over that as well. */
export function isSamePlace(hop: Hop, address: Address): boolean {
  return hop.host === address.alias && (hop.port === undefined || hop.port === address.port) &&
    (hop.user === undefined || hop.user === address.user);
}
