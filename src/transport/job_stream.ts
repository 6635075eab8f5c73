/** Bytes of a running job, over a channel of their own, for as long as the link holds. */
import { systemClock } from "../core/clock.ts";
import { randomWord } from "../core/ids.ts";
import type { FollowOptions } from "./job.ts";
import { parseState } from "./job_answer.ts";
import { isLinkFailure, type JobLink } from "./job_link.ts";
import { jobCall, jobLibrary } from "./job_script.ts";
import { SHELL_COMMAND } from "./shell_channel.ts";
import { Preamble } from "./shell_frame.ts";
import { frameMarkers } from "./shell_script.ts";
import type { Channel } from "./transport.ts";

export interface StreamOptions extends FollowOptions {
  /** Wait for more until the job ends, or only bring what is left. */
  readonly mode: "follow" | "rest";
  readonly offset: { readonly stdout: number; readonly stderr: number };
}

/** Rest after a channel that could not be opened. */
const RETRY_MS = 200;
/** Longest time between two signs of life from and to the node. */
const RENEW_MS = 15_000;

/**
 * Returns when the job ended, or when the link broke: the caller looks which, and goes on.
 *
 * @throws the signal's reason, or what `onOutput` throws
 */
export async function streamJob(link: JobLink, options: StreamOptions): Promise<void> {
  const ending = new AbortController();
  const stop = AbortSignal.any([options.signal, ending.signal]);
  try {
    await using channel = await link.transport.open(SHELL_COMMAND, { signal: options.signal });
    const close = async () => await channel[Symbol.asyncDispose]();
    stop.addEventListener("abort", close, { once: true });
    const beating = beat(link, { signal: stop }).then(() => ending.abort());
    try {
      await transfer(channel, await scriptOf(link, options), options);
    } finally {
      ending.abort();
      await beating;
    }
  } catch (error) {
    options.signal.throwIfAborted();
    if (!isLinkFailure(error)) throw error;
    await systemClock.sleep(RETRY_MS, { signal: options.signal });
  }
  options.signal.throwIfAborted();
}

interface Script {
  readonly text: string;
  readonly start: Uint8Array;
}

async function scriptOf(link: JobLink, { mode, offset }: StreamOptions): Promise<Script> {
  const { root, id } = link.identity;
  const word = randomWord(20);
  const name = mode === "follow" ? "grid_follow" : "grid_rest";
  const call = jobCall(name, [root, id, offset.stdout, offset.stderr]);
  const text = `${await jobLibrary()}\n` +
    // Read as a whole before it runs: nothing else may be left on the stdin that it watches.
    `{ printf '\\036<${word}\\036'; printf '\\036<${word}\\036' >&2; ${call}; exit; }\n`;
  return { text, start: frameMarkers(word).start };
}

async function transfer(
  channel: Channel,
  { text, start }: Script,
  { onOutput }: StreamOptions,
): Promise<void> {
  const writer = channel.stdin.getWriter();
  const written = writer.write(new TextEncoder().encode(text)).catch(() => {});
  try {
    const pump = async (stream: "stdout" | "stderr") => {
      const preamble = new Preamble(start);
      for await (const chunk of readable(channel[stream])) {
        const bytes = preamble.strip(chunk);
        if (bytes.length > 0) await onOutput(stream, bytes);
      }
    };
    await Promise.all([pump("stdout"), pump("stderr")]);
  } finally {
    await writer.abort().catch(() => {});
    await written;
  }
}

/** Ends quietly where the link breaks. */
async function* readable(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read().catch(() => ({ value: undefined, done: true }));
      if (done || value === undefined) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** Shows the node that the runner lives, until the job is not running or the node not answering. */
async function beat(link: JobLink, { signal }: { readonly signal: AbortSignal }): Promise<void> {
  const everyMs = Math.min(link.identity.leaseMs / 3, RENEW_MS);
  const context = { node: link.node, job: link.identity.id };
  try {
    for (;;) {
      const { stdout } = await link.call("grid_renew", [randomWord(8)], { signal });
      // The follower ends by itself when the job does, after it brought everything.
      if (parseState(stdout, context).kind !== "running") await systemClock.sleep(1000, { signal });
      await systemClock.sleep(everyMs, { signal });
    }
  } catch (error) {
    if (!signal.aborted && !isLinkFailure(error)) throw error;
  }
}
