/** A logged-in `ssh` on whose socket others may open channels: one of Grid's, or the user's own. */
import type { GridError } from "../../core/errors.ts";
import type { Endpoint } from "../transport.ts";

export interface Carrier extends AsyncDisposable {
  readonly endpoint: Endpoint;
  /** For every `ssh` that is started. */
  readonly env: Readonly<Record<string, string>>;
  readonly socket: string;
  /** Settles with the reason when the connection is gone. */
  readonly lost: Promise<GridError>;
  /** A name that no other file has. */
  newFile(): string;
  /** Whether it still serves channels: it greets whoever knocks. */
  isAlive(): Promise<boolean>;
  /** It is given up. */
  kill(): void;
}

/** A master that stands still is as good as none. */
const GREETING_MS = 2000;

/** Whether somebody greets whoever knocks at the socket. */
export async function isServed(socket: string): Promise<boolean> {
  const knock = await Deno.connect({ transport: "unix", path: socket }).catch(() => {});
  if (!knock) return false;
  const greeting = knock.read(new Uint8Array(4)).then((count) => count !== null, () => false);
  const timeUp = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => timeUp.resolve(false), GREETING_MS);
  const isAlive = await Promise.race([greeting, timeUp.promise]);
  clearTimeout(timer);
  knock.close();
  return isAlive;
}
