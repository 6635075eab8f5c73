import { GridError, type Place } from "../core/errors.ts";

/** One mistake in a file that a person wrote. */
export interface Diagnostic {
  /** Only errors keep a file from being used. */
  readonly severity: "error" | "warning";
  /** Stable kebab-case name of the rule, for example `unknown-key`. */
  readonly rule: string;
  /** Where it stands. */
  readonly place: Place;
  /** Columns the caret covers, at least 1. */
  readonly length: number;
  /** The whole source line, for the frame. */
  readonly sourceLine: string;
  /** "unknown key "retires"", no full stop. */
  readonly message: string;
  /** `did you mean "retries"?` or another way out. */
  readonly hint?: string | undefined;
  /** Where the template holding the mistake is used, nearest first. */
  readonly usedAt?: readonly Place[] | undefined;
}

/** Every mistake of one load, thrown together. */
export class DiagnosticsError extends GridError {
  /** Every mistake, in the order of the files. */
  readonly diagnostics: readonly Diagnostic[];

  /** With every mistake that was found. */
  constructor(
    code: "pipeline-invalid" | "cluster-invalid" | "input-invalid",
    diagnostics: readonly Diagnostic[],
  ) {
    const first = diagnostics[0];
    const more = diagnostics.length > 1 ? ` (and ${diagnostics.length - 1} more)` : "";
    super({
      code,
      message: `${first?.message ?? "invalid file"}${more}`,
      hint: first?.hint,
      place: first?.place,
    });
    this.diagnostics = diagnostics;
  }
}
