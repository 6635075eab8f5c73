/** `grid run --help`: how a command is written, and what each part of it means. */
import { padEnd, wrap } from "../../terminal/width.ts";
import type { Command } from "./command.ts";
import { EXAMPLES } from "./examples.ts";
import { HELP_OPTION, type Option } from "./option.ts";

const INDENT = "  ";
const GAP = 2;
/** A column of words narrower than this is harder to read than lines that wrap. */
const NARROWEST = 30;

export function renderHelp(command: Command, width: number): string {
  const { arguments: words, options, children, parent, summary, closing } = command;
  const sections = [
    { title: "Arguments", rows: words },
    { title: "Options", rows: [...options, HELP_OPTION].map(optionRow) },
    { title: "Options of every command", rows: (parent?.allOptions ?? []).map(optionRow) },
    { title: "Commands", rows: children },
  ].filter(({ rows }) => rows.length > 0);
  const names = sections.flatMap(({ rows }) => rows.map(({ name }) => name.length));
  const column = Math.max(...names) + GAP;
  const room = Math.max(NARROWEST, width - INDENT.length - column);
  const blocks = sections.map(({ title, rows }) => {
    const lines = rows.flatMap(({ name, summary }) =>
      wrap(summary, room).map((line, at) => INDENT + padEnd(at === 0 ? name : "", column) + line)
    );
    return `${title}:\n${lines.join("\n")}\n`;
  });
  const usage = ["Usage:", command.path, "[options]", ...words.map(({ form }) => form)];
  if (children.length > 0) usage.push(command.run ? "[command]" : "<command>");
  const examples = (EXAMPLES[command.path] ?? [])
    .map(({ line, words }) => `${INDENT}${line}\n${INDENT}${INDENT}${words}\n`);
  return [
    `${usage.join(" ")}\n`,
    `${summary}\n`,
    ...blocks,
    ...(examples.length > 0 ? [`Examples:\n${examples.join("")}`] : []),
    ...(closing ? [`${closing}\n`] : []),
  ].join("\n");
}

/** The summary with what may follow, and what counts where nothing does. */
function optionRow({ flags, summary, details: { choices, initial } }: Option) {
  const notes = choices ? [choices.join(", ")] : [];
  if (typeof initial === "string" || typeof initial === "number") notes.push(`default ${initial}`);
  return { name: flags, summary: notes.length > 0 ? `${summary} (${notes.join("; ")})` : summary };
}
