/** What a connecting `ssh` says: how far it came, what it saw, and the words that explain its end. */

/** As far as the connection came. */
export type Phase = "tcp" | "banner" | "kex" | "auth" | "up";

/** More words than this explain nothing better. */
const MOST_WORDS = 100;

/** Lines of `LogLevel DEBUG1`; these have stood in OpenSSH for many years. */
const MILESTONES: readonly (readonly [RegExp, Phase])[] = [
  [/^Local version string /, "banner"],
  [/^Remote protocol version /, "kex"],
  [/^SSH2_MSG_NEWKEYS received/, "auth"],
  [/^Entering interactive session/, "up"],
];

export class MasterLog {
  #phase: Phase = "tcp";
  #host: string | undefined;
  #port: number | undefined;
  #user: string | undefined;
  #hostKey: string | undefined;
  readonly #offered: string[] = [];
  #accepted: string | undefined;
  #methods: readonly string[] | undefined;
  readonly #words: string[] = [];
  #killedBy: Deno.Signal | undefined;
  readonly #decoder = new TextDecoder();
  /** A line whose end has not come yet. */
  #begun = "";

  push(chunk: Uint8Array): void {
    const lines = (this.#begun + this.#decoder.decode(chunk, { stream: true })).split("\n");
    this.#begun = lines.pop() ?? "";
    for (const line of lines) this.#readLine(line);
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Where it connects to, once it says so; unknown behind a proxy until the key exchange. */
  get target(): {
    readonly host: string | undefined;
    readonly port: number | undefined;
    readonly user: string | undefined;
  } {
    return { host: this.#host, port: this.#port, user: this.#user };
  }

  /** `ED25519 SHA256:…`, as the server showed it. */
  get hostKey(): string | undefined {
    return this.#hostKey;
  }

  /** Keys offered to the server, in order. */
  get offered(): readonly string[] {
    return this.#offered;
  }

  /** The key that the server was content with last; `ssh` says it before the server has the last word. */
  get accepted(): string | undefined {
    return this.#accepted;
  }

  /** Ways to log in that the server would take next, by the names of RFC 4252. */
  get methods(): readonly string[] | undefined {
    return this.#methods;
  }

  /** What killed it: not the server, and not by its own doing. */
  get killedBy(): Deno.Signal | undefined {
    return this.#killedBy;
  }

  /** It has ended. */
  end({ signal }: Pick<Deno.CommandStatus, "signal">): void {
    this.#killedBy = signal ?? undefined;
  }

  /** Everything but debug lines and rows of `@`. */
  get words(): readonly string[] {
    return this.#words;
  }

  #readLine(line: string): void {
    const text = line.trimEnd();
    const debug = /^debug\d: (.*)$/.exec(text)?.[1];
    if (debug !== undefined) this.#readDebug(debug);
    else if (text !== "" && !/^@/.test(text) && this.#words.length < MOST_WORDS) {
      this.#words.push(text);
    }
  }

  #readDebug(text: string): void {
    const milestone = MILESTONES.find(([pattern]) => pattern.test(text));
    if (milestone && this.#phase !== "up") this.#phase = milestone[1];
    const connecting = /^Connecting to (\S+) (?:\[\S+\] )?port (\d+)/.exec(text) ??
      /^Authenticating to (\S+):(\d+) as '.*'/.exec(text);
    if (connecting) [this.#host, this.#port] = [connecting[1], Number(connecting[2])];
    this.#user = /^Authenticating to \S+ as '(.*)'/.exec(text)?.[1] ?? this.#user;
    const shown = /^Server host (?:key|certificate): (\S+) (SHA256:[^\s,]+)/.exec(text);
    if (shown) this.#hostKey = `${keyWord(shown[1] ?? "")} ${shown[2]}`;
    const offer = /^Offering public key: (.*?)(?: explicit)?$/.exec(text)?.[1];
    if (offer) this.#offered.push(offer.replace(/ explicit( agent)?$/, "$1"));
    this.#accepted = /^Server accepts key: (.*?)(?: explicit)?(?: agent)?$/.exec(text)?.[1] ??
      this.#accepted;
    const methods = /^Authentications that can continue: (\S+)/.exec(text)?.[1];
    if (methods) this.#methods = methods.split(",");
    // What a server says to those it turns away, instead of its banner.
    const line = /^kex_exchange_identification: banner line \d+: (.*)$/.exec(text)?.[1];
    if (line && this.#words.length < MOST_WORDS) this.#words.push(line);
  }
}

/** `ED25519` for `ssh-ed25519` and `ssh-ed25519-cert-v01@openssh.com`. */
function keyWord(type: string): string {
  return type.replace(/^(sk-)?(ssh-)?/, "").replace(/[-@].*$/, "").toUpperCase();
}
