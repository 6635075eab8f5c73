/** The one place where an error becomes words. */
import type { GridError } from "../core/errors.ts";
import { DiagnosticsError } from "../document/diagnostic.ts";
import { renderDiagnostics } from "./diagnostics/text.ts";
import { harmlessText } from "./harmless.ts";
import { createPaint } from "./style.ts";

export interface ProblemOptions {
  readonly color: boolean;
  /** Columns; default 100. */
  readonly width?: number;
  /** Show where in Grid a bug arose. */
  readonly debug?: boolean;
}

/** Lines for people, ending in a newline. */
export function renderProblem(error: GridError, options: ProblemOptions): string {
  const paint = createPaint(options.color);
  if (error instanceof DiagnosticsError) return renderDiagnostics(error.diagnostics, options);
  if (error.code === "bug") return bugReport(error, options);
  const { place, node, hint } = error;
  const at = place ? `${paint.bold(`${place.file}:${place.line}:${place.column}:`)} ` : "";
  // Most messages name the node already.
  const named = node === undefined || error.message.includes(node) ? "" : ` (node ${node})`;
  const lines = [`${at}${paint.bold(paint.red("error:"))} ${harmlessText(error.message)}${named}`];
  const cause = causeWords(error);
  if (cause !== undefined) lines.push(`${paint.dim("cause:")} ${harmlessText(cause)}`);
  if (hint !== undefined) lines.push(`${paint.cyan("hint:")} ${harmlessText(hint)}`);
  return lines.join("\n") + "\n";
}

/** A cause is shown only where the message does not say it already. */
function causeWords(error: GridError): string | undefined {
  const { cause } = error;
  if (!(cause instanceof Error)) return undefined;
  const words = firstLine(cause.message);
  return words === "" || error.message.includes(words) ? undefined : words;
}

function bugReport(error: GridError, options: ProblemOptions): string {
  const paint = createPaint(options.color);
  const { cause } = error;
  const kind = cause instanceof Error ? `${cause.name}: ` : "";
  const stack = options.debug ? (cause instanceof Error ? cause.stack : error.stack) : undefined;
  const lines = [
    `${paint.bold(paint.red("bug:"))} Grid did not expect this: ${kind}${
      harmlessText(error.message)
    }`,
    ...(stack === undefined ? [] : [paint.dim(stack)]),
    `${
      paint.cyan("hint:")
    } this is a fault of Grid, not of your pipeline; please report it with the output of ` +
    `the same command under --log-level debug`,
  ];
  return lines.join("\n") + "\n";
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
