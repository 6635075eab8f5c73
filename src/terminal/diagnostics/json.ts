import type { Place } from "../../core/errors.ts";
import type { Diagnostic } from "../../document/diagnostic.ts";

/** What `--format json` prints; `version` changes only when a field changes its meaning. */
export interface DiagnosticsDocument {
  readonly version: 1;
  readonly errors: number;
  readonly warnings: number;
  readonly diagnostics: readonly DiagnosticRecord[];
}

export interface DiagnosticRecord extends Place {
  readonly severity: "error" | "warning";
  readonly rule: string;
  /** First column behind the mistake. */
  readonly endColumn: number;
  readonly message: string;
  readonly hint: string | null;
  readonly sourceLine: string;
  readonly usedAt: readonly Place[];
}

export function diagnosticsDocument(diagnostics: readonly Diagnostic[]): DiagnosticsDocument {
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  return {
    version: 1,
    errors,
    warnings: diagnostics.length - errors,
    diagnostics: diagnostics.map(recordOf),
  };
}

function recordOf(diagnostic: Diagnostic): DiagnosticRecord {
  const { severity, rule, place, length, message, hint, sourceLine, usedAt } = diagnostic;
  return {
    severity,
    rule,
    file: place.file,
    line: place.line,
    column: place.column,
    endColumn: place.column + Math.max(1, length),
    message,
    hint: hint ?? null,
    sourceLine,
    usedAt: usedAt ?? [],
  };
}
