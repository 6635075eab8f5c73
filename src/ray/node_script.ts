/** Runs longer scripts on a node on a channel of their own, with a deadline. */
import { withDeadline } from "../core/deadline.ts";
import { GridError } from "../core/errors.ts";
import { quote } from "../core/shell.ts";
import type { OpenNode } from "../cluster/node.ts";
import { boundedText } from "../transport/bounded_text.ts";
import type { ExecResult, Transport } from "../transport/transport.ts";
import { Greeting } from "../transport/greeting.ts";
import { nodePrelude, nodeProgram } from "../transport/node_program.ts";

export interface ScriptOptions {
  /** What the script does, to complete "Cannot …". */
  readonly purpose: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const PROGRAMS = ["ray_node.sh", "ray_logs.sh"];

/** The functions of the room's shell programs with the variables they read, then one call. */
export function rayNodeScript(
  node: OpenNode,
  call: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): string {
  const functions = PROGRAMS.map((name) => nodeProgram(name, import.meta.url)).join("\n");
  const all = { ROOT: node.root, NODE: node.node.name, ...variables };
  const assignments = Object.entries(all).map(([name, value]) => `${name}=${quote(value)}\n`);
  return `${nodePrelude()}\n${assignments.join("")}${functions}\n${call.map(quote).join(" ")}\n`;
}

/** A Python program of this room, run by the node's own environment. */
export function pythonCommand(
  node: OpenNode,
  program: { readonly file: string; readonly args: readonly string[] },
  env: Readonly<Record<string, string>> = {},
): string {
  const parts = ["ray_reach.py", program.file];
  const source = parts.map((name) => nodeProgram(name, import.meta.url)).join("\n");
  const assignments = Object.entries(env).map(([name, value]) => `${name}=${quote(value)}; `);
  const exports = Object.keys(env).map((name) => `export ${name}; `);
  const python = quote(`${node.root}/grid_env/bin/python3`);
  const args = program.args.map(quote).join(" ");
  // Somebody's start-up files may hold the token or the hooks of another Ray, or another Python's packages.
  const clean = "unset PYTHONPATH PYTHONHOME; " +
    "for name in $(env | sed -n 's/^\\(RAY_[A-Za-z0-9_]*\\)=.*/\\1/p'); do unset \"$name\"; done; ";
  return `cd /; ${clean}${assignments.join("")}${exports.join("")}` +
    `exec ${python} -c ${quote(source)} ${args}\n`;
}

/**
 * Feeds the script to `sh` on stdin: no length limit, no secret on a command line, and the
 * account's own login shell never sees it.
 *
 * @throws {GridError} `timed-out`, a transport code, or the signal's reason
 */
export async function runScript(
  node: OpenNode,
  script: string,
  options: ScriptOptions,
): Promise<ExecResult> {
  return await withDeadline((signal) => feedShell(node.transport, script, signal), {
    ms: options.timeoutMs,
    signal: options.signal,
    error: () =>
      new GridError({
        code: "timed-out",
        message: `Cannot ${options.purpose} on ${node.node.name}: no answer within ` +
          `${options.timeoutMs / 1000} s`,
        node: node.node.name,
      }),
  });
}

async function feedShell(
  transport: Transport,
  script: string,
  signal: AbortSignal,
): Promise<ExecResult> {
  await using channel = await transport.open("sh -s", { signal });
  const writer = channel.stdin.getWriter();
  const greeting = new Greeting();
  const text = greeting.ending + script;
  const write = writer.write(new TextEncoder().encode(text)).then(() => writer.close());
  const [answer, stderr, exit] = await Promise.all([
    boundedText(channel.stdout, { node: transport.endpoint.name }),
    boundedText(channel.stderr, { node: transport.endpoint.name }),
    channel.exit,
    // A shell that ends before it has read everything closes the pipe; its exit tells more.
    write.catch(() => undefined),
  ]);
  const stdout = greeting.pastText(answer);
  return { code: exit.kind === "code" ? exit.code : 128, stdout, stderr, cut: false };
}

/** What a Python program of ours says stands behind this mark; Ray prints around it. */
export function markedLine(text: string): string | undefined {
  return text.split("\n").find((line) => line.startsWith("grid:"))?.slice("grid:".length);
}

export function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.trim() || "it said nothing";
}

/**
 * Of what `ray start` says before it gives up: the last line that tells what went wrong. It ends with the
 * tail of a log, whose lines are mostly those of a start that went well.
 */
export function tellingLine(text: string): string {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const quiet = lines.filter((line) => !/\b(INFO|DEBUG)\b|^\[[^\]]*\b[ID]\b/.test(line));
  const telling = quiet.findLast((line) =>
    /error|fail|cannot|refused|denied|timed? ?out/i.test(line)
  );
  return telling ?? quiet.at(-1) ??
    (lines.length > 0 ? "it ended, and gave no reason" : "it said nothing");
}
