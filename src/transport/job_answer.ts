/** What `job.sh` answers, as values. */
import { constants } from "node:os";
import { GridError } from "../core/errors.ts";
import type { JobExit } from "./job.ts";
import type { ExecResult } from "./transport.ts";

/** Bytes per stream that an answer brings at most; more is streamed. Stands in `job.sh` too. */
export const INLINE_BYTES = 65_536;

export interface JobAnswer {
  readonly state: JobState;
  /** Of a job that runs or ended. */
  readonly collected: Collected | undefined;
}

export type JobState =
  | { readonly kind: "gone" | "starting" | "running" }
  | { readonly kind: "ended"; readonly exit: JobExit };

export interface Collected {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** Content of the file named by `$GRID_OUTPUT`, a little more than 1 MiB at most; once it ended. */
  readonly outputFile: string;
}

export interface AnswerOptions {
  readonly node: string;
  readonly job: string;
  /** Stands between the output file and what the command printed. */
  readonly word: string;
}

/**
 * Reads the answer of `grid_start` and `grid_collect`, taken as latin1.
 *
 * @throws {GridError} `workspace` where the node refused to start the job
 */
export function parseAnswer(result: ExecResult, options: AnswerOptions): JobAnswer {
  const end = result.stdout.indexOf("\n");
  const line = end < 0 ? result.stdout : result.stdout.slice(0, end);
  const rest = result.stdout.slice(end + 1);
  if (line.startsWith("refused ")) {
    throw refused(line.slice(8), { ...options, detail: rest.trim() });
  }
  const state = parseState(line, options);
  const boundary = `\n${options.word}\n`;
  const at = rest.indexOf(boundary);
  if (at < 0) return { state, collected: undefined };
  const outputFile = new TextDecoder().decode(bytesOf(rest.slice(0, at)));
  const stdout = bytesOf(rest.slice(at + boundary.length));
  return { state, collected: { outputFile, stdout, stderr: bytesOf(result.stderr) } };
}

/** @throws {GridError} `bug` for words that `job.sh` does not say */
export function parseState(line: string, { node, job }: Omit<AnswerOptions, "word">): JobState {
  const [kind, code, how, why] = line.trim().split(" ");
  switch (kind) {
    case "gone":
    case "starting":
    case "running":
      return { kind };
    case "vanished":
      return { kind: "ended", exit: { kind: "vanished" } };
    case "ended":
      return { kind, exit: exitOf(Number(code), { signalled: how === "signal", why: why ?? "-" }) };
    default:
      throw new GridError({
        code: "bug",
        message: `Cannot read the state of job "${job}" on "${node}": "${line}"`,
        node,
      });
  }
}

function exitOf(code: number, how: { signalled: boolean; why: string }): JobExit {
  if (!how.signalled) return { kind: "code", code };
  const signal = signalName(code - 128);
  return how.why === "lease" ? { kind: "signal", signal, by: "lease" } : { kind: "signal", signal };
}

function signalName(number: number): string {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found?.[0] ?? `SIG${number}`;
}

function refused(what: string, options: AnswerOptions & { readonly detail: string }): GridError {
  const { node, detail } = options;
  if (what === "cwd") {
    return new GridError({
      code: "workspace",
      message: `Cannot start the command on "${node}": folder "${detail}" cannot be entered`,
      hint: "sync the folder to this node before, or correct working-directory",
      node,
    });
  }
  return new GridError({
    code: "workspace",
    message: `Cannot start the command on "${node}": ${detail}`,
    hint: "look at the space and the permissions of remote_root",
    node,
  });
}

export function bytesOf(latin1: string): Uint8Array {
  const bytes = new Uint8Array(latin1.length);
  for (let index = 0; index < latin1.length; index++) bytes[index] = latin1.charCodeAt(index);
  return bytes;
}
