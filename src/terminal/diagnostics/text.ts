import type { Place } from "../../core/errors.ts";
import type { Diagnostic } from "../../document/diagnostic.ts";
import { harmlessText } from "../harmless.ts";
import { counted } from "../step_words.ts";
import { createPaint, type Paint } from "../style.ts";
import { frameOf } from "./frame.ts";

export interface DiagnosticTextOptions {
  readonly color: boolean;
  /** Columns; default 100. */
  readonly width?: number;
}

/** Of more mistakes than these most are one, made many times; the machine formats have them all. */
const MOST_SHOWN = 100;

/** The mistakes with place, line and caret, ending with how many there are. */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  options: DiagnosticTextOptions,
): string {
  const paint = createPaint(options.color);
  const width = options.width ?? 100;
  const shown = shownOf(diagnostics);
  const blocks = shown.map((diagnostic) => block(diagnostic, { paint, width }));
  const left = diagnostics.length - shown.length;
  const more = left === 0
    ? []
    : [paint.dim(`… and ${left} more; all of them: grid validate --format json`)];
  return `${[...blocks, ...more, totals(diagnostics)].join("\n\n")}\n`;
}

/** A warning never takes the place of an error. */
function shownOf(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  if (diagnostics.length <= MOST_SHOWN) return diagnostics;
  const isError = ({ severity }: Diagnostic) => severity === "error";
  const chosen = new Set([
    ...diagnostics.filter(isError),
    ...diagnostics.filter((diagnostic) => !isError(diagnostic)),
  ].slice(0, MOST_SHOWN));
  return diagnostics.filter((diagnostic) => chosen.has(diagnostic));
}

interface BlockOptions {
  readonly paint: Paint;
  readonly width: number;
}

function block(diagnostic: Diagnostic, { paint, width }: BlockOptions): string {
  const isError = diagnostic.severity === "error";
  const mark = isError ? paint.red : paint.yellow;
  const { place, rule, message, hint, usedAt = [] } = diagnostic;
  const frame = frameOf(diagnostic, width);
  const gutter = " ".repeat(frame.lineNumber.length);
  const bar = paint.dim(`${gutter} |`);
  return [
    `${paint.bold(placeText(place))}: ${paint.bold(mark(`${diagnostic.severity}:`))} ${
      paint.bold(harmlessText(message))
    } ${paint.dim(`[${rule}]`)}`,
    `${paint.dim(`${frame.lineNumber} |`)} ${frame.source}`,
    `${bar} ${" ".repeat(frame.indent)}${mark("^".repeat(frame.carets))}`,
    ...(hint === undefined
      ? []
      : [`${paint.dim(`${gutter} =`)} ${paint.cyan("hint:")} ${harmlessText(hint)}`]),
    ...usedAt.map((used) => `${paint.dim(`${gutter} =`)} used at ${placeText(used)}`),
  ].join("\n");
}

function totals(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  const warnings = diagnostics.length - errors;
  const files = new Set(diagnostics.map(({ place }) => place.file)).size;
  const parts = [
    ...(errors > 0 ? [counted(errors, "error")] : []),
    ...(warnings > 0 ? [counted(warnings, "warning")] : []),
  ];
  return `${parts.join(", ") || "no mistakes"} in ${counted(files, "file")}`;
}

function placeText({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}
