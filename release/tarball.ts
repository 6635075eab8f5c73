/** Archives that depend on their content alone: names in order, no times, no owners. */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { pack } from "tar-stream";
import { walk } from "./code.ts";

export interface TarballOptions {
  readonly folder: string;
  /** The name of the folder inside the archive. */
  readonly as: string;
  /** Paths inside `folder` that may be executed. */
  readonly executable: ReadonlySet<string>;
}

/** npm's own tarballs carry this time, too: a time before 1980 is refused by some tools. */
const TIME = new Date("1985-10-26T08:15:00Z");

export async function writeTarball(path: string, options: TarballOptions): Promise<void> {
  const archive = pack();
  const written = pipeline(archive, createGzip({ level: 6 }), createWriteStream(path));
  for (const name of walk(options.folder, ".")) {
    const mode = options.executable.has(name) ? 0o755 : 0o644;
    const file = join(options.folder, name);
    const { size } = Deno.statSync(file);
    const header = { name: `${options.as}/${name}`, mode, mtime: TIME, size };
    await pipeline(createReadStream(file), archive.entry(header));
  }
  archive.finalize();
  await written;
}

/** In hexadecimal digits, as `sha256sum` prints it. */
export async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
