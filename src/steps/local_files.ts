/** What the engine may ask about files of this machine. */
import { join, relative } from "node:path";
import type { Fetched, LocalFiles } from "../engine/ports.ts";
import { OutputReader } from "./output_files.ts";
import { findFiles } from "./project_files.ts";

/** Paths and patterns are relative to `project`. */
export function createLocalFiles(project: string): LocalFiles {
  const outputs = new OutputReader(join(project, ".grid", "runs"));
  return {
    lostOutput: (output) => outputs.lost(output),
    list: (output, name) => outputs.list(output, name),
    unmatched: (patterns) =>
      patterns.filter((pattern) => findFiles([pattern], project).length === 0),
    lost: (fetched) => lost(fetched, project),
  };
}

function lost({ folder, files, bytes }: Fetched, project: string): string | undefined {
  let found = 0;
  for (const file of files) {
    const path = join(folder, file);
    const size = sizeOf(path);
    if (size === undefined) return `"${relative(project, path)}", which it brought, is gone`;
    found += size;
  }
  if (found === bytes) return undefined;
  return `what it brought to "${relative(project, folder) || "."}" is not as it was`;
}

function sizeOf(path: string): number | undefined {
  try {
    const stat = Deno.statSync(path);
    return stat.isFile ? stat.size : undefined;
  } catch {
    return undefined;
  }
}
