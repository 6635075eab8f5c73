/** The manual page in roff, from what `--help` is made from. */
import { VERSION } from "../../core/version.ts";
import { COMMANDS } from "../commands.ts";
import type { Command } from "./command.ts";
import { EXAMPLES } from "./examples.ts";
import type { Option } from "./option.ts";

export function renderManual(program: Command): string {
  const commands = COMMANDS.flatMap(({ name }) =>
    program.children.filter((child) => child.name === name).flatMap(withChildren)
  );
  return [
    `.TH GRID 1 "" "Grid ${VERSION}" "User Commands"`,
    ".SH NAME",
    `grid \\- ${roff(lowerFirst(program.summary))}`,
    ".SH SYNOPSIS",
    ".B grid",
    ".I command",
    "[options]",
    ".SH OPTIONS",
    ...program.options.flatMap(optionLines),
    ".SH COMMANDS",
    ...commands.flatMap(commandLines),
    ".SH EXIT STATUS",
    roff(
      "0 ok, 1 a step failed, 2 bad file or usage, 3 no node reachable, 4 timed out, 5 conflict, " +
        "6 this machine refuses, 70 a bug of Grid, 130 interrupted, 143 terminated.",
    ),
    ".SH FILES",
    ...entry(".grid/", "what Grid keeps of a project: runs, reports, logs"),
    ...entry("config/cluster_config.yaml", "the nodes of a project"),
    ...entry("~/.config/grid/cluster_config.yaml", "the nodes of all other projects"),
    ".SH ENVIRONMENT",
    ...entry("GRID_CONFIG", "cluster config, instead of the project's"),
    ...entry("GRID_RETENTION", "how long reports and logs are kept, such as 90d, or off"),
    ...entry("NO_COLOR", "no colours"),
    "",
  ].join("\n");
}

function withChildren(command: Command): readonly Command[] {
  return [command, ...command.children.flatMap(withChildren)];
}

function commandLines(command: Command): string[] {
  const { path, arguments: words, summary, options, closing } = command;
  const usage = [path, ...words.map(({ form }) => form)].join(" ");
  return [
    `.SS ${roff(usage)}`,
    roff(summary),
    ...words.flatMap(({ name, summary }) => entry(name, summary)),
    ...options.flatMap(optionLines),
    ...(closing === undefined ? [] : [".PP", ...closing.split("\n").map(roff)]),
    ...(EXAMPLES[path] ?? []).flatMap(({ line, words }) => [
      ".PP",
      `${roff(words)}:`,
      ".RS",
      ".nf",
      roff(line),
      ".fi",
      ".RE",
    ]),
  ];
}

function optionLines({ flags, summary, details: { choices } }: Option): string[] {
  return entry(flags, choices ? `${summary} (${choices.join(", ")})` : summary);
}

function entry(name: string, words: string): string[] {
  return [".TP", `.B ${roff(name)}`, roff(words)];
}

/** Signs that mean something to roff: backslashes, dashes, and a dot or quote that begins a line. */
function roff(text: string): string {
  const safe = text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("~", "\\(ti")
    .replaceAll("'", "\\(aq").replaceAll("`", "\\(ga").replaceAll("^", "\\(ha");
  const plain = safe.replaceAll(/[^\0-\x7f]/gu, glyph);
  return plain.startsWith(".") ? `\\&${plain}` : plain;
}

/** groff's name of a character beyond ASCII. */
function glyph(sign: string): string {
  return `\\[u${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}]`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
