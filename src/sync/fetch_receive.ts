/** Brings the files of a fetch that are not here yet: staged, compared, then renamed. */
import { join } from "node:path";
import { GridError } from "../core/errors.ts";
import { distinctName } from "../core/file_names.ts";
import { lazy } from "../core/lazy.ts";
import type { RelativePath } from "../core/relative_path.ts";
import type { Conversation } from "./conversation.ts";
import type { FoundFile } from "./fetch_listing.ts";
import * as problem from "./fetch_problem.ts";
import { fetchRest, isWorthAsking, type Rest } from "./fetch_rest.ts";
import { sendNames, type Sums } from "./fetch_talk.ts";
import { ProgressMeter } from "./progress.ts";
import { sumOfFile } from "./hash.ts";
import type { Landing } from "./landing.ts";
import { openStaging, type Staging } from "./staging.ts";
import type { FetchOptions } from "./sync.ts";
import type { Arrived } from "./unpack.ts";

export interface ReceiveOptions extends FetchOptions {
  readonly landing: Landing;
  readonly files: readonly FoundFile[];
  readonly sums: Sums | undefined;
}

/** Those that changed on the node while they were read are told, and are not here. */
export async function receive(
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
    const meter = meterOf(rest, found.parts, options);
    let through = 0;
    const counted = async function* () {
      for await (const piece of talk.pieces()) {
        meter.took({ bytes: piece.length, files: through });
        through = 0;
        yield piece;
      }
    };
    const came = rest.length === 0 ? [] : await unpack(counted(), {
      tookFile: () => through++,
      wanted: new Map(rest.map((file) => [file.path, file])),
      to: staging.folder,
      node: options.transport.endpoint.name,
      signal: options.signal,
    });
    meter.took({ bytes: 0, files: through });
    for (const [path, it] of came) arrived.set(path, it);
    for (const part of found.parts.values()) {
      arrived.set(part.file.path, await fetchRest(part, { ...options, meter }));
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

function meterOf(
  rest: readonly FoundFile[],
  parts: ReadonlyMap<RelativePath, Rest>,
  { transport, progress }: FetchOptions,
): ProgressMeter {
  const sizes = [
    ...rest.map((file) => file.size),
    ...[...parts.values()].map(({ file, has }) => file.size - has),
  ];
  return new ProgressMeter({
    node: transport.endpoint.name,
    entries: sizes.map((size) => ({ type: "file", size })),
    tell: progress,
  });
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

export function loadUnpack() {
  return lazy<typeof import("./unpack.ts")>("./unpack.ts", import.meta.url);
}
