import { nearest } from "../core/did_you_mean.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { type FlatIssue, flatten, wordIssue } from "./issue.ts";
import type { Spot } from "./lines.ts";
import { keysAt } from "./shape.ts";
import type { Source } from "./source.ts";
import type { z } from "./zod.ts";

export interface Checked<T> {
  /** What the schema made of the file; undefined where there is an error. */
  readonly value: T | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Paths of the faulty keys and values, for callers that go on with the rest. */
  readonly faults: readonly (readonly PropertyKey[])[];
}

/** Checks a whole file against a schema: every mistake at once, each at its own key or value. */
export function checkSource<S extends z.ZodType>(source: Source, schema: S): Checked<z.output<S>> {
  const result = schema.safeParse(source.value, { error: wordIssue, reportInput: true });
  if (result.success) return { value: result.data, diagnostics: [], faults: [] };
  const issues = result.error.issues.flatMap((issue) => flatten(issue));
  return {
    value: undefined,
    diagnostics: issues.map((issue) => diagnosticOf(source, schema, issue)),
    faults: issues.map((issue) => issue.path),
  };
}

function diagnosticOf(source: Source, schema: z.ZodType, issue: FlatIssue): Diagnostic {
  switch (issue.kind) {
    case "unknown-key":
      return unknownKey(source, schema, issue);
    case "missing-key":
      return missingKey(source, issue);
    case "wrong-value":
      return wrongValue(source, issue);
  }
}

/** Keys that stand somewhere in the file, but not where they belong. */
function unknownKey(source: Source, schema: z.ZodType, issue: FlatIssue): Diagnostic {
  const key = String(issue.path.at(-1));
  const known = keysAt(schema, issue.path.slice(0, -1));
  const best = nearest(key, known);
  return {
    severity: "error",
    rule: "unknown-key",
    ...source.pathSpot(issue.path, "key"),
    message: `unknown key "${key}"`,
    ...withHint(best === undefined ? listHint(known) : `did you mean "${best}"?`),
  };
}

function listHint(known: readonly string[]): string | undefined {
  return known.length === 0 ? undefined : `known keys here: ${known.join(", ")}`;
}

function missingKey(source: Source, issue: FlatIssue): Diagnostic {
  const key = String(issue.path.at(-1));
  return {
    severity: "error",
    rule: "missing-key",
    ...source.pathSpot(issue.path.slice(0, -1), "value"),
    message: `missing key "${key}"`,
    ...withHint(issue.hint),
  };
}

function wrongValue(source: Source, issue: FlatIssue): Diagnostic {
  return {
    severity: "error",
    rule: issue.rule,
    ...source.pathSpot(issue.path, "value"),
    message: issue.message,
    ...withHint(issue.hint),
  };
}

export interface Mistake {
  readonly rule: string;
  readonly spot: Spot;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly severity?: "error" | "warning";
}

/** A diagnostic for a mistake that a room found by itself. */
export function diagnostic(mistake: Mistake): Diagnostic {
  const { severity = "error", rule, spot, message, hint } = mistake;
  return { severity, rule, ...spot, message, ...withHint(hint) };
}

/** One report per place and message (shared anchors are met more than once), in file order. */
export function inFileOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const unique = new Map(diagnostics.map((entry) => [keyOf(entry), entry]));
  return [...unique.values()].sort((a, b) =>
    a.place.file < b.place.file
      ? -1
      : a.place.file > b.place.file
      ? 1
      : a.place.line - b.place.line ||
        a.place.column - b.place.column
  );
}

function keyOf(entry: Diagnostic): string {
  const { file, line, column } = entry.place;
  const used = (entry.usedAt ?? []).map((place) => `${place.file}:${place.line}`).join(",");
  return [file, line, column, entry.rule, entry.message, used].join("\0");
}

/** The hint "did you mean …" where a known word is near, else the list of what is known. */
export function suggest(word: string, known: readonly string[], noun: string): string {
  const best = nearest(word, known);
  if (best !== undefined) return `did you mean "${best}"?`;
  return known.length === 0 ? `there are no ${noun}` : `known ${noun}: ${known.join(", ")}`;
}

function withHint(hint: string | undefined): { readonly hint?: string } {
  return hint === undefined ? {} : { hint };
}
