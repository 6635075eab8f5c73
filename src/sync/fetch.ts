/** `fetchFiles`: results come home; staged first, then renamed, so no file is ever half there. */
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { GridError } from "../core/errors.ts";
import { distinctName } from "../core/ids.ts";
import { lazy } from "../core/lazy.ts";
import type { RelativePath } from "../core/relative_path.ts";
import { nodePrelude, nodeProgram } from "../transport/node_program.ts";
import { Conversation } from "./conversation.ts";
import { comparePaths } from "./entry.ts";
import { type FoundFile, type Listing, readListing } from "./fetch_listing.ts";
import { type FetchPattern, parseFetchPattern } from "./fetch_pattern.ts";
import * as problem from "./fetch_problem.ts";
import { fetchRest, isWorthAsking, type Rest } from "./fetch_rest.ts";
import { mostSumBytes, readSums } from "./fetch_sums.ts";
import { sumOfFile } from "./hash.ts";
import { Landing } from "./landing.ts";
import { openStaging, type Staging } from "./staging.ts";
import type { FetchFiles, FetchOptions, FetchReport } from "./sync.ts";
import type { Arrived } from "./unpack.ts";

/** Names and rows; a folder of results that needs more than this needs an archive. */
const MOST_LIST = { bytes: 8 * 2 ** 20, what: "names of files; name fewer folders, or pack them" };
const MOST_WORDS = { bytes: 64 * 1024, what: "complaints" };
/** A file that changes while it is fetched is asked for again this often. */
const ATTEMPTS = 3;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const fetchFiles: FetchFiles = async (options) => {
  const patterns = options.from.map(parseFetchPattern);
  if (/[\0\n]/.test(options.folder)) throw problem.noFolder(options);
  const first = await fetchOnce(patterns, options);
  const moved = new Map(first.torn.map((file) => [file.path, file]));
  const files = new Map(first.files.map((file) => [file.path, file]));
  for (let attempt = 2; moved.size > 0; attempt++) {
    if (attempt > ATTEMPTS) throw problem.unsteady([...moved.keys()], options);
    const again = [...moved.keys()].map(parseExactPath);
    const next = await fetchOnce(again, options);
    for (const file of next.files) files.set(file.path, file);
    moved.clear();
    for (const file of next.torn) moved.set(file.path, file);
  }
  const paths = [...files.keys()].toSorted(comparePaths);
  const bytes = [...files.values()].reduce((sum, file) => sum + file.size, 0);
  return { files: paths, bytes, skipped: first.skipped, isVerified: first.isVerified };
};

/** A name that the node gave, not a pattern, whatever characters it holds. */
function parseExactPath(path: RelativePath): FetchPattern {
  const matches = (file: string) => file === path;
  return { text: path, start: `./${path}`, matches, reaches: matches };
}

interface Fetched {
  /** What is in its place now. */
  readonly files: readonly FoundFile[];
  /** What changed on the node while it was read. */
  readonly torn: readonly FoundFile[];
  readonly skipped: FetchReport["skipped"];
  readonly isVerified: boolean;
}

async function fetchOnce(
  patterns: readonly FetchPattern[],
  options: FetchOptions,
): Promise<Fetched> {
  const starts = [...new Set(patterns.map((pattern) => pattern.start))];
  await using talk = await Conversation.start(options.transport, {
    script: `${nodePrelude()}\n${nodeProgram("fetch.sh", import.meta.url)}`,
    words: [options.folder, ...starts, ""],
    signal: options.signal,
  });
  const listing = await askListing(talk, { ...options, starts, patterns });
  const isAsked = ({ path }: { readonly path: string }) =>
    patterns.some((pattern) => pattern.matches(path));
  const files = listing.files.filter(isAsked).toSorted((a, b) => comparePaths(a.path, b.path));
  const folders = listing.folders.filter((path) => isAsked({ path }));
  const leftOut = listing.leftOut.filter(isAsked).toSorted((a, b) => comparePaths(a.path, b.path));
  problem.refuseMissing(patterns, { files, folders, leftOut }, options);
  options.accept?.(files.map((file) => file.path));
  const landing = await Landing.open(options.to);
  await problem.refuseWithoutSpace(files, options);
  const sums = await askSums(talk, { ...options, files });
  const missing = await notHereYet(files, { sums, to: options.to });
  const received = await receive(talk, { ...options, landing, files: missing, sums });
  for (const path of folders) await landing.folder(path.split("/"));
  return {
    files: files.filter((file) => !received.torn.includes(file)),
    torn: received.torn,
    skipped: leftOut,
    isVerified: sums !== undefined,
  };
}

