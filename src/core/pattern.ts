/**
 * The one engine for every regular expression that a file gives. It is RE2's: its time grows with the
 * length of the text and never faster, whatever the pattern. What such an engine cannot do
 * (look-around, back-references) is refused when the pattern is read.
 */
import { monotonic } from "./clock.ts";
import { lazy } from "./lazy.ts";

type Engine = typeof import("./pattern_engine.ts");

/** Finding all matches may look at the rest of the text once for each; milliseconds it may take. */
const LONGEST_SEARCH_MS = 5_000;
/** Between two looks at the clock, in matches. */
const MATCHES_PER_LOOK = 256;
/** RE2's own limit is 1000 repetitions; this one keeps the compiling short. */
export const LONGEST_PATTERN = 10_000;

export interface Pattern {
  readonly source: string;
  /** Whether it is found anywhere in the text. */
  test(text: string): boolean;
  /** Whether it fits the text from its first character to its last. */
  fits(text: string): boolean;
  /**
   * The last place where it is found: the first group that took part, or all of it where the pattern
   * has no group.
   *
   * @throws {PatternTimeout} after 5 s
   */
  last(text: string): string | undefined;
}

/** Why a text is no pattern; `at` is the faulty part, in characters. */
export class PatternFault extends Error {
  override readonly name = "PatternFault";
  constructor(
    message: string,
    readonly at: { readonly start: number; readonly end: number },
    readonly hint: string | undefined,
  ) {
    super(message);
  }
}

export class PatternTimeout extends Error {
  override readonly name = "PatternTimeout";
}

let engine: Engine | undefined;

/** To be awaited before the first pattern of a file is compiled. */
export async function loadPatterns(): Promise<void> {
  engine ??= await lazy<typeof import("./pattern_engine.ts")>(
    "./pattern_engine.ts",
    import.meta.url,
  );
}

/** The same pattern is asked for by every cell of a matrix. */
const compiled = new Map<string, Pattern>();
const MOST_COMPILED = 500;

/**
 * `multiline`: `^` and `$` also match at line breaks.
 *
 * @throws {PatternFault} where it cannot be read, or not in linear time
 */
export function compilePattern(
  source: string,
  { multiline = false }: { readonly multiline?: boolean } = {},
): Pattern {
  const key = `${multiline ? "m" : "-"}${source}`;
  const known = compiled.get(key);
  if (known) return known;
  if (compiled.size >= MOST_COMPILED) compiled.clear();
  const pattern = compile(source, multiline);
  compiled.set(key, pattern);
  return pattern;
}

function compile(source: string, multiline: boolean): Pattern {
  if (engine === undefined) throw new Error("a pattern before its engine was loaded");
  const { RE2JS, RE2JSSyntaxException } = engine;
  if (source.length > LONGEST_PATTERN) {
    throw new PatternFault(
      `it is longer than ${LONGEST_PATTERN} characters`,
      { start: 0, end: source.length },
      "write a shorter one",
    );
  }
  try {
    // The spellings that only JavaScript has: \u0041, \cA, (?<name>…).
    const re = RE2JS.compile(RE2JS.translateRegExp(source), multiline ? RE2JS.MULTILINE : 0);
    return {
      source,
      test: (text) => re.test(text),
      fits: (text) => re.testExact(text),
      last: (text) => lastOf(re, text),
    };
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    throw faultOf(source, { error: error.error, input: error.input ?? "" });
  }
}

function lastOf(re: InstanceType<Engine["RE2JS"]>, text: string): string | undefined {
  const matcher = re.matcher(text);
  const end = monotonic() + LONGEST_SEARCH_MS;
  let found: string | undefined;
  for (let count = 1; matcher.find(); count++) {
    found = (matcher.groupCount() > 0 ? matcher.group(1) : null) ?? matcher.group() ?? "";
    if (count % MATCHES_PER_LOOK === 0 && monotonic() > end) throw new PatternTimeout();
  }
  return found;
}

/** What only a backtracking engine can do, by how it begins. */
const IMPOSSIBLE: readonly (readonly [begin: RegExp, what: string])[] = [
  [/^\(\?[=!]/, "look-ahead"],
  [/^\(\?<[=!]/, "look-behind"],
  [/^\\[1-9]/, "a back-reference"],
  [/^\\k</, "a back-reference"],
  [/^\(\?>/, "an atomic group"],
  [/^(?:[*+?}]\+)/, "a possessive repetition"],
];

function faultOf(
  source: string,
  { error, input }: { readonly error: string; readonly input: string },
): PatternFault {
  const found = input === "" ? -1 : source.indexOf(input);
  const start = Math.max(0, found);
  const [begin, what] = IMPOSSIBLE.find(([begin]) => begin.test(input)) ?? [];
  if (begin !== undefined) {
    const length = begin.exec(input)?.[0].length ?? 1;
    return new PatternFault(
      `${what} cannot be matched in linear time`,
      { start, end: start + length },
      "match more than is wanted, and put ( ) around the part that is",
    );
  }
  const end = found < 0 ? source.length : start + input.length;
  return new PatternFault(error, { start, end }, undefined);
}

/** What to say of a text that is no pattern. */
export function patternWords(
  { message, hint }: PatternFault,
): { readonly message: string; readonly hint: string | undefined } {
  // With a way out it is a sentence by itself.
  return { message: hint === undefined ? `not a regular expression: ${message}` : message, hint };
}
