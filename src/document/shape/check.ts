import type { Diagnostic } from "../diagnostic.ts";
import { type FlatIssue, flatten, wordIssue } from "./issue.ts";
import type { Spot } from "../lines.ts";
import { keysAt } from "./shape.ts";
import { isContainer, type Source } from "../source.ts";
import {
  hintForKey,
  type KeyHint,
  type KeyWords,
  nearestWord,
  type UnknownKey,
} from "./unknown_key.ts";
import type { z } from "./zod.ts";

export interface Checked<T> {
  /** What the schema made of the file; undefined where there is an error. */
  readonly value: T | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Paths of the faulty keys and values, for callers that go on with the rest. */
  readonly faults: readonly (readonly PropertyKey[])[];
}

export interface CheckOptions {
  readonly words?: KeyWords;
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
  const context = { schema, ...options, hints: new Map(), known: new Map() };
  const meant = new Set(all.flatMap((issue) => meantBy(source, issue, context)));
  const issues = all.filter((issue) =>
    issue.kind !== "missing-key" || !meant.has(issue.path.join("\0"))
  );
  return {
    value: undefined,
    diagnostics: issues.map((issue) => diagnosticOf(source, issue, context)),
    faults: issues.map((issue) => issue.path),
  };
}

interface CheckContext extends CheckOptions {
  readonly schema: z.ZodType;
  /** Found so far: a file may make one mistake thousands of times. */
  readonly hints: Map<FlatIssue, KeyHint | undefined>;
  /** Keys that are known at a place, whichever the item of a list. */
  readonly known: Map<string, readonly string[]>;
}

/** A known key that is there under another name, or with a slip; that is reported. */
function meantBy(source: Source, issue: FlatIssue, context: CheckContext): string[] {
  if (issue.kind !== "unknown-key") return [];
  const meant = keyHint(source, issue, context)?.meant;
  return meant === undefined ? [] : [[...issue.path.slice(0, -1), meant].join("\0")];
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
  return {
    severity: "error",
    rule: "unknown-key",
    ...source.pathSpot(issue.path, "key"),
    message: `unknown key "${String(issue.path.at(-1))}"`,
    ...withHint(keyHint(source, issue, context)?.hint),
  };
}

function keyHint(source: Source, issue: FlatIssue, context: CheckContext): KeyHint | undefined {
  const { hints } = context;
  if (!hints.has(issue)) hints.set(issue, findHint(source, issue, context));
  return hints.get(issue);
}

function knownAt(path: readonly PropertyKey[], { schema, known }: CheckContext): readonly string[] {
  const place = path.map((part) => typeof part === "number" ? "" : String(part)).join("\0");
  const found = known.get(place) ?? keysAt(schema, path);
  known.set(place, found);
  return found;
}

function findHint(source: Source, { path }: FlatIssue, context: CheckContext) {
  const spot = source.pathSpot(path, "key");
  const container = source.at(path.slice(0, -1));
  const unknown: UnknownKey = {
    path,
    value: source.at(path),
    siblings: isContainer(container) ? Object.keys(container) : [],
  };
  const after = spot.sourceLine.slice(spot.place.column - 1 + spot.length);
  const { words } = context;
  return hintForKey(unknown, { words, known: knownAt(path.slice(0, -1), context), after });
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
  if (known.length === 0) return `there are no ${noun}`;
  const more = known.length > MOST_NAMED ? ` … and ${known.length - MOST_NAMED} more` : "";
  return `known ${noun}: ${known.slice(0, MOST_NAMED).join(", ")}${more}`;
}

/** A longer list is not read, least of all once for each mistake. */
const MOST_NAMED = 40;

function withHint(hint: string | undefined): { readonly hint?: string } {
  return hint === undefined ? {} : { hint };
}
