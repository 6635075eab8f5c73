/** What of an attempt's output is in no log, in words; undefined where all of it was kept. */
import { formatSize } from "../core/size.ts";

export function unkeptWords(
  { unkeptBytes = 0 }: { readonly unkeptBytes?: number },
): string | undefined {
  if (unkeptBytes === 0) return undefined;
  return `${formatSize(unkeptBytes)} that it printed were not kept: the disk here had no room`;
}