interface ListingOptions extends FetchOptions {
  readonly starts: readonly string[];
  readonly patterns: readonly FetchPattern[];
}

async function askListing(talk: Conversation, options: ListingOptions): Promise<Listing> {
  const node = options.transport.endpoint.name;
  const line = await talk.line();
  const sizes = /^found((?: \d{1,15}){5})$/.exec(line)?.[1]?.trim().split(" ").map(Number);
  if (sizes === undefined) throw problem.answerProblem(line, await talk.rest(), options);
  const [found = 0, rows = 0, dangling = 0, closed = 0, words = 0] = sizes;
  const bytes = {
    found: await talk.bytes(found, MOST_LIST),
    rows: await talk.bytes(rows, MOST_LIST),
    dangling: await talk.bytes(dangling, MOST_LIST),
    closed: await talk.bytes(closed, MOST_LIST),
    words: await talk.bytes(words, MOST_WORDS),
  };
  const listing = readListing(bytes, { ...options, node });
  problem.refuseClosed(listing, { ...options, words: bytes.words });
  return listing;
}

interface SumsOptions extends FetchOptions {
  readonly files: readonly FoundFile[];
}

type Sums = ReadonlyMap<RelativePath, string>;

/** Undefined where the node has no tool for it. */
async function askSums(talk: Conversation, options: SumsOptions): Promise<Sums | undefined> {
  const paths = options.files.map((file) => file.path);
  await sendNames(talk, paths);
  const line = await talk.line();
  if (line === "sums none") return undefined;
  const [, sumBytes, wordBytes] = /^sums (\d{1,15}) (\d{1,15})$/.exec(line) ?? [];
  if (sumBytes === undefined) throw problem.answerProblem(line, await talk.rest(), options);
  const most = { bytes: mostSumBytes(paths), what: `sums of ${paths.length} files` };
  const text = decoder.decode(await talk.bytes(Number(sumBytes), most));
  const words = decoder.decode(await talk.bytes(Number(wordBytes), MOST_WORDS));
  const sums = readSums(text, paths);
  problem.refuseUnread(paths.filter((path) => !sums.has(path)), words, options);
  return sums;
}

async function sendNames(talk: Conversation, paths: readonly string[]): Promise<void> {
  const names = encoder.encode(paths.map((path) => `./${path}\0`).join(""));
  await talk.write(encoder.encode(`${names.length}\n`));
  if (names.length > 0) await talk.write(names);
}

/** A file that lies here already with the same content need not travel. */
async function notHereYet(
  files: readonly FoundFile[],
  { sums, to }: { readonly sums: Sums | undefined; readonly to: string },
): Promise<FoundFile[]> {
  const missing: FoundFile[] = [];
  for (const file of files) {
    const path = join(to, file.path);
    const found = await lstat(path).catch(() => undefined);
    const mayBe = sums !== undefined && found?.isFile() && found.size === file.size;
    if (mayBe && await sumOfFile(path).catch(() => "") === sums.get(file.path)) {
      const { dress } = await loadUnpack();
      await dress(path, file);
    } else missing.push(file);
  }
  return missing;
}

interface ReceiveOptions extends FetchOptions {
  readonly landing: Landing;
  readonly files: readonly FoundFile[];
  readonly sums: Sums | undefined;
}

