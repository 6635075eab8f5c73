/** What a command finds of the data sets that steps before it brought to its node. */
import { resolve } from "node:path";
import type { OpenNode } from "../cluster/node.ts";
import { exists } from "../core/exists.ts";
import { own } from "../core/own.ts";
import { quote } from "../core/shell.ts";
import type { DataPaths } from "../engine/data_paths.ts";
import type { StepRequest } from "../engine/ports.ts";
import type { RunTrees } from "./run_trees.ts";

type DataRequest = Pick<StepRequest, "data">;

/** Variable → absolute path on the node. */
export function dataEnv({ data = {} }: DataRequest, { node }: Pick<OpenNode, "node">) {
  return Object.fromEntries(
    Object.entries(data).flatMap(([variable, paths]) => {
      const path = own(paths, node.name);
      return path === undefined ? [] : [[variable, path]];
    }),
  );
}

/**
 * Where a data set lies on this machine, absolute: with the code of the run, such as that of a commit; what
 * no repository holds lies where it always does.
 */
export function dataSource(
  from: string,
  { code, project }: { readonly code: string; readonly project: string },
): string {
  const beside = resolve(code, from);
  return exists(beside) ? beside : resolve(project, from);
}

/** For what runs on many nodes: of sets that lie at one path on all of them. */
export function commonDataEnv(data: DataPaths = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(data).flatMap(([variable, { local: _, ...paths }]) => {
      const [path, ...others] = new Set(Object.values(paths));
      return path === undefined || others.length > 0 ? [] : [[variable, path]];
    }),
  );
}

/** Shell text before a command: each set is there still, and says that it is in use. */
export function dataPrelude(
  request: DataRequest,
  { node, trees }: {
    readonly node: Pick<OpenNode, "node">;
    readonly trees: Pick<RunTrees, "run"> | undefined;
  },
): string {
  const project = trees?.run.project ?? "none";
  return Object.entries(dataEnv(request, node)).map(([variable, path]) => {
    const set = /^(.*\/\.grid\/data\/[0-9a-f]{64})\/tree(?:\/|$)/.exec(path)?.[1];
    if (set === undefined) return "";
    const gone = `Grid: the data set of ${variable} is not on ${node.node.name} any more; ` +
      "run the pipeline again, which brings it";
    return `if [ -f ${quote(`${set}/seal`)} ] && [ -e ${quote(path)} ]; then ` +
      `{ printf '%s\\n' "$$ $(uname -n)" >${quote(`${set}/jobs/`)}"$GRID_JOB"; ` +
      `touch -c ${quote(`${set}/used/${project}`)}; } 2>/dev/null || :; ` +
      `else printf '%s\\n' ${quote(gone)} >&2; exit 1; fi; `;
  }).join("");
}
