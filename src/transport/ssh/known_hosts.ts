/** The files that hold host keys, as sshd(8) describes them under SSH_KNOWN_HOSTS FILE FORMAT. */
import { own } from "../../core/own.ts";
import { Buffer } from "node:buffer";
import { HashedName } from "./hashed_name.ts";

export interface KnownHostsLine {
  readonly file: string;
  /** Counts from 1. */
  readonly line: number;
  readonly marker: "key" | "revoked" | "cert-authority";
  /** Patterns as written, or one hashed name. */
  readonly hosts: readonly string[];
  readonly type: string;
  /** The key as it goes over the wire. */
  readonly key: Uint8Array;
}

const cache = new Map<string, { readonly stamp: string; readonly lines: KnownHostsLine[] }>();

/** Lines of all files that exist, in order; parsed once until a file changes. */
export function readKnownHosts(files: readonly string[]): KnownHostsLine[] {
  return files.flatMap((file) => {
    const stamp = stampOf(file);
    if (stamp === undefined) return [];
    const known = cache.get(file);
    if (known?.stamp === stamp) return known.lines;
    const lines = parseKnownHosts(Deno.readTextFileSync(file), file);
    cache.set(file, { stamp, lines });
    return lines;
  });
}

/** Comments, empty lines and lines that no key can be read from are passed over, as OpenSSH does. */
export function parseKnownHosts(text: string, file: string): KnownHostsLine[] {
  return text.split("\n").flatMap((source, index) => {
    const words = source.trim().split(/[ \t]+/);
    const marker = own(MARKERS, words[0] ?? "");
    if (marker) words.shift();
    const [hosts, type, key] = words;
    if (!hosts || hosts.startsWith("#") || hosts.startsWith("@") || !type || !key) return [];
    const bytes = Buffer.from(key, "base64");
    if (keyType(bytes) !== type) return [];
    return [{
      file,
      line: index + 1,
      marker: marker ?? "key",
      hosts: hosts.split(","),
      type,
      key: new Uint8Array(bytes),
    }];
  });
}

const MARKERS: Readonly<Record<string, KnownHostsLine["marker"]>> = {
  "@revoked": "revoked",
  "@cert-authority": "cert-authority",
};

/** The name a key in wire format carries, for example `ssh-ed25519` (RFC 4253, section 6.6). */
export function keyType(key: Uint8Array): string {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  if (bytes.length < 4) return "";
  return bytes.toString("latin1", 4, 4 + bytes.readUInt32BE(0));
}

/** The name to look for: `[host]:port` unless the port is 22. */
export function hostEntry(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

/** Whether a line speaks of `name`: one pattern matches, and none that starts with `!` does. */
export function matchesHost(hosts: readonly string[], name: string): boolean {
  let found = false;
  for (const pattern of hosts) {
    if (pattern.startsWith("|")) found ||= matchesHash(pattern, name);
    else if (pattern.startsWith("!")) {
      if (fitsWildcard(name, pattern.slice(1))) return false;
    } else found ||= fitsWildcard(name, pattern);
  }
  return found;
}

/** As they stand in files, each read once. */
const hashedNames = new Map<string, HashedName | undefined>();
const encoder = new TextEncoder();

function matchesHash(pattern: string, name: string): boolean {
  if (!hashedNames.has(pattern)) hashedNames.set(pattern, HashedName.parse(pattern));
  return hashedNames.get(pattern)?.is(encoder.encode(name)) ?? false;
}

/**
 * Whether a name fits a pattern with `*` and `?`. Of the stars only the last one met is tried anew, so
 * that many of them do not multiply.
 */
function fitsWildcard(name: string, pattern: string): boolean {
  if (!pattern.includes("*") && !pattern.includes("?")) {
    return pattern.length === name.length && pattern.toLowerCase() === name;
  }
  const wanted = pattern.toLowerCase();
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let index = 0; index < name.length;) {
    const sign = wanted[at];
    if (sign === "*") {
      star = at++;
      resume = index;
    } else if (sign === "?" || sign === name[index]) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++resume;
    } else return false;
  }
  return wanted.slice(at).replaceAll("*", "") === "";
}

function stampOf(file: string): string | undefined {
  try {
    const { mtime, size, isFile } = Deno.statSync(file);
    return isFile ? `${mtime?.getTime()} ${size}` : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
