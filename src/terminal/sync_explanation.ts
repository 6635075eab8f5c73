/** `grid sync --explain`: per node what would be sent and removed, then what is left out and why. */
import { formatSize } from "../core/size.ts";
import { oneLine } from "./harmless.ts";
import { counted } from "./step_words.ts";
import { createPaint, type Paint } from "./style.ts";

/** What is shown; the sync's own explanation has this form. */
export interface SyncExplanationRows {
  readonly nodes: readonly {
    readonly node: string;
    readonly folder: string;
    readonly send: readonly {
      readonly path: string;
      readonly bytes: number;
      readonly reason: string;
    }[];
    readonly remove: readonly string[];
    readonly kept: readonly string[];
    readonly others?: readonly string[];
    readonly stay?: readonly string[];
    readonly unchanged: number;
    readonly refused?: string;
  }[];
  readonly ignored: readonly {
    readonly path: string;
    readonly from: string;
    readonly pattern: string;
  }[];
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

/** More paths of one sort than this are told as a number. */
const MOST_SHOWN = 40;

export function renderSyncExplanation(
  { nodes, ignored, skipped }: SyncExplanationRows,
  options: { readonly color: boolean },
): string {
  const paint = createPaint(options.color);
  const blocks = [
    ...nodes.map((node) => nodeBlock(node, paint)),
    listBlock(
      "left out",
      ignored.map(({ path, from, pattern }) => `${path}  (${from}: ${pattern})`),
    ),
    listBlock("cannot be synced", skipped.map(({ path, reason }) => `${path}  (${reason})`)),
  ];
  return blocks.filter((lines) => lines.length > 0).map((lines) => lines.join("\n")).join("\n\n") +
    "\n";
}

function nodeBlock(node: SyncExplanationRows["nodes"][number], paint: Paint): string[] {
  const { send, remove, kept, others = [], stay = [], unchanged, refused } = node;
  const bytes = send.reduce((sum, file) => sum + file.bytes, 0);
  const totals = `send ${send.length} (${formatSize(bytes)}), remove ${remove.length}, ` +
    `${unchanged} unchanged`;
  return [
    `${paint.bold(node.node)}  ${node.folder}: ${totals}`,
    ...(refused === undefined ? [] : [`  ${paint.red("refused")} ${oneLine(refused)}`]),
    ...shorten(
      send.map(({ path, bytes, reason }) =>
        `${paint.green("+")} ${oneLine(path)}  ${formatSize(bytes)}, ${reason}`
      ),
    ),
    ...shorten(remove.map((path) => `${paint.red("-")} ${oneLine(path)}`)),
    ...shorten(
      others.map((path) =>
        `${paint.yellow("!")} ${oneLine(path)}  not written by Grid, moved aside first`
      ),
    ),
    ...shorten(
      stay.map((path) => `${paint.yellow("=")} ${oneLine(path)}  not written by Grid, left there`),
    ),
    ...shorten(
      kept.map((path) => `${paint.yellow("=")} ${oneLine(path)}  changed on the node, kept`),
    ),
  ];
}

function listBlock(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...shorten(lines.map(oneLine))];
}

function shorten(lines: readonly string[]): string[] {
  const shown = lines.slice(0, MOST_SHOWN).map((line) => `  ${line}`);
  const left = lines.length - shown.length;
  return left > 0 ? [...shown, `  … and ${counted(left, "path")} more`] : shown;
}
