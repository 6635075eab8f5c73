/** The user's ssh-agent: which keys it holds, and signing with one of them. Never forwarded. */
import { thrownWords } from "../../core/refusal.ts";
import { Buffer } from "node:buffer";
import net from "node:net";
import type { BaseAgent, ParsedKey } from "./ssh2_library.ts";
import { keyType } from "./known_hosts.ts";
import ssh2 from "./ssh2_library.ts";

export interface AgentKeys {
  readonly keys: readonly ParsedKey[];
  /** Types of keys that the library cannot offer: certificates, FIDO, whatever is newer. */
  readonly otherTypes: readonly string[];
  readonly problem: { readonly state: string; readonly hint: string } | undefined;
}

/** An agent answers at once, or asks its user something nobody will see. */
const AGENT_TIMEOUT_MS = 3000;

/** draft-miller-ssh-agent, section 5: ask for all keys, and the answer. */
const REQUEST_IDENTITIES = Buffer.from([0, 0, 0, 1, 11]);
const IDENTITIES_ANSWER = 12;
/** OpenSSH's own limit for an answer. */
const MOST_BYTES = 256 * 1024;

export async function readAgentKeys(socket: string | undefined): Promise<AgentKeys> {
  const none = { keys: [], otherTypes: [] };
  if (socket === undefined) return { ...none, problem: undefined };
  try {
    const blobs = keyBlobsOf(await askAgent(socket));
    const parsed = blobs.map((blob) => ({ blob, key: ssh2.utils.parseKey(blob) }));
    return {
      keys: parsed.flatMap(({ key }) => key instanceof Error ? [] : [key].flat()),
      otherTypes: parsed.flatMap(({ key, blob }) => key instanceof Error ? [keyType(blob)] : []),
      problem: undefined,
    };
  } catch (error) {
    const state = thrownWords(error);
    const hint = 'start it anew: eval "$(ssh-agent)" && ssh-add';
    return { ...none, problem: { state: `the agent at ${socket} ${state}`, hint } };
  }
}

/** The answer without its length. */
function askAgent(path: string): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const socket = net.connect(path);
  const timer = setTimeout(
    () => reject(new Error(`gave no answer within ${AGENT_TIMEOUT_MS} ms`)),
    AGENT_TIMEOUT_MS,
  );
  let heard = Buffer.alloc(0);
  socket.on("connect", () => socket.write(REQUEST_IDENTITIES))
    .on("data", (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk]);
      if (heard.length < 4) return;
      const length = heard.readUInt32BE(0);
      if (length > MOST_BYTES) reject(new Error("gave an answer that makes no sense"));
      else if (heard.length >= 4 + length) resolve(heard.subarray(4, 4 + length));
    })
    .on("error", (error) => reject(new Error(`cannot be asked (${error.message})`)))
    .on("close", () => reject(new Error("cannot be asked (it hung up)")));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}

/** Keys as they go over the wire; each is followed by a comment. */
function keyBlobsOf(answer: Buffer): Buffer[] {
  if (answer[0] !== IDENTITIES_ANSWER) throw new Error("refuses to list its keys");
  let at = 5;
  const string = () => {
    const end = at + 4 + answer.readUInt32BE(at);
    if (end > answer.length) throw new Error("gave an answer that makes no sense");
    const found = answer.subarray(at + 4, end);
    at = end;
    return found;
  };
  const count = answer.readUInt32BE(1);
  const blobs: Buffer[] = [];
  while (blobs.length < count) {
    blobs.push(string());
    string();
  }
  return blobs;
}

/** Offers one key of the agent, so that the order and the number of attempts are ours. */
export function singleKeyAgent(socket: string, key: ParsedKey): BaseAgent {
  const agent = ssh2.createAgent(socket);
  const single = Object.create(agent);
  single.getIdentities = (callback: (error: undefined, keys: ParsedKey[]) => void) =>
    callback(undefined, [key]);
  return single;
}
