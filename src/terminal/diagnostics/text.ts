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

/** Every mistake with its place, its line and a caret, ending with how many there are. */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  options: DiagnosticTextOptions,
): string {
  const paint = createPaint(options.color);
  const width = options.width ?? 100;
  const blocks = diagnostics.map((diagnostic) => block(diagnostic, { paint, width }));
  return `${[...blocks, totals(diagnostics)].join("\n\n")}\n`;
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
