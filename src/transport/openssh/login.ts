/** A login that a person answers at the terminal, and a connection that later commands ride on. */
import { GridError } from "../../core/errors.ts";
import { calledName } from "../ssh/address.ts";
import type { Endpoint } from "../transport.ts";
import { isServed } from "./carrier.ts";
import { isOwnSocket, loginSocket, makeLoginFolder } from "./login_place.ts";
import { makePrivateFolder } from "./private_folder.ts";
import { sshConfigOf, type SshConfigOptions } from "./ssh_config.ts";

export interface LoginOptions extends SshConfigOptions {
  /** It ends by itself when nobody has used it for so long. */
  readonly idleMs: number;
}

/**
 * Returns when the login is done; `ssh` itself asks, and says what went wrong, at the terminal.
 *
 * @throws {GridError} `auth` where nobody was let in, `usage` where there is no ssh, `permission`
 */
export async function openLogin(
  endpoint: Endpoint,
  { idleMs, ...options }: LoginOptions,
): Promise<"opened" | "was-open"> {
  makeLoginFolder();
  const socket = loginSocket(endpoint, options);
  if (await isServed(socket)) return "was-open";
  // Left by one that was killed: ssh would take it for one that is in use.
  if (isOwnSocket(socket)) Deno.removeSync(socket);
  return await logIn(endpoint, { ...options, idleMs, socket });
}

async function logIn(
  endpoint: Endpoint,
  { idleMs, socket, ...options }: LoginOptions & { readonly socket: string },
): Promise<"opened"> {
  using folder = makePrivateFolder();
  const configFile = `${folder.path}/config`;
  const config = sshConfigOf(endpoint, { ...options, mayAsk: true });
  Deno.writeTextFileSync(configFile, config, { mode: 0o600 });
  const persist = `ControlPersist=${Math.max(1, Math.ceil(idleMs / 1000))}`;
  const words = ["-F", configFile, "-M", "-N", "-T", "-S", socket, "-o", persist];
  const code = await atTerminal(
    [...words, "-o", "ClearAllForwardings=yes", "--", calledName(endpoint)],
    options,
  );
  if (code === 0 && await isServed(socket)) return "opened";
  const { name } = endpoint;
  throw new GridError({
    code: "auth",
    message: `Cannot log in to "${name}": ssh ended with ${code} and left no connection`,
    hint: `what it said stands above; host keys are added with: grid trust ${name}`,
    node: name,
  });
}

/** False where there was none. */
export async function endLogin(endpoint: Endpoint, options: SshConfigOptions): Promise<boolean> {
  const socket = loginSocket(endpoint, options);
  if (!await isServed(socket)) return false;
  const { env } = options;
  const { success, stderr } = await new Deno.Command("ssh", {
    args: ["-F", "/dev/null", "-S", socket, "-O", "exit", "--", endpoint.name],
    env,
    stdin: "null",
  }).output();
  if (success) return true;
  const words = new TextDecoder().decode(stderr).trim();
  const { name } = endpoint;
  throw new GridError({
    code: "lost",
    message: `Cannot end the connection to "${name}": ${words}`,
    node: name,
  });
}

async function atTerminal(args: readonly string[], { env }: SshConfigOptions): Promise<number> {
  try {
    const child = new Deno.Command("ssh", {
      args: [...args],
      env,
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
    return (await child.status).code;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const message = "Cannot log in: there is no ssh on this machine";
    throw new GridError({ code: "usage", message, hint: "install OpenSSH's client" });
  }
}
