/** From nothing to a login: name, TCP, banner, key exchange, host key, login; one deadline, one error. */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Client } from "./ssh2_library.ts";
import { monotonic } from "../../core/clock.ts";
import { withDeadline } from "../../core/deadline.ts";
import { GridError } from "../../core/errors.ts";
import type { Shaking } from "../handshakes.ts";
import type { Address } from "./address.ts";
import { AES, CHACHA, HOST_KEYS, KEX, MACS, STRICT_KEX } from "./algorithms.ts";
import { type Credentials, findCredentials } from "./auth.ts";
import { authError } from "./auth_problem.ts";
import { Beyond } from "./beyond.ts";
import { connectTcp } from "./dial.ts";
import { slowHint } from "./login_time.ts";
import { hostKeyError, judge, orderHostKeyAlgorithms, readTrust } from "./host_keys.ts";
import {
  ignoreOtherHostKeys,
  onAuthFailure,
  sendWholePackets,
  signAtOnce,
} from "./ssh2_internals.ts";
import ssh2 from "./ssh2_library.ts";

export interface HandshakeOptions {
  /** For all phases together. */
  readonly timeoutMs: number;
  /** 0 turns it off. */
  readonly keepaliveMs: number;
  /** Instead of a TCP connection: a channel through a jump host. */
  readonly through?: (() => Promise<Duplex>) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of what the server sends, and asked when the login may begin; default: at once. */
  readonly shaking?: Shaking | undefined;
}

/** The cause where the server closed the connection before anything began: a later try may fare better. */
export class TurnedAway extends Error {}

type Phase = "tcp" | "banner" | "kex" | "auth";

export interface Login {
  readonly client: Client;
  /** Of the key that alone was enough; undefined where it was the agent's, or not alone. */
  readonly keyFile: string | undefined;
}

/**
 * @throws {GridError} `dns` `tcp` `banner` `kex` `host-key` `auth` or `penalty`: where it stopped
 */
export async function handshake(address: Address, options: HandshakeOptions): Promise<Login> {
  const credentials = await findCredentials(address);
  const attempt = new Attempt(address, credentials);
  return await withDeadline(
    async (signal) => {
      // ssh2's ChaCha20 keeps its counter in one place for all connections, and writing to a tunnel
      // encrypts a second time before the first has ended.
      const withChacha = options.through === undefined;
      const client = await attempt.run({ ...options, signal, withChacha });
      const loggedIn = client ?? await attempt.run({ ...options, signal, withChacha: false });
      if (!loggedIn) throw attempt.failed("kex", "no cipher is safe with this server");
      return { client: loggedIn, keyFile: attempt.keyFile };
    },
    {
      ms: options.timeoutMs,
      error: () => attempt.tooSlow(options.timeoutMs),
      signal: options.signal,
      queuedMs: () => attempt.queuedMs,
    },
  );
}

interface RunOptions extends HandshakeOptions {
  readonly signal: AbortSignal;
  readonly withChacha: boolean;
}

class Attempt {
  readonly #address: Address;
  readonly #credentials: Credentials;
  #phase: Phase = "tcp";
  /** What the server said before the key exchange: its banner and its first, readable packet. */
  #preface = "";
  #hostKeyProblem: GridError | undefined;
  /** Ways to log in that the server would take next. */
  #methods: readonly string[] | undefined;
  /** Numbers of the keys offered so far; the last one is under way. */
  #asked = 0;
  readonly #accepted = new Set<string>();
  #queuedMs = 0;
  #queuedSince: number | undefined;
  /** ChaCha20 was agreed on with a server without strict key exchange. */
  #isChachaUnsafe = false;

  constructor(address: Address, credentials: Credentials) {
    this.#address = address;
    this.#credentials = credentials;
  }

