/** A few small files for a node, as one archive. */
import { concatBytes } from "../../core/bytes.ts";
import { tarEnd, tarHeader, tarPadding } from "../../sync/tar.ts";

/** @param files text by path */
export function archiveOf(files: Readonly<Record<string, string>>): Uint8Array {
  const encoder = new TextEncoder();
  const pieces = Object.entries(files).flatMap(([path, text]) => {
    const bytes = encoder.encode(text);
    const { length: size } = bytes;
    const header = tarHeader({ path, type: "file", mode: 0o600, size, mtime: 0 });
    return [header, bytes, new Uint8Array(tarPadding(size))];
  });
  return concatBytes([...pieces, tarEnd()]);
}