async function receive(
  talk: Conversation,
  options: ReceiveOptions,
): Promise<{ readonly torn: readonly FoundFile[] }> {
  const { files } = options;
  if (files.length === 0) {
    await sendNames(talk, []);
    await talk.end();
    return { torn: [] };
  }
  await using staging = await openStaging(options.to, keptPlace(options));
  const found = await recoverEarlier(staging, options);
  const rest = files.filter(({ path }) => !found.whole.has(path) && !found.parts.has(path));
  await sendNames(talk, rest.map((file) => file.path));
  await talk.end();
  const arrived = new Map(found.whole);
  try {
    // tar-stream is loaded when there is something to take apart.
    const { dress, unpack } = await loadUnpack();
    const came = rest.length === 0 ? [] : await unpack(talk.pieces(), {
      wanted: new Map(rest.map((file) => [file.path, file])),
      to: staging.folder,
      node: options.transport.endpoint.name,
      signal: options.signal,
    });
    for (const [path, it] of came) arrived.set(path, it);
    for (const part of found.parts.values()) {
      arrived.set(part.file.path, await fetchRest(part, options));
    }
    for (const file of files) {
      const wasHere = !rest.includes(file) && arrived.has(file.path);
      if (wasHere) await dress(join(staging.folder, file.path), file);
    }
  } catch (error) {
    // What a node sent that was not asked for is not kept; what a broken link left is.
    if (!(error instanceof GridError && error.code === "sync")) staging.keep();
    throw problem.unpackProblem(error, options);
  }
  const missing = files.filter(({ path }) => !arrived.has(path)).map((file) => file.path);
  if (missing.length > 0) {
    staging.keep();
    throw problem.incomplete(missing, await talk.complaints(), options);
  }
  return { torn: await placeAll(arrived, { ...options, staging }) };
}

async function placeAll(
  arrived: ReadonlyMap<RelativePath, Arrived>,
  options: ReceiveOptions & { readonly staging: Staging },
): Promise<FoundFile[]> {
  const { files, landing, staging, sums } = options;
  const torn: FoundFile[] = [];
  for (const file of files) {
    const { sum, size } = arrived.get(file.path) ?? { sum: "", size: 0 };
    const isWhole = sums === undefined || sums.get(file.path) === sum ||
      await isBeginning(file, { ...options, size, sum });
    if (isWhole) await landing.place(join(staging.folder, file.path), file.path);
    else torn.push(file);
  }
  return torn;
}

interface Earlier {
  readonly whole: ReadonlyMap<RelativePath, Arrived>;
  /** Files of which the beginning is here, to be proved by the sum of the whole. */
  readonly parts: ReadonlyMap<RelativePath, Rest>;
}

/** What a try that broke off brought; without sums of the node nobody could say whether it fits. */
async function recoverEarlier(staging: Staging, options: ReceiveOptions): Promise<Earlier> {
  const whole = new Map<RelativePath, Arrived>();
  const parts = new Map<RelativePath, Rest>();
  const { files, sums } = options;
  for (const file of sums === undefined ? [] : files) {
    const has = await staging.recover(file.path);
    const staged = join(staging.folder, file.path);
    if (has === file.size && has > 0) {
      const sum = await sumOfFile(staged);
      if (sum === sums?.get(file.path)) whole.set(file.path, { size: has, sum });
    } else if (isWorthAsking(has, file)) parts.set(file.path, { file, has, staged });
  }
  return { whole, parts };
}

/** A name of its own for what is fetched from one folder to another. */
function keptPlace({ keptFolder, transport, folder, to }: FetchOptions): string | undefined {
  return keptFolder && join(keptFolder, distinctName([transport.endpoint.name, folder, to]));
}

/** A log that grows is whole up to where it was read. */
async function isBeginning(
  { path }: FoundFile,
  options: FetchOptions & { readonly size: number; readonly sum: string },
): Promise<boolean> {
  const { quote } = await import("../core/shell.ts");
  const { folder, size, sum, transport, signal } = options;
  const command = `cd -- ${quote(folder)} && head -c ${size} -- ${quote(`./${path}`)} | ` +
    "{ sha256sum || shasum -a 256; } 2>/dev/null";
  const answer = await transport.exec(command, { signal, timeoutMs: 600_000, maxBytes: 1000 });
  return answer.stdout.startsWith(`${sum} `);
}

function loadUnpack() {
  return lazy<typeof import("./unpack.ts")>("./unpack.ts", import.meta.url);
}
