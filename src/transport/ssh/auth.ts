/** Which keys to offer, in which order: one attempt per key, and a word about each that cannot be used. */
import { existsSync } from "node:fs";
import { Buffer } from "node:buffer";
import type { AnyAuthMethod, ParsedKey } from "./ssh2_library.ts";
import { GridError } from "../../core/errors.ts";
import type { Address } from "./address.ts";
import { readAgentKeys, singleKeyAgent } from "./agent.ts";
import { fingerprint } from "./host_keys.ts";
import ssh2 from "./ssh2_library.ts";

/** Keys to offer, and what stood in the way of the others. */
export interface Credentials {
  readonly methods: readonly AnyAuthMethod[];
  /** What each method offers, for messages. */
  readonly offered: readonly string[];
  readonly problems: readonly { readonly state: string; readonly hint: string }[];
}

/** More than this many keys and a server with OpenSSH's defaults (MaxAuthTries 6) hangs up. */
const MOST_KEYS = 5;

export async function findCredentials(address: Address): Promise<Credentials> {
  const files = address.identityFiles.filter((path) => existsSync(path) || address.identitiesChosen)
    .map((path) => readIdentity(path));
  const agent = await readAgentKeys(address.agentSocket);
  const inFiles = (key: ParsedKey) =>
    files.some((file) => file.publicKey && equalKeys(file.publicKey, key));
  const agentKeys = agent.keys.filter((key) => !address.identitiesOnly || inFiles(key))
    .sort((a, b) => Number(inFiles(b)) - Number(inFiles(a)));
  const inAgent = (key: ParsedKey | undefined) =>
    key !== undefined && agentKeys.some((other) => equalKeys(other, key));
  const usable = files.filter((file) => file.key && !inAgent(file.publicKey));
  const username = address.user;
  const offers = [
    ...agentKeys.map((key) => ({
      what: `${fingerprint(key.getPublicSSH())} from the agent`,
      method: {
        type: "agent" as const,
        username,
        agent: singleKeyAgent(address.agentSocket ?? "", key),
      },
    })),
    ...usable.flatMap(({ key, path }) =>
      key
        ? [{
          what: `${path} (${fingerprint(key.getPublicSSH())})`,
          method: { type: "publickey" as const, username, key },
        }]
        : []
    ),
  ].slice(0, MOST_KEYS);
  return {
    methods: offers.map(({ method }) => method),
    offered: offers.map(({ what }) => what),
    problems: [
      ...files.flatMap(({ problem, publicKey }) => problem && !inAgent(publicKey) ? [problem] : []),
      ...(agent.problem ? [agent.problem] : []),
    ],
  };
}

/** The one sentence for a login that the server refused. */
export function authError(address: Address, credentials: Credentials): GridError {
  const { node, user, host } = address;
  const { offered, problems } = credentials;
  const refused = offered.length === 0
    ? "there is no key to offer"
    : `the server refused ${offered.join(", ")}`;
  const states = [refused, ...problems.map(({ state }) => state)];
  return new GridError({
    code: "auth",
    message: `Cannot log in to "${node}" as ${user}: ${states.join("; ")}`,
    hint: problems[0]?.hint ??
      (offered.length === 0
        ? "set ssh.key_file in cluster_config.yaml, or load a key: ssh-add"
        : `add the key to the account: ssh-copy-id -p ${address.port} ${user}@${host}; ` +
          "or name another in ssh.key_file"),
    node,
  });
}

interface Identity {
  readonly path: string;
  /** Undefined where the key cannot be used from the file. */
  readonly key?: ParsedKey;
  readonly publicKey?: ParsedKey;
  readonly problem?: { readonly state: string; readonly hint: string };
}

function readIdentity(path: string): Identity {
  const publicKey = readPublicKey(`${path}.pub`);
  const unusable = (state: string, hint: string): Identity => ({
    path,
    ...(publicKey ? { publicKey } : {}),
    problem: { state: `${path} ${state}`, hint },
  });
  let text: Uint8Array;
  try {
    const mode = Deno.statSync(path).mode ?? 0;
    if ((mode & 0o077) !== 0) {
      return unusable("can be read by others", `keep the key to yourself: chmod 600 ${path}`);
    }
    text = Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return unusable("does not exist", "name the right file in ssh.key_file");
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      return unusable("must not be read by this account", `chown it, or name another key file`);
    }
    throw error;
  }
  const parsed = ssh2.utils.parseKey(Buffer.from(text));
  if (parsed instanceof Error) {
    return /encrypted/i.test(parsed.message)
      ? unusable("needs a passphrase", `load it into the agent: ssh-add ${path}`)
      : unusable(`is not a private key Grid can read (${parsed.message})`, byOpenSsh(path));
  }
  if (!parsed.isPrivateKey()) return unusable("is not a private key", "leave out .pub");
  // Deno's crypto cannot sign with the form in which ssh2 hands it these keys.
  if (parsed.type.startsWith("ecdsa-")) {
    return unusable("is an ECDSA key, which only ssh-agent can use", byOpenSsh(path));
  }
  return { path, key: parsed, publicKey: parsed };
}

function byOpenSsh(path: string): string {
  return `ssh-add ${path}; or set transport: openssh for this node in cluster_config.yaml`;
}

function readPublicKey(path: string): ParsedKey | undefined {
  if (!existsSync(path)) return undefined;
  const parsed = ssh2.utils.parseKey(Deno.readTextFileSync(path));
  return parsed instanceof Error ? undefined : parsed;
}

function equalKeys(a: ParsedKey, b: ParsedKey): boolean {
  return a.getPublicSSH().equals(b.getPublicSSH());
}
