/** Where connections lie that `grid login` has opened, for every later command of this account. */
import { GridError } from "../../core/errors.ts";
import { nodeCrypto } from "../../core/node_builtins.ts";
import type { Endpoint } from "../transport.ts";

export interface LoginPlace {
  readonly env: Readonly<Record<string, string>>;
}

/** Short enough for a socket, on a disk of this machine, and the same for a cron job as for a terminal. */
function loginFolder(): string {
  return `/tmp/grid-login-${Deno.uid()}`;
}

/** One per machine and account as the cluster names them; the home decides what an alias means. */
export function loginSocket(endpoint: Endpoint, { env }: LoginPlace): string {
  const { name, host, port, user, proxyJump } = endpoint;
  const words = JSON.stringify([name, host, port, user, proxyJump, env["HOME"]]);
  return `${loginFolder()}/${nodeCrypto().hash("sha256", words).slice(0, 16)}`;
}

/** A socket of this account's lies there; whether anybody serves it is to be asked. */
export function hasLogin(endpoint: Endpoint, place: LoginPlace): boolean {
  return isPrivate(loginFolder()) && isOwnSocket(loginSocket(endpoint, place));
}

/** @throws {GridError} `permission` where the folder is somebody else's */
export function makeLoginFolder(): void {
  const folder = loginFolder();
  try {
    Deno.mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  if (isPrivate(folder)) return;
  throw new GridError({
    code: "permission",
    message: `Cannot keep a login: ${folder} is not a folder of this account alone`,
    hint: `see whose it is: ls -ld ${folder}; where it is yours: chmod 700 ${folder}`,
  });
}

/** Somebody else's folder would lead to somebody else's machine. */
function isPrivate(folder: string): boolean {
  try {
    const { isDirectory, uid, mode } = Deno.lstatSync(folder);
    return isDirectory && uid === Deno.uid() && ((mode ?? 0) & 0o077) === 0;
  } catch {
    // Not there, or not to be looked at.
    return false;
  }
}

/** Somebody else's socket too. */
export function isOwnSocket(path: string): boolean {
  try {
    const { isSocket, uid } = Deno.statSync(path);
    return isSocket === true && uid === Deno.uid();
  } catch {
    // Not there, or not to be looked at.
    return false;
  }
}
