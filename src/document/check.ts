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

export interface CheckOptions {
  /** Keys of other tools, with the hint that leads to ours. */
  readonly foreignKeys?: Readonly<Record<string, string>>;
}

/** Checks a whole file against a schema: every mistake at once, each at its own key or value. */
export function checkSource<S extends z.ZodType>(
  source: Source,
  schema: S,
  options: CheckOptions = {},
): Checked<z.output<S>> {
  const result = schema.safeParse(source.value, { error: wordIssue, reportInput: true });
  if (result.success) return { value: result.data, diagnostics: [], faults: [] };
  const all = result.error.issues.flatMap((issue) => flatten(issue));
  const issues = all.filter((issue) => !isMisspelt(issue, all));
  return {
    value: undefined,
    diagnostics: issues.map((issue) => diagnosticOf(source, issue, { schema, ...options })),
    faults: issues.map((issue) => issue.path),
  };
}

/** A key that is missing because it stands there with a slip; the slip is reported. */
function isMisspelt(missing: FlatIssue, all: readonly FlatIssue[]): boolean {
  if (missing.kind !== "missing-key") return false;
  const container = missing.path.slice(0, -1).join("\0");
  return all.some(({ kind, path }) =>
    kind === "unknown-key" && path.slice(0, -1).join("\0") === container &&
    nearestWord(String(path.at(-1)), [String(missing.path.at(-1))]) !== undefined
  );
}

interface CheckContext extends CheckOptions {
  readonly schema: z.ZodType;
}

function diagnosticOf(source: Source, issue: FlatIssue, context: CheckContext): Diagnostic {
  switch (issue.kind) {
    case "unknown-key":
      return unknownKey(source, issue, context);
    case "missing-key":
      return missingKey(source, issue);
    case "wrong-value":
      return wrongValue(source, { issue, what: "value" });
    case "wrong-key":
      return wrongValue(source, { issue, what: "key" });
  }
}

/** Keys that stand somewhere in the file, but not where they belong. */
function unknownKey(source: Source, issue: FlatIssue, context: CheckContext): Diagnostic {
  const key = String(issue.path.at(-1));
  const known = keysAt(context.schema, issue.path.slice(0, -1));
  const foreign = context.foreignKeys?.[key];
  const best = nearestWord(key, known);
  return {
    severity: "error",
    rule: "unknown-key",
    ...source.pathSpot(issue.path, "key"),
    message: `unknown key "${key}"`,
    ...withHint(foreign ?? (best === undefined ? listHint(known) : `did you mean "${best}"?`)),
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
    ...withHint(issue.hint ?? `add ${key}: and its value`),
  };
}

function wrongValue(
  source: Source,
  { issue, what }: { readonly issue: FlatIssue; readonly what: "key" | "value" },
): Diagnostic {
  return {
    severity: "error",
    rule: issue.rule,
    ...source.pathSpot(issue.path, what),
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
  const best = nearestWord(word, known);
  if (best !== undefined) return `did you mean "${best}"?`;
  return known.length === 0 ? `there are no ${noun}` : `known ${noun}: ${known.join(", ")}`;
}

/** Words of one or two letters are near to everything. */
function nearestWord(word: string, known: readonly string[]): string | undefined {
  return word.length < 3 ? undefined : nearest(word, known);
}

function withHint(hint: string | undefined): { readonly hint?: string } {
  return hint === undefined ? {} : { hint };
}
