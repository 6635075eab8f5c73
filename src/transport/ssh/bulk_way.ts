/**
 * For what is large: a connection of the system's `ssh` beside Grid's own, whose encryption is native and takes
 * no time of this process. It logs in with the very keys that opened the other one, and is used only where
 * it led to the same machine and account. Where any of that is not so, nobody hears of it.
 */
import { GridError } from "../../core/errors.ts";
import { getLogger } from "../../core/log.ts";
import type { LoneChannel } from "../openssh/lone_channel.ts";
import type { Link, LinkChannel } from "./link.ts";

const log = getLogger("transport");

export interface BesideRequest {
  /** See `Link.keyFiles`. */
  readonly keyFiles: readonly string[];
  readonly whereCommand: string;
  readonly onBytes: (direction: "sent" | "received", count: number) => void;
  readonly onAbandoned: () => void;
  readonly signal: AbortSignal;
}

/** Logs in once more, without asking anybody. */
export type ConnectBeside = (request: BesideRequest) => Promise<LoneChannel>;

export interface BulkWayOptions {
  readonly node: string;
  readonly connect: ConnectBeside;
  /** Grid's own. */
  readonly own: () => Promise<Link>;
  /** Runs a command over Grid's own; gives back what it prints. */
  readonly exec: (command: string) => Promise<string>;
  readonly onBytes: BesideRequest["onBytes"];
}

/** How long a channel waits for a login that is under way. */
const PATIENCE_MS = 500;
/** Which machine, by its boot, its name and the address that was reached; and which account. */
const WHERE = "grid_boot=-; [ ! -r /proc/sys/kernel/random/boot_id ] || " +
  "read -r grid_boot </proc/sys/kernel/random/boot_id; " +
  'set -- $SSH_CONNECTION; echo "$grid_boot $(uname -n) $(id -u) at ${3-}"';

/** A login, and who is to be told where its command was given up. */
interface Waiting {
  readonly channel: Promise<LoneChannel | undefined>;
  onAbandoned: () => void;
}

export class BulkWay implements AsyncDisposable {
  readonly #options: BulkWayOptions;
  readonly #closing = new AbortController();
  #waiting: Waiting | undefined;
  readonly #open = new Set<LoneChannel>();
  readonly #late = new Set<Promise<void>>();
  /** Not tried again: it would be a login that fails each time. */
  #isHopeless = false;
  /** Somebody else answered than before: nothing large is sent then, by whatever way. */
  #refusal: GridError | undefined;
  handshakes = 0;

  constructor(options: BulkWayOptions) {
    this.#options = options;
  }

  /** Much is about to be sent: the login begins. Tells in the end whether `open` has anything to say. */
  async expect(): Promise<boolean> {
    if (!this.#isHopeless && this.#waiting === undefined) {
      const waiting: Waiting = {
        channel: this.#connect(() => waiting.onAbandoned()).catch((error) => this.#giveUp(error)),
        onAbandoned: () => {},
      };
      this.#waiting = waiting;
    }
    return await this.#waiting?.channel !== undefined || this.#refusal !== undefined;
  }

  /**
   * Undefined where nothing was expected, or there is no such connection.
   *
   * @throws {GridError} `host-key` where somebody else answered than before
   */
  async open(line: string, onAbandoned: () => void): Promise<LinkChannel | undefined> {
    if (this.#refusal !== undefined) throw this.#refusal;
    const waiting = this.#waiting;
    if (waiting === undefined) return undefined;
    const timeUp = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => timeUp.resolve(undefined), PATIENCE_MS);
    const lone = await Promise.race([waiting.channel, timeUp.promise]);
    clearTimeout(timer);
    if (this.#refusal !== undefined) throw this.#refusal;
    if (this.#waiting !== waiting) return undefined;
    this.#waiting = undefined;
    if (lone === undefined) {
      // One that comes too late is nobody's.
      this.#late.add(waiting.channel.then((late) => late?.[Symbol.asyncDispose]()));
      return undefined;
    }
    waiting.onAbandoned = onAbandoned;
    try {
      return await lone.run(line);
    } catch (error) {
      await lone[Symbol.asyncDispose]();
      return this.#giveUp(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isHopeless = true;
    this.#closing.abort(new Error("its transport is closed"));
    await this.#waiting?.channel;
    await Promise.all(this.#late);
    await Promise.all([...this.#open].map((lone) => lone[Symbol.asyncDispose]()));
  }

  async #connect(onAbandoned: () => void): Promise<LoneChannel> {
    const { connect, own, exec, onBytes } = this.#options;
    const { signal } = this.#closing;
    const { keyFiles } = await own();
    if (keyFiles === undefined) throw new Error("more than keys in files opened the connection");
    const here = exec(WHERE);
    here.catch(() => {});
    const lone = await connect({ keyFiles, whereCommand: WHERE, signal, onBytes, onAbandoned });
    this.handshakes++;
    this.#open.add(lone);
    if (/ at \S/.test(lone.where) && lone.where === (await here.catch(() => "")).trim()) {
      return lone;
    }
    await lone[Symbol.asyncDispose]();
    throw new Error("it leads elsewhere");
  }

  #giveUp(error: unknown): undefined {
    this.#isHopeless = true;
    if (error instanceof GridError && error.code === "host-key") {
      this.#refusal = error;
      log.warn("{problem}", { problem: error.message });
      return undefined;
    }
    log.debug("{node}: what is large does not go through ssh: {problem}", {
      node: this.#options.node,
      problem: String(error),
    });
    return undefined;
  }
}
