/** `fetchFiles`: results come home; staged first, then renamed, so no file is ever half there. */
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import type { RelativePath } from "../core/relative_path.ts";
import { comparePaths } from "./entry.ts";
import type { FoundFile } from "./fetch_listing.ts";
import { type FetchPattern, parseFetchPattern } from "./fetch_pattern.ts";
import * as problem from "./fetch_problem.ts";
import { loadUnpack, receive } from "./fetch_receive.ts";
import { askOffer, askSums, startFetch, type Sums } from "./fetch_talk.ts";
import { sumOfFile } from "./hash.ts";
import { Landing } from "./landing.ts";
import type { FetchExplanation, FetchFiles, FetchOptions, FetchReport } from "./sync.ts";

/** A file that changes while it is fetched is asked for again this often. */
const ATTEMPTS = 3;

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
  return {
    files: paths,
    bytes,
    skipped: first.skipped,
    isVerified: first.isVerified,
    newest: patterns.flatMap((pattern) => newestOf(pattern, first)),
  };
};

/** Nothing for a pattern that found folders alone. */
function newestOf(pattern: FetchPattern, { files, torn, now }: Fetched): FetchReport["newest"] {
  const found = [...files, ...torn].filter(({ path }) => pattern.matches(path));
  const [first, ...others] = found;
  if (first === undefined) return [];
  // What was unpacked or copied with its times is not as old as it looks.
  const touched = ({ mtime, ctime = mtime }: FoundFile) => Math.max(mtime, ctime);
  const newest = others.reduce((a, b) => touched(b) > touched(a) ? b : a, first);
  return [{ pattern: pattern.text, path: newest.path, ageMs: 1000 * (now - touched(newest)) }];
}

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
  readonly now: number;
}

async function fetchOnce(
  patterns: readonly FetchPattern[],
  options: FetchOptions,
): Promise<Fetched> {
  const asking = { ...options, patterns };
  await using talk = await startFetch(asking);
  const { files, folders, skippedSteps, now } = await askOffer(talk, asking);
  options.accept?.(files.map((file) => file.path));
  const landing = await Landing.open(options.to);
  await problem.refuseWithoutSpace(files, options);
  const sums = await askSums(talk, { ...options, files });
  const here = await alreadyHere(files, { sums, to: options.to });
  const missing = files.filter((file) => !here.has(file));
  if (here.size > 0) {
    const { dress } = await loadUnpack();
    for (const file of here) await dress(join(options.to, file.path), file);
  }
  const received = await receive(talk, { ...options, landing, files: missing, sums });
  for (const path of folders) await landing.folder(path.split("/"));
  return {
    files: files.filter((file) => !received.torn.includes(file)),
    torn: received.torn,
    skipped: skippedSteps,
    isVerified: sums !== undefined,
    now,
  };
}

/** A file that lies here already with the same content need not travel. */
async function alreadyHere(
  files: readonly FoundFile[],
  { sums, to }: { readonly sums: Sums | undefined; readonly to: string },
): Promise<ReadonlySet<FoundFile>> {
  const here = new Set<FoundFile>();
  for (const file of files) {
    const path = join(to, file.path);
    const found = await lstat(path).catch(() => undefined);
    const mayBe = sums !== undefined && found?.isFile() && found.size === file.size;
    if (mayBe && await sumOfFile(path).catch(() => "") === sums.get(file.path)) here.add(file);
  }
  return here;
}

/** What a fetch would bring; nothing is written. @throws {GridError} as `fetchFiles` */
export async function explainFetch(options: FetchOptions): Promise<FetchExplanation> {
  const asking = { ...options, patterns: options.from.map(parseFetchPattern) };
  if (/[\0\n]/.test(options.folder)) throw problem.noFolder(options);
  await using talk = await startFetch(asking);
  const { files, folders, skippedSteps } = await askOffer(talk, asking);
  const sums = await askSums(talk, { ...options, files });
  const here = await alreadyHere(files, { sums, to: options.to });
  return {
    node: options.transport.endpoint.name,
    folder: options.folder,
    to: options.to,
    files: files.map((file) => ({ path: file.path, bytes: file.size, isHere: here.has(file) })),
    folders,
    skipped: skippedSteps,
  };
}
