/** What the nodes of a gang say of themselves: addresses by which others may reach them. */
import { GridError } from "../core/errors.ts";
import { nodeProgram } from "../transport/node_program.ts";
import type { OpenNode } from "./node.ts";

export interface Ground {
  /** Of the kernel: equal on nodes that are one machine. */
  readonly boot: string | undefined;
  /** In the node's own order; loopback and what belongs to containers left out. */
  readonly addresses: readonly OwnAddress[];
  /** Its own host name, where that leads to an address that only itself has. */
  readonly selfishName: string | undefined;
}

export interface OwnAddress {
  /** Undefined where nobody says. */
  readonly iface: string | undefined;
  readonly address: string;
  /** Bits of the network. */
  readonly prefix: number;
}

/** @throws {GridError} a transport code; `answer-invalid` where the answer is not whole */
export async function lookAround(
  { transport, node }: Pick<OpenNode, "transport" | "node">,
  signal?: AbortSignal,
): Promise<Ground> {
  const { stdout } = await transport.exec(nodeProgram("gang_look.sh", import.meta.url), { signal });
  const lines = stdout.split("\n");
  if (lines.includes("@end")) return parseGround(lines);
  throw new GridError({
    code: "answer-invalid",
    message: `Cannot learn the addresses of "${node.name}": its answer is not whole`,
    hint: `look by hand: ssh ${node.name} ip addr`,
    node: node.name,
  });
}

/** Interfaces of containers and machines inside of the node. */
const INNER = /^(lo|docker|br-|veth|cni|flannel|cali|virbr|vnet|lxc|lxd|podman|kube-|nodelocal)/;
const LITERAL = /^[0-9a-fA-F:.]{2,45}$/;
const INTERFACE = /^[A-Za-z0-9_.:-]{1,15}$/;

export function parseGround(lines: readonly string[]): Ground {
  const rows = (name: string) =>
    lines.filter((line) => line.startsWith(`@${name} `)).map((line) =>
      line.trim().split(/\s+/).slice(1)
    );
  const [boot = "-"] = rows("boot")[0] ?? [];
  const [host = "", leads = "-"] = rows("name")[0] ?? [];
  const named = rows("address").flatMap(([iface = "", text = ""]): OwnAddress[] => {
    const [address = "", bits = ""] = text.split("/");
    const prefix = Number(bits || (address.includes(":") ? 128 : 32));
    return [{ iface, address, prefix }];
  });
  const routes = rows("route").map(([iface = "", to = "", mask = ""]) => ({
    iface,
    to: fromKernel(to),
    mask: fromKernel(mask),
  }));
  const plain = rows("local").flatMap(([address = ""]): OwnAddress[] => {
    const value = ipv4(address);
    if (value === undefined) return [];
    const route = routes.find(({ to, mask }) => mask !== 0 && ((value & mask) >>> 0) === to);
    return [{ iface: route?.iface, address, prefix: route ? bitsOf(route.mask) : 32 }];
  });
  const addresses = [...named, ...plain].filter(({ iface, address, prefix }) =>
    LITERAL.test(address) && !isLoopback(address) && !/^fe80:/i.test(address) &&
    Number.isInteger(prefix) && prefix >= 0 && prefix <= 128 &&
    (iface === undefined || (INTERFACE.test(iface) && !INNER.test(iface)))
  );
  const isSelfish = isLoopback(leads) && /^[A-Za-z0-9._-]{1,253}$/.test(host);
  return {
    boot: /^[0-9a-f-]{36}$/.test(boot) ? boot : undefined,
    addresses,
    selfishName: isSelfish ? host : undefined,
  };
}

export function isLoopback(address: string): boolean {
  return /^127\./.test(address) || address === "::1";
}

/** As a number; undefined for what is none. */
export function ipv4(address: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

/** `/proc/net/route` writes numbers as they lie in memory. */
function fromKernel(hex: string): number {
  const bytes = /^([0-9A-F]{2})([0-9A-F]{2})([0-9A-F]{2})([0-9A-F]{2})$/i.exec(hex)?.slice(1) ?? [];
  return bytes.reduceRight((sum, byte) => sum * 256 + Number.parseInt(byte, 16), 0);
}

function bitsOf(mask: number): number {
  return mask.toString(2).replaceAll("0", "").length;
}
