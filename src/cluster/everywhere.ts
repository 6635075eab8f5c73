/** One command on many nodes at once, as supervised jobs: what it printed and how it ended, by node. */
import { toGridError } from "../core/errors.ts";
import { randomWord } from "../core/ids.ts";
import { own } from "../core/own.ts";
import type { Job, JobExit } from "../transport/job/job.ts";
import { startJob } from "../transport/job/job_start.ts";
import type { OpenNode } from "./node.ts";

export interface EverywhereOptions {
  readonly command: string;
  readonly pathPrefix: (node: OpenNode) => readonly string[];
  /** Each node gives up after so long. */
  readonly timeoutMs?: number | undefined;
  readonly signal: AbortSignal;
  /** Called as each node ends. */
  readonly onEnd?: (() => void) | undefined;
}

export interface NodeOutput {
  readonly node: string;
  /** The command's own, 128 and the signal's number where one ended it; undefined where it did not end. */
  readonly code: number | undefined;
  /** Why there is no code. */
  readonly problem: string | undefined;
  readonly isTimeout: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Nobody reads more of a thousand nodes; the rest is dropped behind a mark. */
const MOST_BYTES = 2 ** 20;
const LEASE_MS = 60_000;
const KILL_GRACE_MS = 2000;

/**
 * All at once; what fails on one node is that node's result.
 *
 * @throws the signal's reason, once the jobs have been ended
 */
export async function runEverywhere(
  nodes: readonly OpenNode[],
  options: EverywhereOptions,
): Promise<readonly NodeOutput[]> {
  const results = await Promise.all(nodes.map(async (node) => {
    const result = await runOn(node, options);
    options.onEnd?.();
    return result;
  }));
  options.signal.throwIfAborted();
  return results;
}

async function runOn(open: OpenNode, options: EverywhereOptions): Promise<NodeOutput> {
  const { command, pathPrefix, timeoutMs, signal } = options;
  const output = { stdout: new BoundedOutput(), stderr: new BoundedOutput() };
  const result = (rest: Partial<NodeOutput>): NodeOutput => ({
    node: open.node.name,
    code: undefined,
    problem: undefined,
    isTimeout: false,
    stdout: output.stdout.text(),
    stderr: output.stderr.text(),
    ...rest,
  });
  const late = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const limit = late === undefined ? signal : AbortSignal.any([signal, late]);
  let job: Job | undefined;
  try {
    job = await startJob(open.transport, {
      id: `all-${randomWord(12)}`,
      root: open.root,
      command,
      shell: "bash",
      cwd: open.root,
      env: { GRID_NODE: open.node.name },
      secrets: {},
      pathPrefix: pathPrefix(open),
      detach: false,
      leaseMs: LEASE_MS,
    });
    const exit = await job.follow({
      signal: limit,
      onOutput: (stream, bytes) => output[stream].add(bytes),
    });
    await job.remove().catch(ignoreLink);
    return result(endOf(exit));
  } catch (thrown) {
    if (limit.aborted && job !== undefined) await end(job);
    if (late?.aborted && !signal.aborted) {
      return result({ problem: "its time is over", isTimeout: true });
    }
    const error = toGridError(thrown);
    if (error.code === "bug" && !signal.aborted) throw thrown;
    return result({ problem: error.message });
  }
}

async function end(job: Job): Promise<void> {
  // A node that is gone ends the job by itself, when nobody renews its lease.
  await job.kill({ graceMs: KILL_GRACE_MS }).then(() => job.remove()).catch(ignoreLink);
}

/** The result is known; files that stay are pruned later. */
function ignoreLink(thrown: unknown): void {
  if (toGridError(thrown).code === "bug") throw thrown;
}

/** As shells say it. */
const SIGNALS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

function endOf(exit: JobExit): Partial<NodeOutput> {
  switch (exit.kind) {
    case "code":
      return { code: exit.code };
    case "signal":
      return { code: 128 + (own(SIGNALS, exit.signal) ?? 0), problem: `ended by ${exit.signal}` };
    case "vanished":
      return { problem: "it left no exit code" };
  }
}

class BoundedOutput {
  readonly #decoder = new TextDecoder();
  #text = "";
  #bytes = 0;

  add(bytes: Uint8Array): void {
    const room = MOST_BYTES - this.#bytes;
    this.#bytes += bytes.length;
    if (room > 0) this.#text += this.#decoder.decode(bytes.subarray(0, room), { stream: true });
  }

  text(): string {
    const dropped = this.#bytes - MOST_BYTES;
    return dropped > 0 ? `${this.#text}\n[… ${dropped} more bytes]\n` : this.#text;
  }
}
