/** Nodes that shall get no new work: notes on the node itself, which all accounts see. */
import { clockShift, systemClock } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";
import { randomWord } from "../core/ids.ts";
import { quote } from "../core/shell.ts";
import { nodePrelude, nodeProgram } from "../transport/node_program.ts";
import type { Transport } from "../transport/transport.ts";
import type { Drain } from "./node.ts";

/** Characters of a reason: a row of a table, and a file that nobody takes for anything else. */
export const LONGEST_REASON = 200;

export interface DrainOptions {
  /** Undefined takes the note back. */
  readonly reason: string | undefined;
  /** It ends by itself after so long; undefined: never. */
  readonly forMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The account's note made or removed; resolves with every note that is there then. */
export async function drainNode(
  name: string,
  { transport, reason, forMs, signal }: DrainOptions & { readonly transport: Transport },
): Promise<readonly Drain[]> {
  const words = [
    `drain=${reason === undefined ? "" : "yes"}`,
    `seconds=${forMs === undefined ? "" : Math.max(1, Math.round(forMs / 1000))}`,
    `reason=${quote(lineOf(reason ?? ""))}`,
    `grid_random=${randomWord(16)}`,
  ].join(" ");
  const text = [
    nodePrelude(),
    nodeProgram("drain_notes.sh", import.meta.url),
    words,
    nodeProgram("drain.sh", import.meta.url),
  ].join("\n");
  const { code, stdout, stderr } = await transport.exec(text, { signal });
  if (code === 0) return drainsIn(stdout.split(/\r?\n/));
  throw new GridError({
    code: "workspace",
    message: `Cannot ${reason === undefined ? "undrain" : "drain"} "${name}": ${
      stderr.trim() || `the shell there ended with code ${code}`
    }`,
    node: name,
  });
}

function lineOf(reason: string): string {
  return reason.replaceAll(/\s+/g, " ").trim().slice(0, LONGEST_REASON);
}

/**
 * The notes that a node's answer names and whose time is not over there, with dates of this machine's clock.
 *
 * @param at when it answered
 */
export function drainsIn(
  lines: readonly string[],
  at: number = systemClock.now(),
): readonly Drain[] {
  const now = Number(lines.find((line) => line.startsWith("@drain-now "))?.slice(11));
  const shift = Number.isFinite(now) ? clockShift({ theirs: 1000 * now, ours: at }) : 0;
  return lines.flatMap((line) => {
    const match = /^@drain ([\w@.-]+) (\d{1,12}) (-|\d{1,12}) ?(.*)$/.exec(line);
    if (match === null) return [];
    const [, account = "", since, end = "-", reason = ""] = match;
    const until = end === "-" ? undefined : Number(end);
    if (until !== undefined && until <= now) return [];
    return [{
      account,
      sinceAt: 1000 * Number(since) + shift,
      untilAt: until === undefined ? undefined : 1000 * until + shift,
      reason: reason.slice(0, LONGEST_REASON),
    }];
  });
}

/** `drained by alice until 2026-11-29 18:00: new power supply`. */
export function drainWords({ account, untilAt, reason }: Drain): string {
  const until = untilAt === undefined ? "" : ` until ${dateWords(untilAt)}`;
  return `drained by ${account}${until}${reason === "" ? "" : `: ${reason}`}`;
}

/** In this machine's own time zone, as people read it. */
function dateWords(at: number): string {
  const date = new Date(at);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${
    two(date.getHours())
  }:${two(date.getMinutes())}`;
}
