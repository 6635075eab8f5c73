/** What Ray itself has logged on one node. */
import { GridError } from "../core/errors.ts";
import type { OpenNode } from "../cluster/node.ts";
import { rayNodeScript, runScript } from "./node_script.ts";

export interface RayLogs {
  readonly node: string;
  /** `kept`: of the cluster that ended last; undefined where there is none. */
  readonly from: "running" | "kept" | undefined;
  readonly folder: string | undefined;
  readonly files: readonly RayLogFile[];
  /** Whether there are more files than are shown. */
  readonly isCut: boolean;
}

export interface RayLogFile {
  readonly name: string;
  readonly bytes: number;
  /** Its last lines. */
  readonly text: string;
}

export interface RayLogsOptions {
  /** A shell pattern; undefined is what tells of a failure. */
  readonly file: string | undefined;
  /** Of each file; 0 only lists them. */
  readonly lines: number;
  readonly signal: AbortSignal;
}

/** What a start, a head or a worker that ended leaves its reasons in. */
const TELLING = [
  "start.log",
  "gcs_server.*",
  "raylet.*",
  "dashboard.log",
  "dashboard.err",
  "monitor.log",
  "monitor.err",
  "dashboard_agent.log",
  "runtime_env_agent.log",
];
const READ_TIMEOUT_MS = 30_000;

/** @throws {GridError} `ray`, `timed-out`, or a transport code */
export async function readRayLogs(node: OpenNode, options: RayLogsOptions): Promise<RayLogs> {
  const patterns = options.file === undefined ? TELLING : [options.file];
  const call = ["ray_logs", String(options.lines), ...patterns];
  const { code, stdout, stderr } = await runScript(node, rayNodeScript(node, call), {
    purpose: "read Ray's logs",
    timeoutMs: READ_TIMEOUT_MS,
    signal: options.signal,
  });
  if (code === 0) return parseRayLogs(node.node.name, stdout);
  throw new GridError({
    code: "ray",
    message: `Cannot read Ray's logs on ${node.node.name}: ${stderr.trim()}`,
    node: node.node.name,
  });
}

/** As `ray_logs` in `ray_logs.sh` prints it. */
export function parseRayLogs(node: string, answer: string): RayLogs {
  const files: { name: string; bytes: number; lines: string[] }[] = [];
  let [from, folder, isCut]: [RayLogs["from"], string | undefined, boolean] = [
    undefined,
    undefined,
    false,
  ];
  for (const line of answer.split("\n")) {
    const [word, second = "", ...rest] = line.split("\t");
    if (line.startsWith("\t")) files.at(-1)?.lines.push(line.slice(1));
    else if (word === "from") {
      from = second === "running" ? "running" : "kept";
      folder = rest.join("\t");
    } else if (word === "file") {
      files.push({ name: rest.join("\t"), bytes: Number(second), lines: [] });
    } else if (word === "more") isCut = true;
  }
  return {
    node,
    from,
    folder,
    files: files.map(({ name, bytes, lines }) => ({ name, bytes, text: lines.join("\n") })),
    isCut,
  };
}
