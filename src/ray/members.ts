/** What the head of Ray says about its cluster, asked on the head itself. */
import { GridError } from "../core/errors.ts";
import type { OpenNode } from "../cluster/node.ts";
import type { RayHolder } from "./lifecycle.ts";
import { lastLine, markedLine, pythonCommand, runScript } from "./node_script.ts";
import { rayClientEnv } from "./session.ts";

/** Importing Ray takes half a second, on a busy machine many. */
const ASK_TIMEOUT_MS = 60_000;
/** A worker process starts in about a second; where all are slow the probe waits four times as long. */
const PROBE_SECONDS = 30;
const LONGEST_PROBE_MS = 4 * PROBE_SECONDS * 1000;

/** What Ray's own book says about one of its nodes. */
export interface RayMember {
  /** The label `grid-host`. */
  readonly name: string | null;
  readonly alive: boolean;
  /** Whether it took a small task; null where none was sent. */
  readonly answered: boolean | null;
  /** What the task's own `exit 3` came back as; null where it has not answered. */
  readonly exitCode: number | null;
  readonly address: string;
  readonly cpus: number;
  readonly gpus: number;
  /** Given out; null where it was not asked for. */
  readonly cpusUsed: number | null;
  readonly gpusUsed: number | null;
}

export interface RayBook {
  readonly members: readonly RayMember[];
  readonly holders: readonly RayHolder[];
}

export interface HeadAddress {
  /** The GCS, `host:port`. */
  readonly address: string;
  readonly ip: string;
}

interface AskOptions {
  readonly signal: AbortSignal;
}

/** Sends every node a small task and waits for it. @throws {GridError} `ray`, or `timed-out` */
export async function probeMembers(
  head: OpenNode,
  { address, ip }: HeadAddress,
  { signal }: AskOptions,
): Promise<readonly RayMember[]> {
  const program = { file: "ray_probe.py", args: [address, ip, String(PROBE_SECONDS)] };
  const timeoutMs = ASK_TIMEOUT_MS + LONGEST_PROBE_MS;
  return await ask<readonly RayMember[]>(head, program, { timeoutMs, signal });
}

/** Only reads. @throws {GridError} `ray`, or `timed-out` */
export async function readBook(
  head: OpenNode,
  { address }: Pick<HeadAddress, "address">,
  { signal }: AskOptions,
): Promise<RayBook> {
  const program = { file: "ray_book.py", args: [address] };
  return await ask<RayBook>(head, program, { timeoutMs: ASK_TIMEOUT_MS, signal });
}

async function ask<Answer>(
  head: OpenNode,
  program: { readonly file: string; readonly args: readonly string[] },
  limits: AskOptions & { readonly timeoutMs: number },
): Promise<Answer> {
  const script = pythonCommand(head, program, rayClientEnv(head));
  const answer = await runScript(head, script, { purpose: "ask Ray for its nodes", ...limits });
  const text = markedLine(answer.stdout);
  if (text !== undefined) return JSON.parse(text);
  const words = lastLine(answer.stderr);
  throw new GridError({
    code: "ray",
    message: `Cannot ask Ray for its nodes: ${words}`,
    hint: words.includes("gives no answer")
      ? "Its machine may be overloaded; grid cluster stop, then start, ends every batch and founds it anew"
      : "grid cluster start mends what is broken",
    node: head.node.name,
  });
}
