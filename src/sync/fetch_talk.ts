/** What a node says it has for a fetch, asked over one conversation; nothing is written. */
import type { RelativePath } from "../core/relative_path.ts";
import { nodePrelude, nodeProgram } from "../transport/node_program.ts";
import { Conversation } from "./conversation.ts";
import { comparePaths } from "./entry.ts";
import { type FoundFile, type LeftOut, type Listing, readListing } from "./fetch_listing.ts";
import type { FetchPattern } from "./fetch_pattern.ts";
import * as problem from "./fetch_problem.ts";
import { mostSumBytes, readSums } from "./fetch_sums.ts";
import type { FetchOptions } from "./sync.ts";

/** Names and rows; a folder of results that needs more than this needs an archive. */
const MOST_LIST = { bytes: 8 * 2 ** 20, what: "names of files; name fewer folders, or pack them" };
const MOST_WORDS = { bytes: 64 * 1024, what: "complaints" };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What was asked for and is there; lists are sorted by path. */
export interface Offer {
  readonly files: readonly FoundFile[];
  readonly folders: readonly RelativePath[];
  readonly skippedSteps: readonly LeftOut[];
  /** When they were looked at: seconds since the Unix epoch, by the clock of the node. */
  readonly now: number;
}

export interface AskOptions extends FetchOptions {
  readonly patterns: readonly FetchPattern[];
}

export function startFetch(options: AskOptions): Promise<Conversation> {
  return Conversation.start(options.transport, {
    script: `${nodePrelude()}\n${nodeProgram("fetch.sh", import.meta.url)}`,
    words: [options.folder, ...startsOf(options), ""],
    signal: options.signal,
  });
}

/** @throws {GridError} `sync` naming what is not there, or cannot be read */
export async function askOffer(talk: Conversation, options: AskOptions): Promise<Offer> {
  const { patterns } = options;
  const listing = await askListing(talk, options);
  const isAsked = ({ path }: { readonly path: string }) =>
    patterns.some((pattern) => pattern.matches(path));
  const offer = {
    files: listing.files.filter(isAsked).toSorted((a, b) => comparePaths(a.path, b.path)),
    folders: listing.folders.filter((path) => isAsked({ path })),
    skippedSteps: listing.skippedSteps.filter(isAsked).toSorted((a, b) =>
      comparePaths(a.path, b.path)
    ),
    now: listing.now,
  };
  problem.refuseMissing(patterns, offer, options);
  return offer;
}

function startsOf({ patterns }: AskOptions): string[] {
  return [...new Set(patterns.map((pattern) => pattern.start))];
}

async function askListing(
  talk: Conversation,
  options: AskOptions,
): Promise<Listing & Pick<Offer, "now">> {
  const node = options.transport.endpoint.name;
  const line = await talk.line();
  const sizes = /^found((?: \d{1,15}){6})$/.exec(line)?.[1]?.trim().split(" ").map(Number);
  if (sizes === undefined) throw problem.answerProblem(line, await talk.rest(), options);
  const [found = 0, rows = 0, dangling = 0, closed = 0, words = 0, now = 0] = sizes;
  const bytes = {
    found: await talk.bytes(found, MOST_LIST),
    rows: await talk.bytes(rows, MOST_LIST),
    dangling: await talk.bytes(dangling, MOST_LIST),
    closed: await talk.bytes(closed, MOST_LIST),
    words: await talk.bytes(words, MOST_WORDS),
  };
  const listing = readListing(bytes, { starts: startsOf(options), node });
  problem.refuseClosed(listing, { ...options, words: bytes.words });
  return { ...listing, now };
}

interface SumsOptions extends FetchOptions {
  readonly files: readonly FoundFile[];
}

/** SHA-256 in hex by path. */
export type Sums = ReadonlyMap<RelativePath, string>;

/** Undefined where the node has no tool for it. */
export async function askSums(talk: Conversation, options: SumsOptions): Promise<Sums | undefined> {
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

/** A list that the node is waiting for. */
export async function sendNames(talk: Conversation, paths: readonly string[]): Promise<void> {
  const names = encoder.encode(paths.map((path) => `./${path}\0`).join(""));
  await talk.write(encoder.encode(`${names.length}\n`));
  if (names.length > 0) await talk.write(names);
}
