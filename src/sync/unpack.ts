/** Takes a node's tar archive apart; writes nothing but the files that were asked for. */
import { createHash, type Hash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { chmod, copyFile, mkdir, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "npm:tar-stream@3.2.2";
import { GridError } from "../core/errors.ts";
import type { RelativePath } from "../core/relative_path.ts";
import { formatSize } from "../core/size.ts";
import { type FoundFile, printable } from "./fetch_listing.ts";

/** How much a file may have grown since it was listed. */
const MOST_GROWTH_BYTES = 64 * 2 ** 20;
/** And how much all of them together. */
const MOST_GROWTH_OF_ALL_BYTES = 2 ** 30;
/** Headers, long names and padding of a file. */
const MOST_WRAPPING_BYTES = 16 * 1024;
/** What ends an archive, and what may be read ahead of its members. */
const MOST_SURPLUS_BYTES = 16 * 2 ** 20;

export interface UnpackOptions {
  /** Hears of each file that is here as a whole. */
  readonly tookFile?: () => void;
  /** What may come, by name; anything else ends it all. */
  readonly wanted: ReadonlyMap<string, FoundFile>;
  /** Existing empty folder that takes them. */
  readonly to: string;
  readonly node: string;
  readonly signal: AbortSignal;
}

export interface Arrived {
  /** Bytes. */
  readonly size: number;
  /** SHA-256 in hex of what was written. */
  readonly sum: string;
}

/** Every file that arrived whole. @throws {GridError} `sync` */
export async function unpack(
  pieces: AsyncIterable<Uint8Array>,
  options: UnpackOptions,
): Promise<ReadonlyMap<RelativePath, Arrived>> {
  const arrived = new Map<RelativePath, Arrived>();
  const archive = extract();
  const { signal, wanted } = options;
  const budget = { content: 0, growth: MOST_GROWTH_OF_ALL_BYTES };
  const mayCome = () => budget.content + wanted.size * MOST_WRAPPING_BYTES + MOST_SURPLUS_BYTES;
  const bounded = upTo(mayCome, { ...options, pieces });
  const feeding = pipeline(Readable.from(bounded, { objectMode: false }), archive, { signal });
  // Awaited below; until then a failure shows in the loop too.
  feeding.catch(() => {});
  const entries = archive[Symbol.asyncIterator]();
  try {
    for (let next = await entries.next(); !next.done; next = await entries.next()) {
      await take(next.value, { ...options, arrived, budget });
    }
    await feeding;
  } catch (error) {
    // Leaving a loop over the archive would wait for a member that nobody reads any more.
    archive.destroy();
    throw error;
  }
  return arrived;
}

/** Padding, headers and empty members are content of no file, and could go on for ever. */
async function* upTo(
  mayCome: () => number,
  { node, pieces }: UnpackOptions & { readonly pieces: AsyncIterable<Uint8Array> },
): AsyncGenerator<Uint8Array> {
  let came = 0;
  for await (const piece of pieces) {
    came += piece.length;
    if (came > mayCome()) throw endless(came, node);
    yield piece;
  }
}

function endless(came: number, node: string): GridError {
  return new GridError({
    code: "sync",
    message: `Cannot fetch from "${node}": it sent an archive of more than ${formatSize(came)}, ` +
      "most of which is no content of a file",
    hint: `Nothing was replaced. Check what tar is on ${node}`,
    node,
  });
}

type Member = ReturnType<typeof extract> extends AsyncIterable<infer T> ? T : never;

interface TakeOptions extends UnpackOptions {
  readonly arrived: Map<RelativePath, Arrived>;
  /** Bytes of the files that came so far, and by how many files may still outgrow their lists. */
  readonly budget: { content: number; growth: number };
}

async function take(entry: Member, options: TakeOptions): Promise<void> {
  const { arrived, budget, signal, wanted } = options;
  const { name, type, size = 0, linkname } = entry.header;
  const file = wanted.get(plain(name));
  if (file === undefined || arrived.has(file.path)) throw refused(name, `${type}`, options);
  const path = join(options.to, file.path);
  await mkdir(dirname(path), { recursive: true });
  if (type === "link") {
    // The second name of a file, whose content tar sends once.
    const first = wanted.get(plain(linkname ?? ""))?.path;
    const known = first && arrived.get(first);
    if (first === undefined || known === undefined) throw refused(name, type, options);
    await copyFile(join(options.to, first), path);
    arrived.set(file.path, known);
    options.tookFile?.();
    entry.resume();
  } else if (type === "file" || type === "contiguous-file") {
    budget.growth -= Math.max(0, size - file.size);
    const isTooLarge = size > file.size + MOST_GROWTH_BYTES || budget.growth < 0;
    if (isTooLarge) throw tooLarge(file, size, options);
    budget.content += size;
    const sum = createHash("sha256");
    await pipeline(entry, summing(sum), createWriteStream(path), { signal });
    arrived.set(file.path, { size, sum: sum.digest("hex") });
    options.tookFile?.();
  } else throw refused(name, `${type}`, options);
  await dress(path, file);
}

/** The times and the x-bit that it has on the node. */
export async function dress(path: string, { executable, mtime }: FoundFile): Promise<void> {
  if (executable) await chmod(path, 0o755);
  await utimes(path, mtime, mtime);
}

function summing(sum: Hash): Transform {
  return new Transform({
    transform(piece: Uint8Array, _encoding, done) {
      sum.update(piece);
      done(null, piece);
    },
  });
}

function plain(name: string): string {
  return name.replace(/^(\.\/)+/, "");
}

function refused(name: string, type: string, { node }: UnpackOptions): GridError {
  return new GridError({
    code: "sync",
    message: `Cannot fetch from "${node}": it sent ${type} "${printable(name)}", which was not ` +
      "asked for",
    hint: "Nothing was written. Check what tar is on that node",
    node,
  });
}

function tooLarge(file: FoundFile, size: number, { node }: UnpackOptions): GridError {
  return new GridError({
    code: "sync",
    message: `Cannot fetch from "${node}": it said that "${file.path}" has ${
      formatSize(file.size)
    }, and sent ${formatSize(size)}`,
    hint:
      `A file may grow by ${
        formatSize(MOST_GROWTH_BYTES)
      } while it is fetched, and all of them by ` +
      `${formatSize(MOST_GROWTH_OF_ALL_BYTES)}; try again`,
    node,
  });
}
