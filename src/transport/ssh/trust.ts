/** `grid trust`: look at the host keys of many nodes, then write down those that a person has checked. */
import { createHmac, randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { GridError, toGridError } from "../../core/errors.ts";
import { thrownWords } from "../../core/refusal.ts";
import { Handshakes } from "../handshakes.ts";
import type { Endpoint } from "../transport.ts";
import type { Address } from "./address.ts";
import { Connector, type ConnectorOptions } from "./connector.ts";
import { fingerprint, forgetCommand, judge, keyWord, readTrust } from "./host_keys.ts";
import { hostEntry, keyType } from "./known_hosts.ts";

export interface HostKeyScan {
  readonly node: string;
  readonly host: string;
  readonly port: number;
  /** Where new keys are written. */
  readonly knownHosts: string;
  readonly keys: readonly ScannedKey[];
  /** Why there are no keys. */
  readonly problem: GridError | undefined;
}

export interface ScannedKey {
  /** `ED25519`, `ECDSA`, `RSA`. */
  readonly kind: string;
  /** As `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  readonly state: "trusted" | "unknown" | "changed" | "revoked";
  /** The fingerprint that `known_hosts` holds instead. */
  readonly expected: string | undefined;
  /** The command that takes that one out. */
  readonly forget: string | undefined;
  /** The line that makes it known. */
  readonly line: string;
}

export interface ScanHostKeysOptions extends Omit<ConnectorOptions, "handshakes"> {
  /** Handshakes under way at once. */
  readonly handshakes: number;
  readonly signal?: AbortSignal | undefined;
}

/** All nodes at once; one that cannot be reached has a problem instead of keys. */
export async function scanHostKeys(
  endpoints: readonly Endpoint[],
  { signal = new AbortController().signal, handshakes, ...options }: ScanHostKeysOptions,
): Promise<readonly HostKeyScan[]> {
  await using connector = new Connector({ ...options, handshakes: new Handshakes(handshakes) });
  return await Promise.all(endpoints.map(async (endpoint): Promise<HostKeyScan> => {
    try {
      const { address, keys } = await connector.scan(endpoint, signal);
      return {
        ...placeOf(address),
        keys: keys.map((key) => describe(address, key)),
        problem: undefined,
      };
    } catch (error) {
      signal.throwIfAborted();
      const { name, host, port, knownHosts } = endpoint;
      return {
        node: name,
        host: host ?? name,
        port: port ?? 22,
        knownHosts: knownHosts ?? "",
        keys: [],
        problem: toGridError(error),
      };
    }
  }));
}

/**
 * Appends the lines of the unknown keys to each node's `known_hosts`, which is made where it is missing.
 * What is in the file is never changed.
 *
 * @throws {GridError} `usage` where a file cannot be written
 */
export function trustKeys(scans: readonly HostKeyScan[]): void {
  const lines = new Map<string, string[]>();
  for (const { knownHosts, keys } of scans) {
    const fresh = keys.filter(({ state }) => state === "unknown").map(({ line }) => line);
    lines.set(knownHosts, [...lines.get(knownHosts) ?? [], ...fresh]);
  }
  for (const [file, fresh] of lines) if (fresh.length > 0) append(file, fresh);
}

function placeOf(address: Address) {
  const { node, host, port, knownHostsFiles } = address;
  return { node, host, port, knownHosts: knownHostsFiles[0] ?? "" };
}

function describe(address: Address, key: Uint8Array): ScannedKey {
  const verdict = judge(readTrust(address), key);
  const name = address.hostKeyAlias ?? hostEntry(address.host, address.port);
  const shown = address.hashKnownHosts ? hashed(name) : name;
  return {
    kind: keyWord(key),
    fingerprint: fingerprint(key),
    state: verdict.kind,
    expected: verdict.kind === "changed" ? fingerprint(verdict.expected.key) : undefined,
    forget: verdict.kind === "changed" ? forgetCommand(verdict, address) : undefined,
    line: `${shown} ${keyType(key)} ${key.toBase64()}`,
  };
}

/** So that the file does not tell a thief where its owner logs in. */
function hashed(name: string): string {
  const salt = randomBytes(20);
  const digest = createHmac("sha1", salt).update(name.toLowerCase()).digest("base64");
  return `|1|${salt.toString("base64")}|${digest}`;
}

function append(file: string, lines: readonly string[]): void {
  try {
    Deno.mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const before = readIfThere(file);
    const gap = before === "" || before.endsWith("\n") ? "" : "\n";
    Deno.writeTextFileSync(file, `${gap}${lines.join("\n")}\n`, { append: true, mode: 0o600 });
  } catch (error) {
    throw new GridError({
      code: "usage",
      message: `Cannot write ${file}: ${thrownWords(error)}`,
      hint: "name a file you may write in ssh.known_hosts of cluster_config.yaml",
      cause: error,
    });
  }
}

function readIfThere(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
