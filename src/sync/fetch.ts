/** `fetchFiles`: results come home; staged first, then renamed, so no file is ever half there. */
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { lazy } from "../core/lazy.ts";
import { GridError, toGridError } from "../core/errors.ts";
import { Conversation } from "./conversation.ts";
import { comparePaths } from "./entry.ts";
import { type FetchPattern, parseFetchPattern } from "./fetch_pattern.ts";
import { shellText } from "./shell_text.ts";
import type { FetchFiles, FetchOptions, FetchReport } from "./sync.ts";

export const fetchFiles: FetchFiles = async (options) => {
  const patterns = options.from.map(parseFetchPattern);
  if (/[\0\n]/.test(options.folder)) throw noFolder(options);
  await using talk = await Conversation.start(options.transport, {
    script: shellText("fetch.sh"),
    words: [options.folder, ...new Set(patterns.map((pattern) => pattern.start)), ""],
    signal: options.signal,
  });
  const found = await readFound(talk, options);
  const names = found.filter((name) => patterns.some((pattern) => pattern.matches(name)));
  refuseMissing(patterns, found, options);
  await talk.write(new TextEncoder().encode(names.map((name) => `./${name}\0`).join("")));
  await talk.end();
  return await receive(talk, { ...options, names });
};

async function readFound(talk: Conversation, options: FetchOptions): Promise<string[]> {
  const line = await talk.line();
  const [word, count = ""] = line.split(" ");
  if (word !== "found") throw await problem(line, talk, options);
  const text = new TextDecoder().decode(await talk.bytes(Number(count)));
  const names = text.split("\0").slice(0, -1).map((name) => name.replace(/^\.\//, ""));
  return [...new Set(names)].toSorted(comparePaths);
}

interface ReceiveOptions extends FetchOptions {
  readonly names: readonly string[];
}

async function receive(talk: Conversation, options: ReceiveOptions): Promise<FetchReport> {
  // tar-stream is loaded when there is something to take apart.
  const { unpack } = await lazy<typeof import("./unpack.ts")>("./unpack.ts", import.meta.url);
  await mkdir(options.to, { recursive: true });
  const staging = await mkdtemp(join(options.to, ".grid-fetch-"));
  try {
    const arrived = await unpack(talk.pieces(), {
      wanted: new Set(options.names),
      to: staging,
      node: options.transport.endpoint.name,
      signal: options.signal,
    }).catch((error) => {
      throw unpackProblem(error, options);
    });
    const missing = options.names.filter((name) => !arrived.has(name));
    if (missing.length > 0) throw incomplete(missing, await talk.complaints(), options);
    for (const name of options.names) await moveIn(name, { staging, to: options.to });
    const bytes = [...arrived.values()].reduce((sum, size) => sum + size, 0);
    return { files: options.names, bytes };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function moveIn(
  name: string,
  { staging, to }: { readonly staging: string; readonly to: string },
): Promise<void> {
  const target = join(to, name);
  try {
    await mkdir(dirname(target), { recursive: true });
    await rename(join(staging, name), target);
  } catch (error) {
    throw new GridError({
      code: "sync",
      message: `Cannot write "${target}": ${(error as Error).message}`,
      hint: "Move away what lies there, and check that the folder can be written",
      cause: error,
    });
  }
}

function refuseMissing(
  patterns: readonly FetchPattern[],
  found: readonly string[],
  options: FetchOptions,
): void {
  const missing = patterns.filter((pattern) => !found.some((name) => pattern.matches(name)));
  if (missing.length === 0) return;
  const node = options.transport.endpoint.name;
  throw new GridError({
    code: "sync",
    message: `Cannot fetch from "${node}": nothing in ${options.folder} matches ` +
      missing.map((pattern) => `"${pattern.text}"`).join(", "),
    hint: `See what is there: grid run --node ${node} "ls -la ${options.folder}"`,
    node,
  });
}

async function problem(line: string, talk: Conversation, options: FetchOptions) {
  if (line === "failed folder") return noFolder(options);
  const node = options.transport.endpoint.name;
  return new GridError({
    code: "sync",
    message: `Cannot fetch from "${node}": ${line}: ${(await talk.rest()).trim()}`,
    hint: `Check that ${node} can write its temporary folder`,
    node,
  });
}

function noFolder(options: FetchOptions): GridError {
  const node = options.transport.endpoint.name;
  return new GridError({
    code: "sync",
    message: `Cannot fetch from "${node}": there is no folder ${options.folder}`,
    hint: "Check working-directory, or sync the folder first",
    node,
  });
}

function incomplete(missing: readonly string[], words: string, options: FetchOptions): GridError {
  const node = options.transport.endpoint.name;
  const shown = missing.slice(0, 5).join(", ") + (missing.length > 5 ? ", …" : "");
  const why = words.trim().split("\n")[0];
  return new GridError({
    code: "sync",
    message: `Cannot fetch ${shown} from "${node}": ${why || "the archive ended early"}`,
    hint: "Nothing was replaced here; check that the files are readable there",
    node,
  });
}

/** What the archive's reader says about a cut stream is no bug of ours. */
function unpackProblem(error: unknown, options: FetchOptions): unknown {
  if (error instanceof GridError) return error;
  options.signal.throwIfAborted();
  const node = options.transport.endpoint.name;
  return new GridError({
    code: "sync",
    message: `Cannot fetch from "${node}": ${toGridError(error).message}`,
    hint: "Nothing was replaced here; try again",
    node,
    cause: error,
  });
}
