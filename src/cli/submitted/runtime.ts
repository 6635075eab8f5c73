/** Grid itself on a node: brought once per version, kept in the workspace of the account. */
import { hash } from "node:crypto";
import { join } from "node:path";
import { GridError } from "../../core/errors.ts";
import { randomWord } from "../../core/ids.ts";
import { quote } from "../../core/shell.ts";
import { type DataSet, readDataSet } from "../../data/source.ts";
import { spreadData } from "../../data/spread.ts";
import { Conversation } from "../../sync/conversation.ts";
import { projectIdentity } from "../../sync/project_identity.ts";
import type { SyncProgress, SyncTarget } from "../../sync/sync.ts";
import { nodePrelude, nodeProgram } from "../../transport/node_program.ts";
import { archiveOf } from "./archive.ts";
import {
  ownSystem,
  type RuntimePart,
  type RuntimeSource,
  runtimeSource,
} from "./runtime_source.ts";

export interface BringRuntimeOptions {
  readonly target: SyncTarget;
  /** Absolute, here. */
  readonly project: string;
  readonly signal: AbortSignal;
  /** Told how far it is, where it has to be brought. */
  readonly progress: (progress: SyncProgress) => void;
}

export interface Runtime {
  /** Absolute, on the node; holds `grid`, which starts it. */
  readonly folder: string;
  /** Bytes that were sent now. */
  readonly sent: number;
}

/**
 * @throws {GridError} `usage` where this machine's Grid does not run there; `sync`, `workspace` or a
 * transport code
 */
export async function bringRuntime(options: BringRuntimeOptions): Promise<Runtime> {
  const { project, signal } = options;
  const source = await runtimeSource();
  const parts = [source.deno, source.code, ...source.packages ? [source.packages] : []];
  const cacheFolder = join(project, ".grid", "cache");
  const sets = await Promise.all(
    parts.map((part) => readPart(part, { cacheFolder, signal })),
  );
  const launcher = launcherOf(source);
  const files = { ...codeFiles(source), grid: launcher };
  const id = hash("sha256", JSON.stringify([sets.map(({ digest }) => digest), files])).slice(0, 24);
  const there = await look(options, id);
  if (there !== undefined) return { folder: there, sent: 0 };
  const brought = await bringAll(parts, { ...options, sets });
  const folder = await putTogether(options, {
    id,
    paths: brought.map(({ folder }) => folder),
    registry: source.registry,
    archive: archiveOf(files),
  });
  return { folder, sent: brought.reduce((sum, { sent }) => sum + sent, 0) };
}

/** What one of them fails by ends the others; nothing is under way afterwards. */
async function bringAll(
  parts: readonly RuntimePart[],
  { sets, ...options }: BringRuntimeOptions & { readonly sets: readonly DataSet[] },
) {
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const ends = await Promise.allSettled(parts.map(async (part, at) => {
    try {
      return await bring(part, { ...options, signal, set: sets[at] as DataSet });
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  }));
  options.signal.throwIfAborted();
  failed.signal.throwIfAborted();
  return ends.flatMap((end) => end.status === "fulfilled" ? [end.value] : []);
}

/**
 * Deno links packages out of its cache into other projects, which changes what the file system says of them
 * while they are read.
 */
async function readPart(
  part: RuntimePart,
  options: { readonly cacheFolder: string; readonly signal: AbortSignal },
): Promise<DataSet> {
  for (let tries = READ_TRIES;; tries--) {
    try {
      return await readDataSet({ ...part, ...options });
    } catch (error) {
      options.signal.throwIfAborted();
      if (tries === 1) throw error;
    }
  }
}

const READ_TRIES = 5;

/** Beside the code. */
function codeFiles({ files }: RuntimeSource): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`code/${name}`, text]));
}

/** What it finds beside itself; see `context.ts` for the folder of what Deno compiles. */
function launcherOf({ words }: RuntimeSource): string {
  const quoted = words.map((word) =>
    word.startsWith("@code") ? `"$home/code"${quote(word.slice("@code".length))}` : quote(word)
  );
  return [
    "#!/bin/sh",
    "home=$(CDPATH='' cd -- \"${0%/*}\" && pwd -P) || exit 70",
    "# Another registry would have another name here.",
    "unset NPM_CONFIG_REGISTRY",
    'export DENO_DIR="$home/code/cache"',
    `exec "$home/deno" ${quoted.join(" ")} "$@"`,
    "",
  ].join("\n");
}

