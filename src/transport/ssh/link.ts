/** What a node's channels are opened on, by whichever way the connection was made. */
import type {
  Channel,
  ChannelExit,
  Dialed,
  DialTarget,
  Screen,
  TerminalOptions,
} from "../transport.ts";

export interface Link extends AsyncDisposable {
  /** False once it is lost. */
  readonly usable: boolean;
  /** Channels open or being opened. */
  readonly load: number;
  readonly idleMs: number;
  /** Of the last `measure`; undefined where nobody can tell. */
  readonly roundTripMs: number | undefined;
  /**
   * Files of the keys that opened it, and nothing but these: its own and those of jump hosts. Undefined where
   * an agent, a person or an open connection had a part in it.
   */
  readonly keyFiles?: readonly string[] | undefined;

  /** @throws {ChannelRefused} or {GridError} a transport code */
  open(command: string, onAbandoned?: () => void): Promise<LinkChannel>;
  /** @throws {GridError} `tcp`, `channel`, `lost` */
  dial(target: DialTarget): Promise<Dialed>;
  /** @throws {ChannelRefused} or {GridError} a transport code */
  terminal(screen: Screen, options: TerminalOptions): Promise<ChannelExit>;
  /** A link that gives no sign of life within `ms` is given up. @throws {GridError} `lost` */
  probe(ms: number): Promise<void>;
  measure(): Promise<void>;
}

export interface LinkChannel extends Channel {
  /** Settles when the server has let go of the channel, or the link is lost. */
  readonly closed: Promise<void>;
}

/** The server had no room for one more channel; another may fit later, or elsewhere. */
export class ChannelRefused extends Error {
  override readonly name = "ChannelRefused";
}
