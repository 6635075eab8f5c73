/** Whether the key a server shows may be trusted. Decided before anything is said about the user. */
import { createHash } from "node:crypto";
import { GridError } from "../../core/errors.ts";
import { quote } from "../../core/shell.ts";
import type { Address } from "./address.ts";
import { Beyond } from "./beyond.ts";
import { hostEntry, keyType, type KnownHostsLine, matchesHost } from "./known_hosts.ts";
import { readKnownHosts } from "./known_hosts.ts";

export type Verdict =
  | { readonly kind: "trusted" }
  | { readonly kind: "unknown"; readonly authority: KnownHostsLine | undefined }
  | { readonly kind: "changed"; readonly expected: KnownHostsLine }
  | { readonly kind: "revoked"; readonly by: KnownHostsLine };

/** What `known_hosts` holds about one host. */
export interface HostTrust {
  /** Keys under the host's full name; they decide what counts as changed. */
  readonly lines: readonly KnownHostsLine[];
  /** Keys under the name without its port, which OpenSSH accepts too, but never holds against a host. */
  readonly withoutPort: readonly KnownHostsLine[];
}

export function readTrust(address: Address): HostTrust {
  const { hostKeyAlias, host, port } = address;
  const name = hostKeyAlias?.toLowerCase() ?? hostEntry(host, port);
  const lines = readKnownHosts(address.knownHostsFiles);
  const plain = host.toLowerCase();
  return {
    lines: lines.filter((line) => matchesHost(line.hosts, name)),
    withoutPort: hostKeyAlias !== undefined || plain === name
      ? []
      : lines.filter((line) => line.marker === "key" && matchesHost(line.hosts, plain)),
  };
}

export function judge(trust: HostTrust, key: Uint8Array): Verdict {
  const same = (line: KnownHostsLine) => equal(line.key, key);
  const by = trust.lines.find((line) => line.marker === "revoked" && same(line));
  if (by) return { kind: "revoked", by };
  const keys = trust.lines.filter((line) => line.marker === "key");
  if (keys.some(same)) return { kind: "trusted" };
  const expected = keys.find((line) => line.type === keyType(key));
  if (expected) return { kind: "changed", expected };
  if (trust.withoutPort.some(same)) return { kind: "trusted" };
  const authority = trust.lines.find((line) => line.marker === "cert-authority");
  return { kind: "unknown", authority };
}

/** Signature algorithms of key types that are in `known_hosts` come first, so that the server shows one. */
export function orderHostKeyAlgorithms(
  algorithms: readonly string[],
  trust: HostTrust,
): string[] {
  const types = new Set(
    [...trust.lines, ...trust.withoutPort]
      .filter((line) => line.marker === "key").map((line) => line.type),
  );
  const isKnown = (algorithm: string) =>
    types.has(algorithm.startsWith("rsa-sha2-") ? "ssh-rsa" : algorithm);
  return [...algorithms.filter(isKnown), ...algorithms.filter((name) => !isKnown(name))];
}

/** As `ssh-keygen -l` prints it. */
export function fingerprint(key: Uint8Array): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** `ED25519`, `RSA`, `ECDSA`: the word people know from ssh. */
export function keyWord(key: Uint8Array): string {
  const type = keyType(key);
  return type.startsWith("ecdsa-") ? "ECDSA" : type.replace(/^ssh-/, "").toUpperCase();
}

/** The error for a key that must not be trusted; undefined where it may. */
export function hostKeyError(
  verdict: Verdict,
  { address, key }: { readonly address: Address; readonly key: Uint8Array },
): GridError | undefined {
  const { node } = address;
  const subject = `Cannot trust "${node}" (${address.host} port ${address.port})`;
  const shown = `${keyWord(key)} ${fingerprint(key)}`;
  const refuse = (state: string, hint: string, cause?: unknown) =>
    new GridError({ code: "host-key", message: `${subject}: ${state}`, hint, node, cause });
  switch (verdict.kind) {
    case "trusted":
      return undefined;
    case "revoked":
      return refuse(
        `its host key ${shown} is revoked in ${placeOf(verdict.by)}`,
        "do not connect; ask whoever runs the machine for a new host key",
      );
    case "changed":
      return refuse(
        `its host key changed: expected ${fingerprint(verdict.expected.key)} ` +
          `(${placeOf(verdict.expected)}), it showed ${shown}`,
        `somebody may be listening in; if the machine was set up anew: ${
          forgetCommand(verdict, address)
        }` +
          ` && grid trust ${node}`,
      );
    case "unknown":
      return refuse(
        verdict.authority
          ? `${placeOf(verdict.authority)} trusts it by certificate, which only ssh itself can ` +
            `check; it showed ${shown}`
          : `its host key is not known: it showed ${shown}`,
        verdict.authority
          ? `let ssh check it: transport: openssh for this node in cluster_config.yaml`
          : `compare the fingerprint and add the key: grid trust ${node}`,
        verdict.authority && new Beyond("only ssh itself can check its host certificate"),
      );
  }
}

/** What takes the key that is no more out of its file. */
export function forgetCommand(
  verdict: Extract<Verdict, { kind: "changed" }>,
  address: Address,
): string {
  const name = address.hostKeyAlias ?? hostEntry(address.host, address.port);
  return `ssh-keygen -R '${name}' -f ${quote(verdict.expected.file)}`;
}

function placeOf(line: KnownHostsLine): string {
  return `${line.file}:${line.line}`;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
