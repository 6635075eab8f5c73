/** How a command and its bytes reach a node, whatever lies between. */

/** Where and how to reach a node; made by `cluster/config.ts`. */
export interface Endpoint {
  /** The node's name in the cluster; used in messages and as the `ssh` alias. */
  readonly name: string;
  /** `openssh` runs the system's own `ssh`; `ssh` needs no program. */
  readonly transport: "ssh" | "openssh" | "local";
  /** Undefined values are taken from the user's `~/.ssh/config`, then from OpenSSH's defaults. */
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly keyFile: string | undefined;
  readonly knownHosts: string | undefined;
  readonly proxyJump: string | undefined;
  /** Connect and handshake together. */
  readonly connectTimeoutMs: number;
  /** Grid's own short commands. */
  readonly commandTimeoutMs: number;
  readonly keepaliveMs: number;
  /** Further tries of a connection that failed in a way that may pass. */
  readonly maxRetries: number;
}

/** One node's command line. Reconnects by itself; safe for concurrent use. */
export interface Transport extends AsyncDisposable {
  readonly endpoint: Endpoint;

  /**
   * Runs a short command with POSIX `sh` and collects what it prints.
   * Commands share one long-lived remote shell, so a slow start-up file is paid once.
   *
   * @throws {GridError} a transport code, `timed-out` after the endpoint's command time, or
   * `answer-too-long` for more than `maxBytes` on stdout: a part of an answer is never taken for it
   */
  exec(command: string, options?: ExecOptions): Promise<ExecResult>;

  /**
   * Runs a command that waits for something on the node, and returns what it printed. It lives in the
   * long-lived shell, so that what it starts belongs to that shell; whenever another command needs the
   * shell it is asked to end, as `stop` does, by a line on its stdin.
   *
   * @throws {GridError} a transport code, or `timed-out` where it was asked to end and nothing came for
   * the endpoint's command time
   */
  wait(command: string, options: WaitOptions): Promise<Uint8Array>;

  /**
   * Starts a command on a channel of its own and streams its bytes both ways.
   * Neither end is interpreted: the command starts in the account's home with its plain environment.
   *
   * @throws {GridError} a transport code where the channel cannot be opened
   */
  open(command: string, options?: OpenOptions): Promise<Channel>;

  /**
   * Connects to a TCP port as the node sees it. Each call is a connection of its own.
   *
   * @throws {GridError} `tcp` where nobody listens there, `channel` where the server forbids it, or another
   * transport code
   */
  dial(target: DialTarget, options?: OpenOptions): Promise<Dialed>;

  /**
   * Runs a command on a terminal of the node, or the account's login shell, until it ends. The person's
   * own terminal is its window meanwhile.
   *
   * @throws {GridError} a transport code
   */
  terminal(screen: Screen, options?: TerminalOptions): Promise<ChannelExit>;

  /** Whether its commands see the files of this machine, as our account does. Absent: no. */
  readonly isHere?: boolean;

  /**
   * Much is about to be sent over a channel that is opened with `isBulk`. Tells, once it is known, whether
   * such a channel goes a way of its own by now. Absent where that is all the same.
   */
  expectBulk?(): Promise<boolean>;

  /**
   * Lets go of connections that nobody uses; whatever is asked next connects again. Does nothing where there
   * are none.
   */
  rest?(): Promise<void>;

  readonly stats: TransportStats;
}

/** The terminal that a person sits at. */
export interface Screen {
  /** Its kind, as TERM says it. */
  readonly term: string;
  size(): ScreenSize;
  /** Calls back when it was resized, until it is disposed. */
  onResize(changed: () => void): Disposable;
  /** Hands every key on as it is, until it is disposed. */
  raw(): Disposable;
  readonly input: ReadableStream<Uint8Array>;
  write(bytes: Uint8Array): Promise<void>;
}

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

export interface TerminalOptions extends OpenOptions {
  /** For POSIX `sh`; default: the account's login shell. */
  readonly command?: string | undefined;
  /** Offered to the node, which takes what its server allows: `LANG` and the like. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface DialTarget {
  /** As the node knows it, such as 127.0.0.1. */
  readonly host: string;
  readonly port: number;
}

/** A TCP connection; closing the writable end tells the other side that no more comes. */
export interface Dialed extends AsyncDisposable {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

export interface ExecOptions {
  readonly stdin?: string | Uint8Array | undefined;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Bytes per stream; default 4 MiB. More on stdout is an error, more on stderr is cut and marked. */
  readonly maxBytes?: number | undefined;
  /** The caller looks at `cut` itself; a longer answer is no error then. */
  readonly mayBeCut?: boolean | undefined;
  /** What it prints on stderr is nobody's business, and stays there: half as many packets for a short answer. */
  readonly dropsStderr?: boolean | undefined;
  /**
   * The command calls a `grid_` function of `library` that leaves its answer in `grid_answer`, reads nothing, and
   * leaves the shell as it was: it needs no process of its own, and the answer comes in one piece. What it prints
   * is lost. A command that is more than such a call is refused. No `stdin`.
   */
  readonly answers?: boolean | undefined;
  /** `latin1` keeps every byte as one character; default `utf-8`, broken sequences replaced. */
  readonly encoding?: "utf-8" | "latin1" | undefined;
  /** Constant shell functions that the command calls; each shell reads them once. */
  readonly library?: string | undefined;
}

export interface WaitOptions {
  /** Bytes of the longest answer; a longer one is an error. Default 4 MiB. */
  readonly maxBytes?: number | undefined;
  /** Asks the command to end and to tell what it knows. */
  readonly stop: AbortSignal;
  /** Constant shell functions that the command calls; each shell reads them once. */
  readonly library?: string | undefined;
}

export interface ExecResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** There was more on stdout than is in `stdout`; only where the caller allowed it. */
  readonly cut: boolean;
}

export interface OpenOptions {
  readonly signal?: AbortSignal | undefined;
  /** May go another way, which is faster for much; see `expectBulk`. */
  readonly isBulk?: boolean | undefined;
}

export interface Channel extends AsyncDisposable {
  /** A chunk whose write has settled is not looked at any more: it may be filled anew, or given away. */
  readonly stdin: WritableStream<Uint8Array>;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  /** Settles when the command ended; rejects with `lost` when the way to it broke. */
  readonly exit: Promise<ChannelExit>;
  /**
   * Has another program give the command the next bytes of this process's own standard input, which is a
   * file: none of them comes by here. Absent where no program can.
   *
   * @param bytes a whole number of MiB
   * @returns whether it was given all of them; where not, nobody knows how many
   */
  readonly passInput?: ((bytes: number, signal: AbortSignal) => Promise<boolean>) | undefined;
}

export type ChannelExit =
  | { readonly kind: "code"; readonly code: number }
  | { readonly kind: "signal"; readonly signal: string };

/** Counters since the transport was made. */
export interface TransportStats {
  readonly handshakes: number;
  readonly reconnects: number;
  readonly channels: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Last measured round trip in milliseconds. */
  readonly roundTripMs: number | undefined;
  /**
   * Milliseconds that connections have waited here for their turn, the one that waits now included. No
   * node is to be blamed for these.
   */
  readonly queuedMs?: number;
  /** A connection is being made, and nothing was heard for longer than those that answer need. */
  readonly isSilent?: boolean;
}

/** Hands out one transport per endpoint and bounds the handshakes under way at once. */
export interface TransportPool extends AsyncDisposable {
  /** Cheap and lazy: the connection is made by the first command. */
  transport(endpoint: Endpoint): Transport;
  /** By node name. */
  stats(): ReadonlyMap<string, TransportStats>;
}
