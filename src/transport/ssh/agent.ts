/** The user's ssh-agent: which keys it holds, and signing with one of them. Never forwarded. */
import type { BaseAgent, ParsedKey } from "./ssh2_library.ts";
import ssh2 from "./ssh2_library.ts";

export interface AgentKeys {
  readonly keys: readonly ParsedKey[];
  readonly problem: { readonly state: string; readonly hint: string } | undefined;
}

/** An agent answers at once, or asks its user something nobody will see. */
const AGENT_TIMEOUT_MS = 3000;

export function readAgentKeys(socket: string | undefined): Promise<AgentKeys> {
  if (socket === undefined) return Promise.resolve({ keys: [], problem: undefined });
  return new Promise((resolve) => {
    const timer = setTimeout(
      () => fail(`gave no answer within ${AGENT_TIMEOUT_MS} ms`),
      AGENT_TIMEOUT_MS,
    );
    const fail = (state: string) => {
      clearTimeout(timer);
      const problem = {
        state: `the agent at ${socket} ${state}`,
        hint: 'start it anew: eval "$(ssh-agent)" && ssh-add',
      };
      resolve({ keys: [], problem });
    };
    ssh2.createAgent(socket).getIdentities((error, keys) => {
      if (error) return fail(`cannot be asked (${error.message})`);
      clearTimeout(timer);
      resolve({ keys: (keys ?? []).filter(isParsedKey), problem: undefined });
    });
  });
}

/** Offers one key of the agent, so that the order and the number of attempts are ours. */
export function singleKeyAgent(socket: string, key: ParsedKey): BaseAgent {
  const agent = ssh2.createAgent(socket);
  const single = Object.create(agent);
  single.getIdentities = (callback: (error: undefined, keys: ParsedKey[]) => void) =>
    callback(undefined, [key]);
  return single;
}

function isParsedKey(key: unknown): key is ParsedKey {
  return typeof key === "object" && key !== null && "getPublicSSH" in key;
}
