/** Which keys to offer, in which order: one attempt per key, and a word about each that cannot be used. */
import { existsSync } from "node:fs";
import type { AnyAuthMethod, ParsedKey } from "./ssh2_library.ts";
import type { Address } from "./address.ts";
import { readAgentKeys, singleKeyAgent } from "./agent.ts";
import { fingerprint } from "./host_keys.ts";
import { kindOf, readIdentity } from "./identity.ts";

/** Keys to offer, and what stood in the way of the others. */
export interface Credentials {
  readonly methods: readonly AnyAuthMethod[];
  /** What each method offers, for messages. */
  readonly offered: readonly string[];
  /** The file of each that needs nothing else. */
  readonly keyFiles: readonly (string | undefined)[];
  readonly problems: readonly { readonly state: string; readonly hint: string }[];
  /** In words, what only `ssh` itself could log in with. */
  readonly beyond: readonly string[];
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
      file: undefined,
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
          file: path,
          method: { type: "publickey" as const, username, key },
        }]
        : []
    ),
  ].slice(0, MOST_KEYS);
  const certificates = address.certificateFiles.filter((path) => existsSync(path));
  return {
    methods: offers.map(({ method }) => method),
    offered: offers.map(({ what }) => what),
    keyFiles: offers.map(({ file }) => file),
    problems: [
      ...files.flatMap(({ problem, publicKey }) => problem && !inAgent(publicKey) ? [problem] : []),
      ...(agent.problem ? [agent.problem] : []),
    ],
    beyond: [
      ...files.flatMap(({ beyond }) => beyond),
      ...certificates.map((path) => `the certificate ${path}`),
      // `ssh` too leaves these alone, unless a file names them.
      ...(address.identitiesOnly && files.length === 0 ? [] : agent.otherTypes)
        .map((type) => `${kindOf(type)} of the agent`),
    ],
  };
}

function equalKeys(a: ParsedKey, b: ParsedKey): boolean {
  return a.getPublicSSH().equals(b.getPublicSSH());
}
