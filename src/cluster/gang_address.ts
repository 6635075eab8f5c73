/** By which addresses the nodes of a gang reach each other. Pure. */
import { type Ground, ipv4, isLoopback } from "./gang_ground.ts";

export interface Standing {
  readonly node: string;
  readonly ground: Ground;
  /** What the cluster config says; it wins. */
  readonly configured: string | undefined;
  /** Where Grid itself goes: a name, or an address that may be a bastion's. */
  readonly host: string | undefined;
}

export interface Reach {
  readonly address: string;
  /** That carries it; undefined where nobody knows. */
  readonly iface: string | undefined;
}

/**
 * One address for each, in their order, all of them on the first network of rank 0 that all share. Where they
 * share none: the loopback of one machine, else what seems best of each; that is still to be proved.
 */
export function reachable(
  standings: readonly Standing[],
): { readonly reaches: readonly Reach[]; readonly isShared: boolean } {
  const open = standings.filter(({ configured }) => configured === undefined);
  const shared = sharedNetwork(open);
  const oneMachine = isOneMachine(open);
  const reaches = standings.map((standing): Reach => {
    const { ground, configured } = standing;
    if (configured !== undefined) return onInterface(configured, ground);
    const there = shared && ground.addresses.find((own) => networkOf(own) === shared);
    if (there) return { address: there.address, iface: there.iface };
    if (oneMachine) return { address: "127.0.0.1", iface: "lo" };
    return likeliest(standing);
  });
  return { reaches, isShared: shared !== undefined || oneMachine || open.length === 0 };
}

function onInterface(address: string, { addresses }: Ground): Reach {
  if (isLoopback(address)) return { address, iface: "lo" };
  const own = addresses.find((each) => each.address.toLowerCase() === address.toLowerCase());
  return { address, iface: own?.iface };
}

function sharedNetwork(standings: readonly Standing[]): string | undefined {
  const [first, ...others] = standings;
  const networks = (first?.ground.addresses ?? []).map(networkOf);
  // IPv4 first: not every launcher takes the other in HOST:PORT.
  return networks.toSorted((a, b) => Number(isWide(a)) - Number(isWide(b))).find((network) =>
    network !== undefined &&
    others.every(({ ground }) => ground.addresses.some((own) => networkOf(own) === network))
  );
}

function isWide(network: string | undefined): boolean {
  return network?.startsWith("6 ") ?? false;
}

function isOneMachine(standings: readonly Standing[]): boolean {
  const boots = new Set(standings.map(({ ground }) => ground.boot));
  return boots.size === 1 && !boots.has(undefined);
}

/** The network in one word; undefined where an address stands alone, as in many clouds. */
function networkOf(
  { address, prefix }: { readonly address: string; readonly prefix: number },
): string | undefined {
  const value = ipv4(address);
  if (value !== undefined) {
    if (prefix > 31) return undefined;
    const size = 2 ** (32 - prefix);
    return `4 ${Math.floor(value / size) * size}/${prefix}`;
  }
  const wide = ipv6(address);
  if (wide === undefined || prefix > 127) return undefined;
  const shift = BigInt(128 - prefix);
  return `6 ${(wide >> shift) << shift}/${prefix}`;
}

function ipv6(address: string): bigint | undefined {
  if (!/^[0-9a-f:]{2,39}$/i.test(address) || address.split("::").length > 2) return undefined;
  const [head = "", tail] = address.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  if (zeros < 0) return undefined;
  const groups = [...left, ...Array<string>(zeros).fill("0"), ...right];
  if (groups.length !== 8 || groups.some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) {
    return undefined;
  }
  return groups.reduce((sum, group) => (sum << 16n) + BigInt(Number.parseInt(group, 16)), 0n);
}

/** Where Grid reaches the node itself, if the node has that address; else its first one. */
function likeliest({ ground: { addresses }, host }: Standing): Reach {
  const own = addresses.find(({ address }) => address === host) ?? addresses[0];
  if (own !== undefined) return { address: own.address, iface: own.iface };
  return { address: host ?? "127.0.0.1", iface: undefined };
}
