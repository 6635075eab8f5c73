/** The folder of a run on the node that is to run it: the project, its config, and what starts Grid in it. */
import { basename } from "node:path";
import type { OpenNode } from "../../cluster/node.ts";
import type { SyncConfig } from "../../cluster/config.ts";
import { GridError } from "../../core/errors.ts";
import { randomWord } from "../../core/ids.ts";
import { quote } from "../../core/shell.ts";
import { Conversation } from "../../sync/conversation.ts";
import { syncFolders } from "../../sync/folders.ts";
import { commitOf } from "../../sync/git_facts.ts";
import { projectIdentity } from "../../sync/project_identity.ts";
import type { SyncProgress, SyncReport } from "../../sync/sync.ts";
import { changedSince } from "../../steps/source_state.ts";
import { type Origin, ORIGIN_FILE } from "../../sync/origin.ts";
import { nodePrelude, nodeProgram } from "../../transport/node_program.ts";
import { archiveOf } from "./archive.ts";
import { CONFIG_NAME } from "./other_config.ts";
import { SUBMITTED } from "./request.ts";

export interface PlaceOptions {
  readonly node: OpenNode;
  /** Absolute, here. */
  readonly project: string;
  readonly signal: AbortSignal;
}

/** @throws {GridError} `conflict` where another has made it; `workspace` or a transport code */
export async function makePlace(run: string, { node, signal }: PlaceOptions): Promise<string> {
  const { transport, root } = node;
  await using talk = await Conversation.start(transport, {
    script: withPrelude("place.sh"),
    words: [root, run],
    signal,
  });
  const line = await talk.line();
  const folder = /^made (.{1,4096})$/.exec(line)?.[1];
  if (folder?.startsWith(`${root}/.grid/submitted/`)) return folder;
  if (line === "there") {
    throw new GridError({
      code: "conflict",
      message: `Cannot submit run ${run} to "${node.node.name}": it was submitted there already`,
      hint: `look: grid attach ${run}`,
    });
  }
  const said = (await talk.rest() + await talk.complaints()).trim().split("\n").at(-1) ?? "";
  throw cannotKeep(node, said.replaceAll(/\p{Cc}/gu, "?").slice(0, 300) || line.slice(0, 100));
}

function withPrelude(name: string): string {
  const program = nodeProgram(name, import.meta.url);
  return [nodePrelude(), `grid_random=${randomWord(12)}`, program].join("\n");
}

function cannotKeep({ node, root }: OpenNode, why: string): GridError {
  return new GridError({
    code: "workspace",
    message: `Cannot keep a run on "${node.name}": ${why}`,
    hint: `look at the space and the permissions of ${root} there`,
    node: node.name,
  });
}

export interface BringProjectOptions extends PlaceOptions {
  /** Absolute, on the node. */
  readonly place: string;
  readonly config: SyncConfig;
  readonly progress: (progress: SyncProgress) => void;
  readonly tell: (message: string) => void;
}

/** As a sync of the project sees it: without what git ignores. */
export async function bringProject(
  { node, project, place, config, progress, tell, signal }: BringProjectOptions,
): Promise<SyncReport> {
  const target = { node: node.node.name, transport: node.transport, root: place };
  const [result] = await syncFolders([target], {
    source: project,
    as: nameOf(project),
    exclude: config.excludePatterns,
    excludeFrom: undefined,
    useChecksums: config.useChecksums,
    followSymlinks: config.followSymlinks,
    delete: true,
    allowLargeDelete: true,
    onDrift: "keep",
    maxParallelTransfers: config.maxParallelTransfers,
    cacheFolder: `${project}/.grid/cache`,
    progress,
    tell,
    signal,
  });
  if (result?.ok) return result.report;
  throw result?.error ?? new Error("nothing came of it");
}

/** The project's folder in its place, as it is called here: steps may count on the name. */
export function nameOf(project: string): string {
  return basename(project) || "root";
}

export interface FillPlaceOptions extends PlaceOptions {
  readonly place: string;
  /** Absolute, on the node. */
  readonly runtime: string;
  /** Text of its cluster config. */
  readonly config: string;
}

/** Its config, its launcher, and where the project came from. */
export async function fillPlace(options: FillPlaceOptions): Promise<void> {
  const { node, project, signal, place, runtime, config } = options;
  const name = nameOf(project);
  const bytes = archiveOf({
    [CONFIG_NAME]: config,
    grid: launcherOf({ runtime, name }),
    [`${name}/.grid/.gitignore`]: "*\n",
    [`${name}/${ORIGIN_FILE}`]: JSON.stringify(await originOf(project, signal)) + "\n",
  });
  await using talk = await Conversation.start(node.transport, {
    script: withPrelude("place_files.sh"),
    words: [place, String(bytes.length)],
    signal,
  });
  await talk.write(bytes);
  const line = await talk.line();
  if (line !== "put") throw cannotKeep(node, `${line.slice(0, 100)} ${await talk.rest()}`);
}

/** For people who log in there, too: `…/grid runs`. */
function launcherOf({ runtime, name }: { readonly runtime: string; readonly name: string }) {
  return [
    "#!/bin/sh",
    "here=$(CDPATH='' cd -- \"${0%/*}\" && pwd -P) || exit 70",
    `case \${1-} in ${SUBMITTED}) ;; *) set -- --config "$here/${CONFIG_NAME}" "$@" ;; esac`,
    `exec ${quote(`${runtime}/grid`)} -C "$here"/${quote(name)} "$@"`,
    "",
  ].join("\n");
}

async function originOf(project: string, signal: AbortSignal): Promise<Origin> {
  const commit = commitOf(project);
  const changed = commit === undefined ? undefined : await changedSince(project, signal);
  return { ...projectIdentity(project), commit, changed };
}

/** Of a run that never began. */
export async function removePlace(
  place: string,
  { transport, signal }: Pick<OpenNode, "transport"> & { readonly signal: AbortSignal },
): Promise<void> {
  const words = `chmod -R u+rwX ${quote(place)} 2>/dev/null; rm -rf ${quote(place)}`;
  await transport.exec(words, { signal });
}
