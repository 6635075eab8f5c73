/** `grid run --help`: how a command is written, and what each part of it means. */
import { padEnd, wrap } from "../../terminal/width.ts";
import type { Argument, Command } from "./command.ts";
import type { Option } from "./option.ts";

type Row = readonly [name: string, summary: string];

export function renderHelp(command: Command, width: number): string {
  const { arguments: words, options, children, summary, closing } = command;
  const shared = command.parent?.allOptions ?? [];
  const help: Row = ["-h, --help", "print this"];
  const sections: (readonly [title: string, rows: readonly Row[]])[] = [
    ["Arguments", words.map((word): Row => [word.name, word.summary])],
    ["Options", [...options.map(optionRow), help]],
    ["Options of every command", shared.map(optionRow)],
    ["Commands", children.map((child): Row => [child.name, child.summary])],
  ];
  const filled = sections.filter(([, rows]) => rows.length > 0);
  const names = filled.flatMap(([, rows]) => rows.map(([name]) => name.length));
  const column = Math.max(...names) + GAP;
  const blocks = filled.map(([title, rows]) =>
    `${title}:\n${rows.map((row) => renderRow(row, { column, width })).join("")}`
  );
  const usage = ["Usage:", command.path, "[options]", ...words.map(form)];
  if (children.length > 0) usage.push("<command>");
  return [`${usage.join(" ")}\n`, `${summary}\n`, ...blocks, ...(closing ? [`${closing}\n`] : [])]
    .join("\n");
}

const INDENT = 2;
const GAP = 2;
/** A column of words narrower than this is harder to read than lines that wrap. */
const NARROWEST = 30;

function renderRow(
  [name, summary]: Row,
  { column, width }: { readonly column: number; readonly width: number },
): string {
  const lines = wrap(summary, Math.max(NARROWEST, width - INDENT - column));
  const label = (at: number) => padEnd(at === 0 ? name : "", column);
  return lines.map((line, at) => `${" ".repeat(INDENT)}${label(at)}${line}\n`).join("");
}

function optionRow(option: Option): Row {
  return [option.flags, option.explanation];
}

function form({ name, isRequired, isList }: Argument): string {
  const words = isList ? `${name}...` : name;
  return isRequired ? `<${words}>` : `[${words}]`;
}
