/** `grid fetch --dry-run` in words. */
import { formatSize } from "../core/size.ts";
import { counted } from "./step_words.ts";
import { oneLine } from "./harmless.ts";
import { createPaint } from "./style.ts";

/** More than this nobody reads. */
const MOST_SHOWN = 50;

export interface FetchExplanationRow {
  readonly node: string;
  readonly folder: string;
  readonly to: string;
  readonly files: readonly {
    readonly path: string;
    readonly bytes: number;
    readonly isHere: boolean;
  }[];
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

export function renderFetchExplanation(
  rows: readonly FetchExplanationRow[],
  { color }: { readonly color: boolean },
): string {
  const paint = createPaint(color);
  const lines = rows.flatMap(({ node, folder, to, files, skipped }) => {
    const coming = files.filter(({ isHere }) => !isHere);
    const bytes = coming.reduce((sum, file) => sum + file.bytes, 0);
    const totals = `bring ${coming.length} (${formatSize(bytes)}), ` +
      `${files.length - coming.length} here already`;
    const shown = coming.slice(0, MOST_SHOWN);
    return [
      `${paint.bold(node)}  ${folder} → ${to}: ${totals}`,
      ...shown.map((file) =>
        `  ${paint.green("+")} ${oneLine(file.path)}  ${formatSize(file.bytes)}`
      ),
      ...(coming.length > shown.length
        ? [`  … and ${counted(coming.length - shown.length, "path")} more`]
        : []),
      ...skipped.slice(0, MOST_SHOWN).map(({ path, reason }) =>
        `  ${paint.yellow("!")} ${oneLine(path)}  stays there: ${oneLine(reason)}`
      ),
    ];
  });
  return `${lines.join("\n")}\n`;
}
