/** The app on a port. */
import { hostname } from "node:os";
import { GridError, refusedError } from "../core/errors.ts";
import type { WebApp } from "./app.ts";

export interface ServeOptions {
  /** 0: any that is free. */
  readonly port: number;
  /** An address, or a name that leads to this machine. */
  readonly host: string;
}

export interface WebServer extends AsyncDisposable {
  readonly port: number;
}

/** How long answers that are under way may take at the end. */
const GRACE_MS = 1000;

/** @throws {GridError} `conflict` where the port is taken, `permission` where it may not be used, `usage` */
export function serveApp(app: WebApp, { port, host }: ServeOptions): WebServer {
  const server = listen(app, { port, host });
  return {
    port: server.addr.port,
    [Symbol.asyncDispose]: async () => {
      app[Symbol.dispose]();
      let timer: ReturnType<typeof setTimeout> | undefined;
      const grace = new Promise<void>((resolve) => timer = setTimeout(resolve, GRACE_MS));
      await Promise.race([server.shutdown(), grace]);
      clearTimeout(timer);
    },
  };
}

function listen(app: WebApp, { port, host }: ServeOptions): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve(
      { port, hostname: host, onListen: () => {} },
      (request) => app.fetch(request),
    );
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) throw taken(port, error);
    const refused = refusedError(error, `listen on port ${port}`);
    if (refused) throw refused;
    throw notHere(host, error);
  }
}

/** Names that lead to this machine whatever its network looks like. */
export const OWN_NAMES: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** Also those under which other machines know it. */
export function publicNames(host: string): ReadonlySet<string> {
  return new Set([...OWN_NAMES, hostname().toLowerCase(), host.toLowerCase()]);
}

function taken(port: number, cause: unknown): GridError {
  return new GridError({
    code: "conflict",
    message: `Cannot listen on port ${port}: another program does, perhaps another grid serve`,
    hint: `take another: grid serve --port ${port + 1}; or any that is free: --port 0`,
    cause,
  });
}

function notHere(host: string, cause: unknown): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot listen on "${host}": it is no address of this machine`,
    hint: "this machine alone: leave --host out; all its addresses: --listen",
    cause,
  });
}
