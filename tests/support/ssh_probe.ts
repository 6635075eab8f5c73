/**
 * Tries to reach nodes, by `ssh` itself and by both transports: one JSON line in, one out. Runs where the
 * test has laid another home over the account's, see `fresh_home.ts`.
 */
import { TextLineStream } from "./text_lines.ts";
import { createPool } from "../../src/transport/pool.ts";
import type { Endpoint } from "../../src/transport/transport.ts";
import { keepDiary } from "./diary.ts";

export interface Question {
  readonly host: string;
  readonly env: Readonly<Record<string, string>>;
  /** Options of the plain `ssh`. */
  readonly options: readonly string[];
}

export interface Reached {
  /** What a command printed there. */
  readonly answer?: string;
  /** Why it was not reached. */
  readonly problem?: string;
  /** What Grid said on the way. */
  readonly lines: readonly string[];
}

export interface Probe {
  /** By `ssh`, without Grid. */
  readonly plain: { readonly answer: string; readonly said: string };
  readonly ssh: Reached;
  readonly openssh: Reached;
}

async function reach(endpoint: Endpoint, env: Readonly<Record<string, string>>): Promise<Reached> {
  using diary = keepDiary();
  try {
    await using pool = createPool({ handshakes: 1, env });
    const { stdout } = await pool.transport(endpoint).exec("echo in");
    return { answer: stdout, lines: diary.lines };
  } catch (error) {
    const { message, hint } = error as Error & { hint?: string };
    return { problem: `${message}; ${hint}`, lines: diary.lines };
  }
}

async function reachPlainly({ host, env, options }: Question): Promise<Probe["plain"]> {
  const { stdout, stderr } = await new Deno.Command("ssh", {
    args: ["-n", "-o", "BatchMode=yes", ...options, host, "echo in"],
    env,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { answer: decoder.decode(stdout), said: decoder.decode(stderr) };
}

async function probe(question: Question): Promise<Probe> {
  const env = { ...Deno.env.toObject(), ...question.env };
  const endpoint: Endpoint = {
    name: question.host,
    transport: "ssh",
    host: undefined,
    port: undefined,
    user: undefined,
    keyFile: undefined,
    knownHosts: undefined,
    proxyJump: undefined,
    connectTimeoutMs: 10_000,
    commandTimeoutMs: 20_000,
    keepaliveMs: 15_000,
    maxRetries: 0,
  };
  return {
    plain: await reachPlainly(question),
    ssh: await reach(endpoint, env),
    openssh: await reach({ ...endpoint, transport: "openssh" }, env),
  };
}

if (import.meta.main) {
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  for await (const line of lines) console.log(JSON.stringify(await probe(JSON.parse(line))));
}
