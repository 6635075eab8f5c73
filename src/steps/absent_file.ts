/** What to do about a command that did not find a file on its node which is here: nothing brought it. */
import { basename, isAbsolute, join, relative } from "node:path";
import type { OpenNode } from "../cluster/node.ts";
import { exists } from "../core/exists.ts";
import { own } from "../core/own.ts";
import { quote } from "../core/shell.ts";
import type { TreeOwner } from "../sync/tree_owner.ts";
import type { JobSpec } from "../transport/job/job.ts";
import type { RunRequest } from "./run_job.ts";
import type { SyncedFiles } from "./synced_files.ts";

export interface AbsentFileOptions {
  readonly node: OpenNode;
  readonly spec: Pick<JobSpec, "cwd">;
  readonly request: Pick<RunRequest, "isBare" | "trees" | "action">;
  readonly trees?: {
    readonly run: { readonly owner: Pick<TreeOwner, "folder"> };
    readonly files: Pick<SyncedFiles, "sources" | "mayHaveBrought">;
  } | undefined;
}

/** As Python, the shells and the tools of Unix say it; the path comes first or last. */
const ABSENT = [
  /can't open file '([^']{1,300})'/,
  /(?:FileNotFoundError|ENOENT)\b.*?: '([^']{1,300})'$/,
  /: (?:cannot \w+ )?['"‘]?([^'"’: ]{1,300})['"’]?: No such file(?: or directory)?$/,
];

/** Of Python: its programs name their interpreter by an absolute path. */
const ENVIRONMENT = /(?:^|\/)bin\/(?:activate|python\d?|pip\d?)$/;

/** Nothing where the file is not here either, or was brought and is gone. */
export function absentFileHint(
  stderr: string,
  { node: open, spec, request, trees }: AbsentFileOptions,
): { readonly hint: string } | undefined {
  if (trees === undefined || request.action.container) return undefined;
  const { node: { name }, root } = open;
  const tree = own(request.trees ?? {}, name);
  const path = missingPath(stderr, { cwd: spec.cwd, base: tree?.folder ?? root });
  const project = trees.run.owner.folder;
  const sources = tree === undefined ? [project] : trees.files.sources;
  if (path === undefined || !sources.some((source) => exists(join(source, path)))) {
    return undefined;
  }
  if (tree !== undefined) {
    if (trees.files.mayHaveBrought(path)) return undefined;
    const hint = `${path} is here, and the sync leaves it out: ${
      ENVIRONMENT.test(path)
        ? "an environment belongs to its machine; a step or grid setup makes one there (docs/environments.md)"
        : "grid sync --dry-run says by which rule; data: brings what is large"
    }`;
    return { hint };
  }
  if (!request.isBare) {
    const hint = `${path} is here, and no sync before this step brought it to ${name}: see its ` +
      "needs:, and to: of the sync";
    return { hint };
  }
  const there = quote(`cd ${quote(basename(project))} && …`);
  const hint =
    `${path} is here, and a command by itself brings no files: grid sync --to ${name}, ` +
    `then grid run --node ${name} ${there}; a pipeline does both`;
  return { hint };
}

interface Folders {
  /** Where the command started. */
  readonly cwd: string;
  /** Where the code is, or would be. */
  readonly base: string;
}

/** Relative to the folder of the code. */
function missingPath(stderr: string, { cwd, base }: Folders): string | undefined {
  for (const line of stderr.trimEnd().split(/\r?\n/).toReversed()) {
    const said = ABSENT.map((pattern) => pattern.exec(line.trim())?.[1]).find((it) => it);
    if (said === undefined) continue;
    const path = relative(base, isAbsolute(said) ? said : join(cwd, said));
    return path === "" || path.startsWith("..") ? undefined : path;
  }
  return undefined;
}
