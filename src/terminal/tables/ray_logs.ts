/** `grid cluster logs`: the ends of files, each below its name, as `tail` shows several. */
import { formatSize } from "../../core/size.ts";
import { harmless } from "../harmless.ts";

export interface RayLogsRow {
  readonly node: string;
  readonly from: "running" | "kept" | undefined;
  readonly folder: string | undefined;
  readonly files: readonly {
    readonly name: string;
    readonly bytes: number;
    readonly text: string;
  }[];
  readonly isCut: boolean;
}

export function renderRayLogs(rows: readonly RayLogsRow[]): string {
  return rows.map(renderNode).join("\n");
}

function renderNode({ node, from, folder, files, isCut }: RayLogsRow): string {
  if (from === undefined) return `${node}: Ray has not run there\n`;
  const state = from === "kept" ? "ended; kept" : "running";
  const lines = [
    `${node} (${state} in ${safe(folder ?? "")})`,
    ...files.flatMap(({ name, bytes, text }) =>
      text === ""
        ? [`  ${safe(name)}  ${formatSize(bytes)}`]
        : [`==> ${node} ${safe(name)}, ${formatSize(bytes)} <==`, ...text.split("\n").map(safe)]
    ),
    ...(files.length === 0 ? ["  no such log; --lines 0 '*' lists them"] : []),
    ...(isCut ? ["  and more; name a file"] : []),
  ];
  return lines.join("\n") + "\n";
}

function safe(line: string): string {
  return harmless(line, { color: false });
}
