/** What a project left on a node: folders that no run has used for long. */
import { randomWord } from "../core/ids.ts";
import { quote, quoteAll } from "../core/shell.ts";
import { nodeProgram } from "../transport/node_program.ts";
import { printable } from "./fetch_listing.ts";
import { keyOfTree } from "./place.ts";
import type { ProjectIdentity } from "./project_identity.ts";
import type { SyncTarget } from "./sync.ts";
import { isAbandoned } from "./tree_choice.ts";
import { readOwner } from "./tree_owner.ts";

export interface OldFolder {
  /** Below `remote_root`. */
  readonly name: string;
  /** On the node's disk, to the KiB, with what Grid keeps of it. */
  readonly bytes: number;
}

export interface CleanOptions {
  readonly target: SyncTarget;
  /** Other projects' folders are left alone. */
  readonly project: ProjectIdentity;
  /** Nobody took them for so long. */
  readonly minutes: number;
  /** Only say which. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/** Sizes of large folders, and their removal, take their time. */
const CLEAN_MS = 15 * 60_000;

/**
 * Removes the project's folders on the node that nobody used for so long, with what steps wrote in them;
 * never one that a run or a detached job holds, or that has another known folder inside.
 *
 * @throws {GridError} a transport code
 */
export async function cleanFolders(options: CleanOptions): Promise<readonly OldFolder[]> {
  const said = await call(options, `grid_clean_look ${options.minutes}`);
  const known = said.flatMap((line, at) =>
    parseTree(line, { isLeft: () => isLeft(said[at + 1] ?? "", options.project) }) ?? []
  );
  const old = known.filter(({ isOld, name }) =>
    isOld && !known.some((other) => other.name.startsWith(`${name}/`))
  );
  if (options.dryRun || old.length === 0) return old.map(folderOf);
  const words = quoteAll(old.map(({ key }) => key));
  const gone = await call(options, `grid_clean_remove ${options.minutes} ${words}`);
  return old.filter(({ key }) => gone.includes(`removed ${key}`)).map(folderOf);
}

interface KnownTree extends OldFolder {
  readonly key: string;
  readonly isOld: boolean;
}

function folderOf({ name, bytes }: KnownTree): OldFolder {
  return { name: printable(name), bytes };
}

/** Whether what bears a former name of the project is not of another one, which has its old place now. */
function isLeft(line: string, own: ProjectIdentity): boolean {
  const owner = readOwner(line);
  return owner !== undefined && isAbandoned(owner, own);
}

/** Undefined for what no Grid wrote: a name must lead to its own record, and nowhere else. */
function parseTree(
  line: string,
  { isLeft }: { readonly isLeft: () => boolean },
): KnownTree | undefined {
  const match = /^tree (\S{1,255}) (old|former|used) (\d{1,15}) (.{1,4096})$/.exec(line);
  if (match === null) return undefined;
  const [, key = "", state, kib, name = ""] = match;
  if (keyOfTree(name) !== key) return undefined;
  const isOld = state === "old" || (state === "former" && isLeft());
  return { key, name, isOld, bytes: Number(kib) * 1024 };
}

async function call(
  { target, project, signal }: CleanOptions,
  words: string,
): Promise<readonly string[]> {
  const library = ["tree.sh", "clean.sh"].map((name) => nodeProgram(name, import.meta.url))
    .join("\n");
  const { stdout } = await target.transport.exec(
    `grid_root=${quote(target.root)} grid_project=${quote(project.id)} grid_former=${
      quote(project.former.join(" "))
    } grid_random=${randomWord(12)}; ${words}`,
    { library, signal, timeoutMs: CLEAN_MS },
  );
  return stdout.split("\n");
}
