/** One `grid cluster start` or `stop` at a time per workspace of a head. */
import { withDeadline } from "../core/deadline.ts";
import { GridError } from "../core/errors.ts";
import { getLogger } from "../core/log.ts";
import { Greeting } from "../transport/greeting.ts";
import type { OpenNode } from "../cluster/node.ts";
import { rayNodeScript } from "./node_script.ts";

/** A start on a busy machine, with its second try, takes no longer. */
const PATIENCE_MS = 600_000;

/**
 * The lock goes with the connection, whatever becomes of this process.
 *
 * @throws {GridError} `ray` where another one takes too long, a transport code, or the signal's reason
 */
export async function lockCluster(head: OpenNode, signal: AbortSignal): Promise<AsyncDisposable> {
  const channel = await head.transport.open("sh -s", { signal });
  const writer = channel.stdin.getWriter();
  const release = async () => {
    await writer.close().catch(() => undefined);
    await channel[Symbol.asyncDispose]();
  };
  try {
    const script = rayNodeScript(head, ["ray_lock"], { BIN: `${head.root}/grid_env/bin` });
    const greeting = new Greeting();
    await writer.write(new TextEncoder().encode(greeting.ending + script));
    const words = channel.stdout.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform: (bytes, controller) => controller.enqueue(greeting.past(bytes)),
      }),
    );
    await withDeadline((signal) => waitForLock(words, head, signal), {
      ms: PATIENCE_MS,
      signal,
      error: () =>
        new GridError({
          code: "ray",
          message:
            `Cannot start or stop Ray: another grid cluster is still at it on ${head.node.name}`,
          hint: "See who runs grid cluster there; its lock goes when it ends",
          node: head.node.name,
        }),
    });
  } catch (error) {
    await release();
    throw error;
  }
  return { [Symbol.asyncDispose]: release };
}

async function waitForLock(
  stdout: ReadableStream<Uint8Array>,
  head: OpenNode,
  signal: AbortSignal,
): Promise<void> {
  const reader = stdout.getReader();
  using _stop = { [Symbol.dispose]: () => reader.releaseLock() };
  let text = "";
  while (!text.includes("locked")) {
    signal.throwIfAborted();
    const { value, done } = await reader.read();
    // Without a lock there is no Python: what comes next says so.
    if (done) return;
    const fresh = new TextDecoder().decode(value);
    if (fresh.includes("wait")) {
      getLogger("ray").info("{node}: another grid cluster is at work there; waiting for it", {
        node: head.node.name,
      });
    }
    text += fresh;
  }
}
