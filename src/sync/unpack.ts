/** Takes a node's tar archive apart; writes nothing but the files that were asked for. */
import { createWriteStream } from "node:fs";
import { chmod, copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
// @ts-types="npm:@types/tar-stream@3.1.5"
import { extract } from "npm:tar-stream@3.2.2";
import { GridError } from "../core/errors.ts";

export interface UnpackOptions {
  /** Names that may come, relative; anything else ends it all. */
  readonly wanted: ReadonlySet<string>;
  /** Existing folder that takes them. */
  readonly to: string;
  readonly node: string;
  readonly signal: AbortSignal;
}

/** Bytes by name, for every file that arrived whole. @throws {GridError} `sync` */
export async function unpack(
  pieces: AsyncIterable<Uint8Array>,
  options: UnpackOptions,
): Promise<ReadonlyMap<string, number>> {
  const arrived = new Map<string, number>();
  const archive = extract();
  const { signal } = options;
  const feeding = pipeline(Readable.from(pieces, { objectMode: false }), archive, { signal });
  // Awaited below; until then a failure shows in the loop too.
  feeding.catch(() => {});
  for await (const entry of archive) {
    const name = entry.header.name.replace(/^(\.\/)+/, "");
    const { type } = entry.header;
    const isFile = type === "file" || type === "contiguous-file";
    // The second name of a file: tar sends its content once.
    const first = type === "link"
      ? (entry.header.linkname ?? "").replace(/^(\.\/)+/, "")
      : undefined;
    const size = first === undefined ? entry.header.size ?? 0 : arrived.get(first);
    const isNew = options.wanted.has(name) && !arrived.has(name);
    if (!(isFile || type === "link") || !isNew || size === undefined) {
      throw refused(entry.header.name, `${type}`, options);
    }
    const path = join(options.to, name);
    await mkdir(dirname(path), { recursive: true });
    if (first === undefined) await pipeline(entry, createWriteStream(path), { signal });
    else {
      await copyFile(join(options.to, first), path);
      entry.resume();
    }
    const isProgram = ((entry.header.mode ?? 0) & 0o100) !== 0;
    if (isProgram) await chmod(path, 0o755);
    arrived.set(name, size);
  }
  await feeding;
  return arrived;
}

function refused(name: string, type: string, { node }: UnpackOptions): GridError {
  return new GridError({
    code: "sync",
    message: `Cannot fetch from "${node}": it sent ${type} "${name}", which was not asked for`,
    hint: "Nothing was written. Check what tar is on that node",
    node,
  });
}
