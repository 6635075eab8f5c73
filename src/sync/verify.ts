/** Proves by hash that a node's folder holds what the last sync of it brought. */
import { GridError } from "../core/errors.ts";
import { own } from "../core/own.ts";
import type { RelativePath } from "../core/relative_path.ts";
import { nodePrelude, nodeProgram } from "../transport/node_program.ts";
import { Conversation } from "./conversation.ts";
import { printable } from "./fetch_listing.ts";
import { mostSumBytes, readSums } from "./fetch_sums.ts";
import { listOf, readManifest } from "./manifest.ts";
import type { Place } from "./place.ts";
import type { SyncTarget } from "./sync.ts";

export interface Verified {
  readonly node: string;
  /** Absolute folder on the node. */
  readonly folder: string;
  /** Files that were compared by their SHA-256. */
  readonly compared: number;
  /** Files whose content is other than what was brought. */
  readonly differ: readonly string[];
  /** Files that are not there, are no files any more, or cannot be read. */
  readonly missing: readonly string[];
  /** Brought by a sync with `use_checksums: false`: nobody knows what they held. */
  readonly unknown: number;
}

export interface VerifyOptions {
  readonly target: SyncTarget;
  readonly place: Place;
  /** Whether the next sync is to put right what differs. */
  readonly mark: boolean;
  readonly signal: AbortSignal;
}

const MOST_RECORD = { bytes: 48 * 2 ** 20, what: "its record" };
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** @throws {GridError} `sync` where nothing was synced there, or the node cannot sum up files */
export async function verifySync(options: VerifyOptions): Promise<Verified> {
  const { target, place, mark, signal } = options;
  await using talk = await Conversation.start(target.transport, {
    script: `${nodePrelude()}\n${nodeProgram("verify.sh", import.meta.url)}`,
    words: [place.root, place.name, place.key],
    signal,
  });
  const line = await talk.line();
  const [, digest, manifestBytes, sumBytes] =
    /^verify ([0-9a-f]{64}) (\d{1,15}) (\d{1,15})$/.exec(line) ?? [];
  if (digest === undefined) throw problemOf(line, await talk.rest(), options);
  const text = decoder.decode(await talk.bytes(Number(manifestBytes), MOST_RECORD));
  const manifest = readManifest(text, digest);
  if (manifest === undefined) throw problemOf("failed record", "", options);
  const files = manifest.entries.filter((entry) => entry.type === "file");
  const paths = files.map((entry) => entry.path as RelativePath);
  const most = { bytes: mostSumBytes(paths), what: `sums of ${paths.length} files` };
  const sums = readSums(decoder.decode(await talk.bytes(Number(sumBytes), most)), paths, "");
  const known = files.filter((entry) => entry.content.startsWith("sha256:"));
  const missing = files.map((entry) => entry.path)
    .filter((path) => !sums.has(path as RelativePath));
  const differ = known.filter((entry) => {
    const sum = sums.get(entry.path as RelativePath);
    return sum !== undefined && entry.content !== `sha256:${sum}`;
  }).map((entry) => entry.path);
  const names = encoder.encode(mark ? listOf(differ) : "");
  await talk.write(encoder.encode(`${names.length}\n`));
  if (names.length > 0) await talk.write(names);
  const last = await talk.line();
  if (last !== "marked") throw problemOf(last, await talk.rest(), options);
  return {
    node: target.node,
    folder: place.folder,
    compared: sums.size,
    differ,
    missing,
    unknown: files.length - known.length,
  };
}

function problemOf(line: string, rest: string, { target, place }: VerifyOptions): GridError {
  const what = `Cannot verify "${place.name}" on "${target.node}"`;
  const words = printable(rest.trim().split("\n")[0] ?? "");
  const [state, hint] = own(PROBLEMS, line) ?? [
    `${printable(line)}${words && `: ${words}`}`,
    `Try: grid run --node ${target.node} "df -h /tmp"`,
  ];
  return new GridError({ code: "sync", message: `${what}: ${state}`, hint, node: target.node });
}

const PROBLEMS: Readonly<Record<string, readonly [string, string]>> = {
  "failed none": ["no sync has brought it there", "Sync it first: grid sync"],
  "failed folder": ["its folder is gone, or closed", "The next sync brings it again: grid sync"],
  "failed sha256sum": ["it has neither sha256sum nor shasum", "Install coreutils on the node"],
  "failed record": ["what the node remembers of it is damaged", "Sync it again: grid sync"],
  "failed touch": [
    "what differs there cannot be marked",
    "Files of another owner? Look at them: ls -la",
  ],
};