  /** Undefined where the server needs another try without the fast cipher. */
  async run(options: RunOptions): Promise<Client | undefined> {
    const { signal } = options;
    this.#phase = "tcp";
    this.#preface = "";
    const sock = await (options.through?.() ?? connectTcp(this.#address, signal));
    this.#phase = "banner";
    const client = new ssh2.Client();
    const onAbort = () => sock.destroy();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await this.#knock(sock, options.shaking);
      return await this.#login(client, { ...options, sock });
    } catch (error) {
      sock.destroy();
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Until the server has said its first word, and it is our turn to answer. */
  async #knock(sock: Duplex, shaking: Shaking | undefined): Promise<void> {
    if (shaking === undefined) return;
    const { promise: broken, reject } = Promise.withResolvers<never>();
    const { promise: readable, resolve } = Promise.withResolvers<void>();
    const onError = (error: Error) => reject(this.#explain(error));
    const onClose = () => onError(new Error("the server closed the connection"));
    sock.once("error", onError).once("close", onClose).once("readable", resolve);
    try {
      await Promise.race([readable, broken]);
      const since = monotonic();
      this.#queuedSince = since;
      await Promise.race([shaking.turn(), broken]);
      this.#queuedMs += monotonic() - since;
    } finally {
      this.#queuedSince = undefined;
      sock.off("error", onError).off("close", onClose).off("readable", resolve);
    }
  }

  /** See `Login`. */
  get keyFile(): string | undefined {
    return this.#accepted.size > 0 ? undefined : this.#credentials.keyFiles[this.#asked - 1];
  }

  /** Milliseconds that the server had to wait for us. */
  get queuedMs(): number {
    return this.#queuedMs + (this.#queuedSince === undefined ? 0 : monotonic() - this.#queuedSince);
  }

  tooSlow(ms: number): GridError {
    const state = {
      tcp: `no answer to the connection within ${ms} ms`,
      banner: `it accepted the connection, but sent no SSH banner within ${ms} ms`,
      kex: `the key exchange did not end within ${ms} ms`,
      auth: `the login did not end within ${ms} ms`,
    }[this.#phase];
    const { code, message, node, hint } = this.failed(this.#phase, state);
    if (this.#phase === "tcp") return new GridError({ code, message, node, hint });
    return new GridError({ code, message, node, hint: slowHint(ms) });
  }

  failed(code: GridError["code"], state: string, cause?: unknown): GridError {
    const { node, host, port } = this.#address;
    return new GridError({
      code,
      message: `Cannot connect to "${node}" (${host} port ${port}): ${state}`,
      hint: cause instanceof Beyond
        ? "let ssh itself agree with it: transport: openssh for this node in cluster_config.yaml"
        : code === "penalty"
        ? "the server turns new connections away for a while; try later, or lower ssh.pool_size"
        : `look at it by hand: ssh -v -p ${port} ${this.#address.user}@${host}`,
      node,
      cause,
    });
  }

  #login(
    client: Client,
    options: RunOptions & { readonly sock: Duplex },
  ): Promise<Client | undefined> {
    const { sock } = options;
    const { promise, resolve, reject } = Promise.withResolvers<Client | undefined>();
    const trust = readTrust(this.#address);
    const sniff = (data: Uint8Array) => {
      options.shaking?.heard();
      if (this.#phase === "banner") this.#phase = "kex";
      if (this.#preface.length < 4096) this.#preface += new TextDecoder("latin1").decode(data);
    };
    const methods = [...this.#credentials.methods];
    client
      .on("handshake", (negotiated) => {
        // Told again each time that the keys are made anew.
        if (this.#phase === "auth") return;
        sock.off("data", sniff);
        const usesChacha = negotiated.cs.cipher === CHACHA || negotiated.sc.cipher === CHACHA;
        if (usesChacha && !this.#preface.includes(STRICT_KEX)) {
          this.#isChachaUnsafe = true;
          client.destroy();
          return resolve(undefined);
        }
        this.#phase = "auth";
        // What holds the connection holds this, too.
        this.#preface = "";
      })
      .on("ready", () => resolve(client))
      .on("error", (error) => reject(this.#explain(error)))
      .on("close", () => reject(this.#explain(new Error("the server closed the connection"))));
    client.connect({
      sock,
      username: this.#address.user,
      readyTimeout: 0,
      keepaliveInterval: options.keepaliveMs,
      keepaliveCountMax: 3,
      algorithms: {
        kex: KEX,
        serverHostKey: orderHostKeyAlgorithms(HOST_KEYS, trust) as typeof HOST_KEYS,
        cipher: options.withChacha ? [CHACHA, ...AES] : AES,
        hmac: MACS,
        compress: ["none"],
      },
      hostVerifier: (key: Uint8Array) => {
        this.#hostKeyProblem = hostKeyError(judge(trust, key), { address: this.#address, key });
        return this.#hostKeyProblem === undefined;
      },
      // deno-lint-ignore no-explicit-any -- the types lack `false` for "nothing left"
      authHandler: (() => (this.#asked++, methods.shift() ?? false)) as any,
    });
    ignoreOtherHostKeys(client);
    signAtOnce(client);
    // A tunnel has its own way of sending.
    if (sock instanceof Socket) sendWholePackets(client, sock);
    onAuthFailure(client, (left, isPartial) => {
      this.#methods = left;
      const offered = this.#credentials.offered[this.#asked - 1];
      if (isPartial && offered !== undefined) this.#accepted.add(offered);
    });
    sock.on("data", sniff);
    return promise;
  }

  #explain(error: Error & { readonly level?: string }): GridError {
    if (this.#hostKeyProblem) return this.#hostKeyProblem;
    const state = error.message.replace(/^Handshake failed: /, "");
    const turnedAway = new TurnedAway(error.message, { cause: error });
    switch (this.#phase) {
      case "tcp":
      case "banner":
        return this.failed(
          "banner",
          `it closed the connection before its SSH banner (${state})`,
          turnedAway,
        );
      case "kex":
        return this.#explainKex(state, turnedAway);
      case "auth":
        if (error.level === "client-authentication" || /too many auth/i.test(error.message)) {
          return authError(this.#address, {
            credentials: this.#credentials,
            answer: { methods: this.#methods, accepted: [...this.#accepted] },
          });
        }
        return this.failed("auth", `the connection ended during the login (${state})`, error);
    }
  }

  /** OpenSSH says one plain line to those it turns away before the banner. */
  #explainKex(state: string, turnedAway: TurnedAway): GridError {
    if (/Not allowed at this time/.test(this.#preface)) {
      return this.failed(
        "penalty",
        "the server penalises this address (PerSourcePenalties)",
        turnedAway,
      );
    }
    if (/Exceeded MaxStartups/.test(this.#preface)) {
      return this.failed(
        "banner",
        "the server has too many logins under way (MaxStartups)",
        turnedAway,
      );
    }
    if (!this.#preface.includes("SSH-2.0-") && !this.#preface.includes("SSH-1.99-")) {
      return this.failed("banner", "what answers there does not speak SSH 2", turnedAway.cause);
    }
    if (!/no matching/i.test(state)) return this.failed("kex", state, turnedAway.cause);
    const lacking = this.#isChachaUnsafe
      ? "its only cipher in common, ChaCha20, is safe only with strict key exchange, " +
        "which it does not do (CVE-2023-48795)"
      : state;
    return this.failed("algorithm", lacking, new Beyond(`with Grid's own SSH there is ${state}`));
  }
}
