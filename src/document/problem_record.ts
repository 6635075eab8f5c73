/** A failure as data between two processes of Grid, for the one that has somebody to tell. Pure. */
import { type ErrorCode, EXIT_CODES, GridError, type Place } from "../core/errors.ts";
import { type Diagnostic, DiagnosticsError } from "./diagnostic.ts";

export interface ProblemRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly node?: string | undefined;
  readonly place?: Place | undefined;
  /** What lies underneath, in words. */
  readonly cause?: string | undefined;
  /** Every mistake in files, where it is about these. */
  readonly diagnostics?: readonly Diagnostic[];
}

export function problemRecord(error: GridError): ProblemRecord {
  const { code, message, hint, node, place, cause } = error;
  return {
    code,
    message,
    hint,
    node,
    place,
    cause: cause instanceof Error ? cause.message : undefined,
    ...error instanceof DiagnosticsError && { diagnostics: error.diagnostics },
  };
}

export interface ReadProblemOptions {
  /** Takes out of a text what must not be shown. */
  readonly clean: (text: string) => string;
}

/** The failure again; undefined for what is none. */
export function readProblem(
  value: unknown,
  { clean }: ReadProblemOptions,
): GridError | undefined {
  const { code, message, cause, diagnostics, ...more } = fieldsOf(value);
  const words = (text: unknown) => typeof text === "string" ? clean(text) : undefined;
  const said = words(message);
  if (!isErrorCode(code) || said === undefined) return undefined;
  if (Array.isArray(diagnostics)) {
    const found = diagnostics.flatMap((each) => readDiagnostic(each, words) ?? []);
    return isAboutFiles(code) && found.length > 0 && found.length === diagnostics.length
      ? new DiagnosticsError(code, found)
      : undefined;
  }
  const underneath = words(cause);
  return new GridError({
    code,
    message: said,
    hint: words(more["hint"]),
    node: words(more["node"]),
    place: readPlace(more["place"], words),
    cause: underneath === undefined ? undefined : new Error(underneath),
  });
}

type Words = (text: unknown) => string | undefined;

function readDiagnostic(value: unknown, words: Words): Diagnostic | undefined {
  const fields = fieldsOf(value);
  const { severity, length, usedAt } = fields;
  const rule = words(fields["rule"]);
  const message = words(fields["message"]);
  const sourceLine = words(fields["sourceLine"]);
  const place = readPlace(fields["place"], words);
  if (severity !== "error" && severity !== "warning") return undefined;
  if (rule === undefined || message === undefined || sourceLine === undefined) return undefined;
  if (place === undefined || !isCount(length)) return undefined;
  const uses = Array.isArray(usedAt) ? usedAt.flatMap((each) => readPlace(each, words) ?? []) : [];
  const hint = words(fields["hint"]);
  return { severity, rule, place, length, sourceLine, message, hint, usedAt: uses };
}

function readPlace(value: unknown, words: Words): Place | undefined {
  const { file, line, column } = fieldsOf(value);
  const name = words(file);
  if (name === undefined || !isCount(line) || !isCount(column)) return undefined;
  return { file: name, line, column };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(EXIT_CODES, value);
}

function isAboutFiles(
  code: ErrorCode,
): code is "pipeline-invalid" | "cluster-invalid" | "input-invalid" {
  return code === "pipeline-invalid" || code === "cluster-invalid" || code === "input-invalid";
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
