/** A connection from the node to a port: a child `ssh` that carries it over a master. */
import { forwardingForbidden, nobodyListens, RefusedByPeer } from "../dial_problem.ts";
import type { GridError } from "../../core/errors.ts";
import type { Dialed, DialTarget } from "../transport.ts";
import type { Carrier } from "./carrier.ts";
import { sessionIn, spawnDial } from "./mux_client.ts";

/** Of what ssh says; more is never needed. */
const MOST_WORDS = 8192;

/** The connection, or why the server did not make it. */
export async function dialThrough(
  master: Carrier,
  target: DialTarget,
): Promise<Dialed | { readonly refused: GridError }> {
  const child = spawnDial(master, target);
  const opened = Promise.withResolvers<boolean>();
  let said = "";
  // Read to its end, so that ssh never waits for us.
  const listening = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      if (said.length < MOST_WORDS) said += text;
      if (sessionIn(said) === "opened") opened.resolve(true);
    }
    opened.resolve(false);
  })();
  listening.catch(() => opened.resolve(false));
  if (await opened.promise) return dialedBy(child);
  await Promise.allSettled([child.stdin.abort(), child.stdout.cancel()]);
  await child.status;
  const place = { node: master.endpoint.name, ...target };
  if (/administratively prohibited/.test(said)) return { refused: forwardingForbidden(place) };
  const [, why = "connection refused"] = /open failed: (?:connect failed: )?(.*)/.exec(said) ?? [];
  const cause = /refused by peer/.test(said) ? new RefusedByPeer(said.trim()) : undefined;
  return { refused: nobodyListens(place, { state: why.trim(), cause }) };
}

function dialedBy(child: Deno.ChildProcess): Dialed {
  return {
    readable: child.stdout,
    writable: child.stdin,
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGTERM");
      } catch (error) {
        // It has ended already.
        if (!(error instanceof Deno.errors.NotFound || error instanceof TypeError)) throw error;
      }
      await Promise.allSettled([child.stdin.abort(), child.stdout.cancel()]);
      await child.status;
    },
  };
}
