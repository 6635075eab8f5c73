/** Grid's own SSH first; the `ssh` program where that has what the node asks for, or is logged in already. */
import { delimiter, join } from "node:path";
import { GridError } from "../core/errors.ts";
import { getLogger } from "../core/log.ts";
import type { Connect, ConnectHooks } from "./ssh/channel_budget.ts";
import { Beyond } from "./ssh/beyond.ts";
import type { Link } from "./ssh/link.ts";
import type { Endpoint } from "./transport.ts";

const log = getLogger("transport");

export interface Ways {
  readonly own: Connect;
  readonly system: Connect;
  /** On a connection that the user has open; undefined where there is none. */
  readonly ride: (hooks: ConnectHooks) => Promise<Link | undefined>;
  /** A person has logged in before (`grid login`), and the connection may still be there. */
  readonly isLoggedIn: () => boolean;
  readonly env: Readonly<Record<string, string>>;
  /** Reasons that were told, so that a fleet is not told node by node. */
  readonly told: Set<string>;
}

export function withFallback(endpoint: Endpoint, ways: Ways): Connect {
  let isBeyond = false;
  return async (hooks) => {
    if (isBeyond) return await ways.system(hooks);
    // No login of our own that the server would refuse, or count.
    const login = ways.isLoggedIn() ? await ways.ride(hooks) : undefined;
    if (login) return login;
    try {
      return await ways.own(hooks);
    } catch (error) {
      if (!(error instanceof GridError) || hooks.signal.aborted) throw error;
      const isSshHere = hasProgram("ssh", ways.env);
      if (error.cause instanceof Beyond) {
        if (!isSshHere) throw withoutSsh(error);
        const { reason } = error.cause;
        tell(`reached with your own ssh: ${reason} (transport: openssh says so for good)`, {
          key: reason,
          endpoint,
          ways,
        });
        isBeyond = true;
        return await ways.system(hooks);
      }
      const open = error.code === "auth" && isSshHere ? await ways.ride(hooks) : undefined;
      if (!open) throw error;
      tell("rides on your own open ssh connection (transport: openssh does so at once)", {
        key: "ride",
        endpoint,
        ways,
      });
      return open;
    }
  };
}

interface Telling {
  readonly key: string;
  readonly endpoint: Endpoint;
  readonly ways: Ways;
}

function tell(what: string, { key, endpoint, ways }: Telling): void {
  const level = ways.told.has(key) ? "debug" : "warn";
  ways.told.add(key);
  log[level](`{node}: ${what.replaceAll(/[{}]/g, "")}`, { node: endpoint.name });
}

function withoutSsh({ code, message, node, cause }: GridError): GridError {
  const hint = "install OpenSSH's client: Grid then uses its ssh where its own does not do";
  return new GridError({ code, message: `${message}; there is no ssh here`, hint, node, cause });
}

function hasProgram(name: string, env: Readonly<Record<string, string>>): boolean {
  const path = env["PATH"] ?? Deno.env.get("PATH") ?? "";
  return path.split(delimiter).some((folder) => {
    try {
      return folder !== "" && Deno.statSync(join(folder, name)).isFile;
    } catch {
      return false;
    }
  });
}
