/** A connection that a person has open (`grid login`, `ControlMaster`): ridden on, and never ended. */
import { GridError } from "../../core/errors.ts";
import { calledName } from "../ssh/address.ts";
import { readSshSettings, type SettingsOptions } from "../ssh/ssh_settings.ts";
import type { Endpoint } from "../transport.ts";
import { type Carrier, isServed } from "./carrier.ts";
import { hasLogin, isOwnSocket, loginSocket } from "./login_place.ts";
import { makePrivateFolder, type PrivateFolder } from "./private_folder.ts";

/** Undefined where there is no such connection to this node. */
export async function findUsersMaster(
  endpoint: Endpoint,
  options: SettingsOptions,
): Promise<Carrier | undefined> {
  const login = loginSocket(endpoint, options);
  if (hasLogin(endpoint, options) && await isServed(login)) {
    const reopen = `grid login ${endpoint.name}`;
    return new UsersMaster(endpoint, { ...options, socket: login, reopen });
  }
  return await findOwnMaster(endpoint, options);
}

async function findOwnMaster(
  endpoint: Endpoint,
  options: SettingsOptions,
): Promise<Carrier | undefined> {
  const { user, port, host } = endpoint;
  const alias = calledName(endpoint);
  const { controlPath, hostName } = await readSshSettings({ alias, user, port }, options);
  // The cluster may send the node's name to another machine than the user's files do.
  const isElsewhere = host !== undefined && host !== alias && host !== hostName;
  if (controlPath === undefined || isElsewhere || !isOwnSocket(controlPath)) return undefined;
  if (!await isServed(controlPath)) return undefined;
  const reopen = `ssh ${endpoint.name}`;
  return new UsersMaster(endpoint, { ...options, socket: controlPath, reopen });
}

interface UsersMasterOptions extends SettingsOptions {
  readonly socket: string;
  /** The command that opens it anew. */
  readonly reopen: string;
}

class UsersMaster implements Carrier {
  readonly endpoint: Endpoint;
  readonly env: Readonly<Record<string, string>>;
  readonly socket: string;
  readonly lost: Promise<GridError>;
  readonly #folder: PrivateFolder = makePrivateFolder();
  readonly #lost = Promise.withResolvers<GridError>();
  readonly #reopen: string;
  #files = 0;

  constructor(endpoint: Endpoint, { env, socket, reopen }: UsersMasterOptions) {
    this.endpoint = endpoint;
    this.socket = socket;
    this.#reopen = reopen;
    this.env = { ...env, SSH_ASKPASS_REQUIRE: "never" };
    this.lost = this.#lost.promise;
  }

  newFile(): string {
    return `${this.#folder.path}/${++this.#files}`;
  }

  isAlive(): Promise<boolean> {
    return isServed(this.socket);
  }

  /** Ours to leave, not to end. */
  kill(): void {
    const { name } = this.endpoint;
    this.#lost.resolve(
      new GridError({
        code: "lost",
        message: `Cannot go on with "${name}": your own connection (${this.socket}) was closed`,
        hint: `open it again: ${this.#reopen}`,
        node: name,
      }),
    );
  }

  // deno-lint-ignore require-await -- the interface's
  async [Symbol.asyncDispose](): Promise<void> {
    this.#folder[Symbol.dispose]();
  }
}
