import { diagnostic, type Mistake } from "../document/shape/check.ts";
import type { Diagnostic } from "../document/diagnostic.ts";
import type { Spot } from "../document/lines.ts";
import { type Container, isContainer, type Key, type Source } from "../document/source.ts";
import type { Span } from "./expression_parts.ts";
import { ExactNumber } from "../core/exact_number.ts";
import type { JsonValue } from "../core/json.ts";
import { GlobFault } from "../core/glob_fault.ts";
import { compilePattern, PatternFault, patternWords } from "../core/pattern.ts";
import { Text, type TextPart } from "./text.ts";

/** One expression of the file, to be checked once it is known what its names may mean. */
export interface ExpressionUse {
  readonly source: string;
  /** `condition` must give true or false, `axis` a list before the run. */
  readonly wants: "any" | "condition" | "axis";
  /** The spot of a part of the expression. */
  spot(span: Span): Spot;
  /** It is evaluated once the node is chosen, and may read it. */
  readonly onNode?: boolean;
  /** What is to be said unless its value can only be a number, or true or false. */
  readonly caution?: Caution;
}

export type Caution = Pick<Mistake, "message" | "hint">;

/** `{{ inputs.x }}` and `${inputs.x}`; other names in such braces belong to other tools. */
const LOOKS_LIKE_EXPRESSION =
  /\{\{\s*((?:inputs|steps|matrix)\.[^}]*?)\s*\}\}|\$\{\s*((?:inputs|steps|matrix)\.[^}]*?)\s*\}/;

/** A scalar, and what its expressions are for. */
interface ScalarOf {
  readonly container: Container;
  readonly key: Key;
  readonly wants: ExpressionUse["wants"];
}

/** Makes `Text` out of scalars and collects the expressions in them. */
export class TextReader {
  /** Expressions since the last `takeUses`. */
  #uses: ExpressionUse[] = [];
  #isOnNode = false;

  constructor(readonly source: Source, readonly diagnostics: Diagnostic[]) {}

  report(mistake: Mistake): void {
    this.diagnostics.push(diagnostic(mistake));
  }

  takeUses(): readonly ExpressionUse[] {
    const uses = this.#uses;
    this.#uses = [];
    return uses;
  }

  /** Reads what is evaluated once the node is chosen. */
  onNode<T>(read: () => T): T {
    this.#isOnNode = true;
    try {
      return read();
    } finally {
      this.#isOnNode = false;
    }
  }

  /** To be said of the first expression with this source that was read last and has no caution yet. */
  caution(source: string, caution: Caution): void {
    const at = this.#uses.findLastIndex((use) => use.source === source && !use.caution);
    const use = this.#uses[at];
    if (use) this.#uses[at] = { ...use, caution };
  }

  /** The scalar at a key, in the author's spelling. */
  text(container: Container, key: Key): Text {
    return this.#text({ container, key, wants: "any" });
  }

  /** An axis of a matrix that is written as an expression. */
  axis(container: Container, key: Key): Text {
    const isWhole = /^\$\{\{[^]*\}\}$/.test(this.spelling(container, key));
    return this.#text({ container, key, wants: isWhole ? "axis" : "any" });
  }

