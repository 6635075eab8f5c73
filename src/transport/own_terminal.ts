/** A program that takes over the terminal that Grid runs in. */
import type { ChannelExit } from "./transport.ts";

export interface OwnTerminalOptions {
  readonly signal?: AbortSignal | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
}

/** It reads keys, hears of new sizes and restores the terminal by itself. */
export async function runInTerminal(
  [program = "", ...args]: readonly string[],
  { signal, env, cwd }: OwnTerminalOptions,
): Promise<ChannelExit> {
  const child = new Deno.Command(program, {
    args,
    ...(env && { env: { ...env } }),
    ...(cwd !== undefined && { cwd }),
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  const stop = () => {
    try {
      child.kill("SIGTERM");
      // An interactive shell hears of a hang-up alone.
      child.kill("SIGHUP");
    } catch (error) {
      // It has ended already.
      if (!(error instanceof Deno.errors.NotFound || error instanceof TypeError)) throw error;
    }
  };
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const { code, signal: ended } = await child.status;
    signal?.throwIfAborted();
    return ended === null ? { kind: "code", code } : { kind: "signal", signal: ended };
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}
