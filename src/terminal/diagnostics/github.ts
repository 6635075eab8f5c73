/**
 * Annotations as GitHub's runner reads them from a job's output.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 */
import { harmlessText, oneLine } from "../harmless.ts";
import type { Diagnostic } from "../../document/diagnostic.ts";

type Level = "error" | "warning" | "notice";

export interface Annotation {
  readonly level: Level;
  readonly message: string;
  readonly title?: string | undefined;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  readonly endColumn?: number | undefined;
}

/** One line without its newline. */
export function renderAnnotation(annotation: Annotation): string {
  const { level, message, title, file, line, column, endColumn } = annotation;
  const properties = Object.entries({ file, line, col: column, endColumn, title })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${escapeProperty(oneLine(String(value)))}`);
  const head = properties.length > 0 ? `${level} ${properties.join(",")}` : level;
  return `::${head}::${escapeData(harmlessText(message))}`;
}

/** GitHub keeps so many errors and so many warnings of a step, and drops the rest without a word. */
export const MOST_ANNOTATIONS = 10;

export function renderGithubDiagnostics(diagnostics: readonly Diagnostic[]): string {
  const [errors, warnings] = (["error", "warning"] as const)
    .map((severity) => diagnostics.filter((diagnostic) => diagnostic.severity === severity));
  const shown = [errors ?? [], warnings ?? []].map((list) => list.slice(0, MOST_ANNOTATIONS))
    .flat();
  const more = diagnostics.length - shown.length;
  const rest = more === 0 ? "" : renderAnnotation({
    level: "notice",
    message:
      `and ${more} more, which grid validate shows; GitHub keeps ${MOST_ANNOTATIONS} of a kind`,
  }) + "\n";
  return annotationsOf(diagnostics.filter((diagnostic) => shown.includes(diagnostic))) + rest;
}

function annotationsOf(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map((diagnostic) => {
    const { severity, place, length, message, hint, rule, usedAt = [] } = diagnostic;
    const used = usedAt.map(({ file, line, column }) => `used at ${file}:${line}:${column}`);
    return renderAnnotation({
      level: severity,
      message: [message, ...(hint === undefined ? [] : [`hint: ${hint}`]), ...used].join("\n"),
      title: rule,
      file: place.file,
      line: place.line,
      column: place.column,
      endColumn: place.column + Math.max(1, length),
    }) + "\n";
  }).join("");
}

export function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