  #text(at: ScalarOf): Text {
    const { container, key } = at;
    const value = this.spelling(container, key);
    const place = this.source.valueSpot(container, key).place;
    if (!/\{\{|\$\{/.test(value)) return Text.literal(value, place);
    return new Text(this.#split(value, at), place);
  }

  optional(container: Container, key: Key): Text | undefined {
    return (container as Record<Key, unknown>)[key] === undefined
      ? undefined
      : this.text(container, key);
  }

  /** A key whose value may be one scalar or a list of them. */
  list(container: Container, key: Key): Text[] {
    const value = (container as Record<Key, unknown>)[key];
    if (value === undefined) return [];
    if (!Array.isArray(value)) return [this.text(container, key)];
    return value.map((_, index) => this.text(value, index));
  }

  /** A list of globs; what `read` says of those without expressions is reported. */
  globs(container: Container, key: Key, read: (pattern: string) => unknown): Text[] {
    const value = (container as Record<Key, unknown>)[key];
    const texts = this.list(container, key);
    for (const [index, { constant }] of texts.entries()) {
      const spot = () =>
        Array.isArray(value)
          ? this.source.valueSpot(value, index)
          : this.source.valueSpot(container, key);
      try {
        if (constant !== undefined) read(constant);
      } catch (error) {
        if (!(error instanceof GlobFault)) throw error;
        const { message, hint } = error;
        this.report({ rule: "bad-glob", spot: spot(), message: `not a glob: ${message}`, hint });
      }
    }
    return texts;
  }

  map(container: Container | undefined): Record<string, Text> {
    if (container === undefined) return {};
    return Object.fromEntries(
      Object.keys(container).map((key) => [key, this.text(container, key)]),
    );
  }

  /** Variables; one written as `{ file: … }` reaches the step as the name of a file. */
  variables(container: Container | undefined): Record<string, Text> {
    if (container === undefined) return {};
    const values = container as Record<string, unknown>;
    return Object.fromEntries(
      Object.keys(values).map((key) => {
        const value = values[key];
        if (!isContainer(value)) return [key, this.text(container, key)];
        const { parts, place } = this.text(value, "file");
        return [key, new Text(parts, place, { inFile: true })];
      }),
    );
  }

  /** An `if`: one expression, with or without `${{ }}` around it. */
  condition(container: Container, key: Key): Text {
    const value = this.spelling(container, key);
    const place = this.source.valueSpot(container, key).place;
    const trimmed = value.trim();
    const isWrapped = trimmed.startsWith("${{") && closingOf(trimmed, 3) === trimmed.length - 2;
    const source = isWrapped ? trimmed.slice(3, -2) : value;
    const index = isWrapped ? value.indexOf("${{") + 3 : 0;
    if (!isWrapped && value.includes("${{")) {
      this.report({
        rule: "mixed-condition",
        spot: this.source.valueSpot(container, key),
        message: "a condition is one expression, not text with expressions in it",
        hint: "write it as one expression; ${{ }} may be left out",
      });
      return Text.literal("true", place);
    }
    this.#use(source, { container, key, index, wants: "condition" });
    return new Text([{ kind: "expression", source, place }], place);
  }

  /** A scalar as written: `1e-4` stays `1e-4`. */
  spelling(container: Container, key: Key): string {
    const value = (container as Record<Key, unknown>)[key];
    if (typeof value === "string") return value;
    return this.source.spelling(container, key) ?? String(value ?? "");
  }

  /**
   * A value as written: numbers with all their digits; what is a number to YAML but none to JSON
   * (`0755`, `.5`, `0x1F`) stays text.
   */
  exact(container: Container, key: Key): JsonValue {
    const value = (container as Record<Key, JsonValue>)[key] ?? null;
    if (typeof value === "number") {
      const text = this.spelling(container, key);
      return ExactNumber.of(text) ?? text;
    }
    if (Array.isArray(value)) return value.map((_, index) => this.exact(value, index));
    if (!isContainer(value)) return value;
    return Object.fromEntries(Object.keys(value).map((name) => [name, this.exact(value, name)]));
  }

  /** Whether a scalar is a pattern; what is wrong with it is reported at its very part. */
  pattern(
    container: Container,
    key: Key,
    { multiline = false, hint }: { readonly multiline?: boolean; readonly hint?: string } = {},
  ): boolean {
    try {
      compilePattern(this.spelling(container, key), { multiline });
      return true;
    } catch (error) {
      if (!(error instanceof PatternFault)) throw error;
      const { start, end } = error.at;
      const words = patternWords(error);
      this.report({
        rule: "bad-pattern",
        spot: this.source.spotWithin(container, key, { index: start, length: end - start }),
        message: words.message,
        hint: words.hint ?? hint,
      });
      return false;
    }
  }

  #split(value: string, at: ScalarOf): TextPart[] {
    const parts: TextPart[] = [];
    let done = 0;
    for (let open = value.indexOf("${{"); open !== -1; open = value.indexOf("${{", done)) {
      const close = closingOf(value, open + 3);
      if (close === -1) {
        this.report({
          rule: "unclosed-expression",
          spot: this.source.spotWithin(at.container, at.key, { index: open, length: 3 }),
          message: "${{ is never closed",
          hint: "add }} after the expression",
        });
        break;
      }
      if (open > done) parts.push({ kind: "literal", value: value.slice(done, open) });
      const source = value.slice(open + 3, close);
      this.#use(source, { ...at, index: open + 3 });
      const { place } = this.source.spotWithin(at.container, at.key, { index: open, length: 3 });
      parts.push({ kind: "expression", source, place });
      done = close + 2;
    }
    if (done < value.length) parts.push({ kind: "literal", value: value.slice(done) });
    this.#warnBareBraces(parts, at);
    return parts;
  }

  #use(source: string, at: ScalarOf & { readonly index: number }): void {
    const { container, key, index, wants } = at;
    const spot = (span: Span) =>
      this.source.spotWithin(container, key, {
        index: index + span.start,
        length: span.end - span.start,
      });
    this.#uses.push({ source, wants, spot, ...(this.#isOnNode && { onNode: true }) });
  }

  /** What looks like an expression but is not is text to Grid, and an error to the shell. */
  #warnBareBraces(
    parts: readonly TextPart[],
    at: { readonly container: Container; readonly key: Key },
  ): void {
    for (const part of parts) {
      if (part.kind === "expression") continue;
      const match = LOOKS_LIKE_EXPRESSION.exec(part.value);
      if (!match) continue;
      const whole = this.spelling(at.container, at.key);
      const range = { index: whole.indexOf(match[0]), length: match[0].length };
      this.report({
        severity: "warning",
        rule: "bare-braces",
        spot: this.source.spotWithin(at.container, at.key, range),
        message: `${match[0]} is plain text here`,
        hint: `write \${{ ${match[1] ?? match[2]} }} for its value`,
      });
    }
  }
}

/** Index of the `}}` that closes an expression; braces and quotes inside it are skipped. */
function closingOf(text: string, start: number): number {
  let depth = 0;
  let quote = "";
  for (let i = start; i < text.length; i++) {
    const char = text.charAt(i);
    if (quote !== "") {
      if (char === "\\") i++;
      else if (char === quote) quote = "";
    } else if (char === "'" || char === '"') quote = char;
    else if (char === "{") depth++;
    else if (char === "}" && depth > 0) depth--;
    else if (char === "}" && text.charAt(i + 1) === "}") return i;
  }
  return -1;
}
