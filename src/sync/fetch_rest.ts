/** What is missing of a file of which an earlier try brought the beginning. */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { RelativePath } from "../core/relative_path.ts";
import { Conversation } from "./conversation.ts";
import type { FoundFile } from "./fetch_listing.ts";
import type { ProgressMeter } from "./progress.ts";
import type { FetchOptions } from "./sync.ts";
import type { Arrived } from "./unpack.ts";

/** Below this a second channel costs more than the bytes. */
export const WORTH_BYTES = 2 ** 20;

const SCRIPT = `IFS= read -r marker
IFS= read -r folder
IFS= read -r path
IFS= read -r from
printf '\\n%s\\n' "$marker"
cd -- "$folder" && exec tail -c "+$from" -- "$path"
`;

export interface Rest {
  readonly file: FoundFile;
  /** Bytes that are here. */
  readonly has: number;
  /** Absolute path of them. */
  readonly staged: string;
}

/**
 * Appends it, as far as the file was when it was listed. Whether the whole is right its sum tells: the
 * file there may be another one by now.
 */
export async function fetchRest(
  { file, has, staged }: Rest,
  { transport, folder, signal, meter }: FetchOptions & { readonly meter: ProgressMeter },
): Promise<Arrived> {
  await using talk = await Conversation.start(transport, {
    script: SCRIPT,
    words: [folder, `./${file.path}`, String(has + 1)],
    signal,
  });
  await talk.end();
  await using handle = await open(staged, "r+");
  const sum = createHash("sha256");
  const block = new Uint8Array(2 ** 20);
  for (let at = 0; at < has;) {
    const { bytesRead } = await handle.read(block, 0, Math.min(block.length, has - at), at);
    if (bytesRead === 0) break;
    sum.update(block.subarray(0, bytesRead));
    at += bytesRead;
  }
  let at = has;
  for await (const piece of talk.pieces()) {
    const part = piece.subarray(0, file.size - at);
    sum.update(part);
    await handle.write(part, 0, part.length, at);
    at += part.length;
    meter.took({ bytes: part.length, files: at >= file.size ? 1 : 0 });
    if (at >= file.size) break;
  }
  return { size: at, sum: sum.digest("hex") };
}

export function isWorthAsking(
  has: number,
  file: { readonly size: number; readonly path: RelativePath },
) {
  return has >= WORTH_BYTES && has < file.size;
}
