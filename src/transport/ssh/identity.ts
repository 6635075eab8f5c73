/** One key file of the user's: what can be done with it, and what stands in the way. */
import { Buffer } from "node:buffer";
import { existsSync, statSync } from "node:fs";
import { quote } from "../../core/shell.ts";
import type { ParsedKey } from "./ssh2_library.ts";
import { keyType } from "./known_hosts.ts";
import ssh2 from "./ssh2_library.ts";

export interface Identity {
  readonly path: string;
  /** Undefined where the key cannot be used from the file. */
  readonly key?: ParsedKey;
  readonly publicKey?: ParsedKey;
  readonly problem?: { readonly state: string; readonly hint: string };
  /** In words, what only `ssh` itself can log in with. */
  readonly beyond: readonly string[];
}

const cache = new Map<string, { readonly stamp: string; readonly identity: Identity }>();

/** Read once until one of its files changes: a key is made ready for many nodes. */
export function readIdentity(path: string): Identity {
  const stamp = [path, `${path}.pub`, `${path}-cert.pub`].map(stampOf).join();
  const known = cache.get(path);
  if (known?.stamp === stamp) return known.identity;
  const identity = readAnew(path);
  cache.set(path, { stamp, identity });
  return identity;
}

function stampOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? "" : [stats.ino, stats.size, stats.mode, stats.ctimeMs].join(" ");
}

function readAnew(path: string): Identity {
  const certificate = `${path}-cert.pub`;
  const beyond = existsSync(certificate) ? [`the certificate ${certificate}`] : [];
  return { path, beyond, ...readKey(path, beyond) };
}

type Reading = Omit<Identity, "path" | "beyond"> & { readonly beyond?: readonly string[] };

function readKey(path: string, beyond: readonly string[]): Reading {
  const publicKey = readPublicKey(`${path}.pub`);
  const unusable = (state: string, hint: string): Reading => ({
    ...(publicKey ? { publicKey } : {}),
    problem: { state: `${path} ${state}`, hint },
  });
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return unusable("does not exist", "name the right file in ssh.key_file");
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      return unusable("must not be read by this account", `chown it, or name another key file`);
    }
    if (error instanceof Deno.errors.IsADirectory) {
      return unusable("is a folder", "name the key file in it");
    }
    throw error;
  }
  const type = typeOf(text);
  const mayBePublic = /^[\w@.-]+ AAAA/.test(text);
  if (!mayBePublic && ((Deno.statSync(path).mode ?? 0) & 0o077) !== 0) {
    return unusable("can be read by others", `keep the key to yourself: chmod 600 ${quote(path)}`);
  }
  const parsed = ssh2.utils.parseKey(Buffer.from(text));
  if (parsed instanceof Error) {
    if (/encrypted/i.test(parsed.message)) {
      return unusable("needs a passphrase", `load it into the agent: ssh-add ${quote(path)}`);
    }
    const state = type === undefined
      ? `is not a private key Grid can read (${parsed.message})`
      : `is ${kindOf(type)}, which only ssh itself can use`;
    return { ...unusable(state, byOpenSsh(path)), beyond: [...beyond, `the key ${path}`] };
  }
  if (!parsed.isPrivateKey()) {
    const hint = `load it into the agent (ssh-add ${quote(path.replace(/\.pub$/, ""))}), ` +
      "or name the private key";
    const problem = {
      state: `${path} is a public key, whose other half the agent does not hold`,
      hint,
    };
    return { publicKey: parsed, problem };
  }
  // Deno's crypto cannot sign with the form in which ssh2 hands it these keys.
  if (parsed.type.startsWith("ecdsa-")) {
    const state = "is an ECDSA key, which only ssh-agent can use";
    return {
      ...unusable(state, byOpenSsh(path)),
      publicKey: parsed,
      beyond: [...beyond, `the key ${path}`],
    };
  }
  return { key: parsed, publicKey: parsed };
}

/** In words, for a type by its name on the wire. */
export function kindOf(type: string): string {
  if (/-cert-v\d+@openssh\.com$/.test(type)) return "a certificate";
  if (type.startsWith("sk-")) return "a FIDO key";
  if (/mldsa|ml-dsa/.test(type)) return "an ML-DSA key";
  return `a key of the kind ${type}`;
}

function byOpenSsh(path: string): string {
  return `ssh-add ${quote(path)}; or set transport: openssh for this node in cluster_config.yaml`;
}

/** The name of the key's type, in OpenSSH's own forms (PROTOCOL.key); undefined in others. */
function typeOf(text: string): string | undefined {
  const words = /^([\w@.-]+) (AAAA\S+)/.exec(text);
  if (words) return keyType(Buffer.from(words[2] ?? "", "base64"));
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END/.exec(text)?.[1];
  if (body === undefined) return undefined;
  const bytes = Buffer.from(body, "base64");
  let at = "openssh-key-v1\0".length;
  // Cipher, key derivation and its options come first, then how many keys there are.
  for (let skipped = 0; skipped < 3 && at + 4 <= bytes.length; skipped++) {
    at += 4 + bytes.readUInt32BE(at);
  }
  const type = at + 8 <= bytes.length ? keyType(bytes.subarray(at + 8)) : "";
  return /^[\w@.-]+$/.test(type) ? type : undefined;
}

function readPublicKey(path: string): ParsedKey | undefined {
  if (!existsSync(path)) return undefined;
  const parsed = ssh2.utils.parseKey(Deno.readTextFileSync(path));
  return parsed instanceof Error ? undefined : parsed;
}