async function talkOf({ target, signal }: BringRuntimeOptions, id: string): Promise<Conversation> {
  const { system, loader } = ownSystem();
  return await Conversation.start(target.transport, {
    script: [
      nodePrelude(),
      `grid_random=${randomWord(12)}`,
      nodeProgram("runtime.sh", import.meta.url),
    ].join("\n"),
    words: [target.root, id, system, loader ?? "-"],
    signal,
  });
}

async function look(options: BringRuntimeOptions, id: string): Promise<string | undefined> {
  await using talk = await talkOf(options, id);
  return await folderIn(talk, options);
}

interface Parts {
  readonly id: string;
  readonly paths: readonly string[];
  readonly registry: string;
  readonly archive: Uint8Array;
}

async function putTogether(options: BringRuntimeOptions, parts: Parts): Promise<string> {
  await using talk = await talkOf(options, parts.id);
  const other = await folderIn(talk, options);
  if (other !== undefined) return other; // somebody else was faster
  const [deno = "", code = "", packages = "-"] = parts.paths;
  const words = [deno, code, packages, parts.registry, String(parts.archive.length), ""];
  await talk.write(new TextEncoder().encode(words.join("\n")));
  await talk.write(parts.archive);
  const folder = await folderIn(talk, options);
  if (folder !== undefined) return folder;
  throw new GridError({ code: "bug", message: "Cannot put Grid together: asked for twice" });
}

async function folderIn(
  talk: Conversation,
  { target: { node, root } }: BringRuntimeOptions,
): Promise<string | undefined> {
  const line = await talk.line();
  if (line === "want") return undefined;
  const folder = /^have (.{1,4096})$/.exec(line)?.[1];
  // It is started from there: it must be what this account has brought.
  if (folder?.startsWith(`${root}/.grid/runtime/`)) return folder;
  const said = (await talk.rest() + await talk.complaints()).trim().split("\n").at(-1) ?? "";
  throw runtimeFailure(line, { node, said: said.replaceAll(/\p{Cc}/gu, "?").slice(0, 500) });
}

/** @param line what the node answered; `said` is what it said of that */
export function runtimeFailure(
  line: string,
  { node, said }: { readonly node: string; readonly said: string },
): GridError {
  const { system } = ownSystem();
  const cannot = `Cannot bring Grid to "${node}"`;
  if (line === "failed system") {
    return new GridError({
      code: "usage",
      message: `${cannot}: ${said}, and this Grid runs on ${system}`,
      hint: "submit to a node that is like this machine, or without --on: grid submit FILE",
      node,
    });
  }
  if (line === "failed runs") {
    return new GridError({
      code: "usage",
      message: `${cannot}: its Deno does not run there: ${said}`,
      hint: said.includes("Permission denied")
        ? "its file system may be mounted noexec: set remote_root of that node to a folder on another"
        : "submit to another node, or without --on: grid submit FILE",
      node,
    });
  }
  return new GridError({
    code: line === "failed write" || line === "failed workspace" ? "workspace" : "shell",
    message: `${cannot}: ${said === "" ? `it said "${line.slice(0, 100)}"` : said}`,
    hint: "look at the space and the permissions of remote_root there",
    node,
  });
}

async function bring(
  part: RuntimePart,
  { set, target, project, signal, progress }: BringRuntimeOptions & { readonly set: DataSet },
): Promise<{ readonly folder: string; readonly sent: number }> {
  const { id, account, machine } = projectIdentity(project);
  const [result] = await spreadData({
    set,
    targets: [target],
    use: { project: id, folder: project, name: part.name, source: part.source },
    direct: false,
    owner: `${account}@${machine}`,
    maxParallelTransfers: 1,
    signal,
    progress,
    tell: () => {},
  });
  if (result?.ok) return result;
  throw result?.error ?? new Error("nothing came of it");
}
