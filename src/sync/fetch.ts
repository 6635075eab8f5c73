/** `fetchFiles`: results come home; staged first, then renamed, so no file is ever half there. */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { lazy } from "../core/lazy.ts";
import { GridError, toGridError } from "../core/errors.ts";
import { formatSize } from "../core/size.ts";
import { Conversation } from "./conversation.ts";
import type { RelativePath } from "../core/relative_path.ts";
import { type FetchPattern, parseFetchPattern } from "./fetch_pattern.ts";
import { type FoundNames, readFoundNames } from "./found.ts";
import { Landing } from "./landing.ts";
import type { FetchFiles, FetchOptions, FetchReport } from "./sync.ts";
import { nodeProgram } from "../transport/node_program.ts";

export const fetchFiles: FetchFiles = async (options) => {
  const patterns = options.from.map(parseFetchPattern);
  if (/[\0\n]/.test(options.folder)) throw noFolder(options);
  const starts = [...new Set(patterns.map((pattern) => pattern.start))];
  await using talk = await Conversation.start(options.transport, {
    script: nodeProgram("fetch.sh", import.meta.url),
    words: [options.folder, ...starts, ""],
    signal: options.signal,
  });
  const { paths: found, odd } = await readFound(talk, { ...options, starts });
  const names = found.filter((name) => patterns.some((pattern) => pattern.matches(name)));
  refuseMissing(patterns, found, options);
  await talk.write(new TextEncoder().encode(names.map((name) => `./${name}\0`).join("")));
  await talk.end();
  const skipped = odd.map((path) => ({ path, reason: ODD_NAME }));
  return { ...await receive(talk, { ...options, names }), skipped };
};

const ODD_NAME = "its name holds control characters, or is not valid UTF-8";

/** Names alone; a folder of results that needs more than this needs an archive. */
const MOST_LIST_BYTES = 32 * 2 ** 20;

async function readFound(
  talk: Conversation,
  options: FetchOptions & { readonly starts: readonly string[] },
): Promise<FoundNames> {
  const line = await talk.line();
  const count = /^found (\d{1,15})$/.exec(line)?.[1];
  if (count === undefined) throw await problem(line, talk, options);
  const node = options.transport.endpoint.name;
  if (Number(count) > MOST_LIST_BYTES) throw tooMany(Number(count), options);
  return readFoundNames(await talk.bytes(Number(count)), { ...options, node });
}

function tooMany(bytes: number, options: FetchOptions): GridError {
  const node = options.transport.endpoint.name;
  return new GridError({
    code: "sync",
    message: `Cannot fetch from "${node}": the names of all files there take ` +
      `${formatSize(bytes)}, more than ${formatSize(MOST_LIST_BYTES)}`,
    hint: "Name fewer folders, or pack them into an archive on the node first",
    node,
  });
}

interface ReceiveOptions extends FetchOptions {
  readonly names: readonly RelativePath[];
}

async function receive(
  talk: Conversation,
  options: ReceiveOptions,
): Promise<Omit<FetchReport, "skipped">> {
  // tar-stream is loaded when there is something to take apart.
  const { unpack } = await lazy<typeof import("./unpack.ts")>("./unpack.ts", import.meta.url);
  const landing = await Landing.open(options.to);
  const staging = await mkdtemp(join(options.to, ".grid-fetch-"));
  try {
    const arrived = await unpack(talk.pieces(), {
      wanted: new Set<string>(options.names),
      to: staging,
      node: options.transport.endpoint.name,
      signal: options.signal,
    }).catch((error) => {
      throw unpackProblem(error, options);
    });
    const missing = options.names.filter((name) => !arrived.has(name));
    if (missing.length > 0) throw incomplete(missing, await talk.complaints(), options);
    for (const name of options.names) await landing.place(join(staging, name), name);
    const bytes = [...arrived.values()].reduce((sum, size) => sum + size, 0);
    return { files: options.names, bytes };
  } finally {
    await rm(staging, { recursive: true, force: true });
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
