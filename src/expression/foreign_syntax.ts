/** Operators and signs of other languages, at which CEL stumbles, and what to write here. */
import type { Problem, Span } from "./expression_parts.ts";

/** By the word or sign that an expression stumbles over. */
const FOREIGN_OPERATORS: Readonly<Record<string, string>> = {
  "and": "write &&",
  "or": "write ||",
  "is": "write ==",
  "|": "write || for or; there are no filters",
  "&": "write &&",
  ",": "join texts with +",
  "“": 'write plain quotes: "…"',
  "”": 'write plain quotes: "…"',
  "‘": "write plain quotes: '…'",
  "’": "write plain quotes: '…'",
  "`": "write plain quotes: '…'",
};

/** What was meant at the place of a mistake; undefined where nobody knows. */
export function foreignSyntax(source: string, at: Span): Problem | undefined {
  const start = at.start - (/[a-z]*$/.exec(source.slice(0, at.start))?.[0].length ?? 0);
  const sign = /^[&|]*/.exec(source.slice(at.start, at.end))?.[0];
  const word = sign || (/^(?:[a-z]+|.)/u.exec(source.slice(start))?.[0] ?? "");
  const stumble = { source, word, at: { start, end: start + word.length } };
  return negation(stumble) ?? conditional(stumble) ?? equality(stumble) ?? quotes(stumble) ??
    dollar(stumble) ?? bracket(stumble) ?? operator(stumble);
}

interface Stumble {
  readonly source: string;
  readonly word: string;
  readonly at: Span;
}

/** `not x` and `x not in list`. */
function negation({ source, word, at }: Stumble): Problem | undefined {
  if (word === "not") {
    const found = /^not\s+in\b\s*(\[[^\]]*\]|[\w.]+)?/.exec(source.slice(at.start));
    if (!found) return foreign("not", { at, hint: "write !" });
    const left = /[\w.]+(?:\[[^\]]*\])?\s*$/.exec(source.slice(0, at.start))?.[0].trim();
    const hint = `write !(${left ?? "x"} in ${found[1] ?? "list"})`;
    return foreign("not in", { at: { ...at, end: at.start + found[0].indexOf("in") + 2 }, hint });
  }
  const before = /\bnot\s+$/.exec(source.slice(0, at.start));
  if (!before) return undefined;
  const operand = /^[\w.]+(?:\([^()]*\))?/.exec(source.slice(at.start))?.[0] ?? "";
  const { index } = before;
  return foreign("not", { at: { start: index, end: index + 3 }, hint: `write !${operand}` });
}

/** `'a' if x else 'b'`. */
function conditional({ source, word, at }: Stumble): Problem | undefined {
  if (word !== "if") return undefined;
  const [, yes, condition, no] = /^\s*(.+?)\s+if\s+(.+?)\s+else\s+(.+?)\s*$/.exec(source) ?? [];
  const hint = yes === undefined
    ? "write condition ? value : other value"
    : `write ${condition} ? ${yes} : ${no}`;
  return foreign("if", { at, hint });
}

/** `=`, `===`, `!==` and `<>`. */
function equality({ source, word, at }: Stumble): Problem | undefined {
  const before = source.slice(0, at.start);
  if (word === ">" && before.endsWith("<")) return foreign("<>", { at, hint: "write !=" });
  if (word !== "=") return undefined;
  if (before.endsWith("!=")) return foreign("!==", { at, hint: "write !=" });
  if (before.endsWith("==")) return foreign("===", { at, hint: "write ==" });
  return foreign("=", { at, hint: "compare with ==" });
}

/** `'it''s'`, as in YAML and SQL. */
function quotes({ source, word, at }: Stumble): Problem | undefined {
  if (word !== "'" && word !== '"') return undefined;
  if (source.charAt(at.start - 1) !== word) return undefined;
  const hint = `write \\${word} for a quote inside of quotes`;
  return { rule: "bad-expression", at, message: "two quotes end the text here", hint };
}

/** `$n`, and `${{` inside of another. */
function dollar({ source, word, at }: Stumble): Problem | undefined {
  if (word !== "$") return undefined;
  const rest = source.slice(at.start + 1);
  if (rest.startsWith("{{")) {
    const message = "${{ stands inside of another ${{";
    const place = { start: at.start, end: at.start + 3 };
    return { rule: "bad-expression", at: place, message, hint: "remove the inner ${{ and }}" };
  }
  const name = /^\{?(\w+)/.exec(rest)?.[1];
  const hint = name === undefined
    ? "names stand without it"
    : `write inputs.${name} or env.${name}`;
  return foreign("$", { at, hint });
}

/** A list in parentheses, and what closes nothing. */
function bracket({ source, word, at }: Stumble): Problem | undefined {
  if ([")", "]", "}"].includes(word)) {
    return { rule: "bad-expression", at, message: `${word} closes nothing`, hint: "remove it" };
  }
  const list = /\bin\s*\(([^()]*)$/.exec(source.slice(0, at.start));
  if (word !== "," || !list) return undefined;
  const start = list.index + list[0].indexOf("(");
  const items = /^[^()]*/.exec(source.slice(start + 1))?.[0] ?? "";
  const message = "a list stands in [ ]";
  return {
    rule: "bad-expression",
    at: { start, end: start + 1 },
    message,
    hint: `write in [${items}]`,
  };
}

function operator({ source, word, at }: Stumble): Problem | undefined {
  // Inside of brackets a comma has its place, and something else is missing.
  if (word === "," && /[([{]/.test(source.slice(0, at.start))) return undefined;
  const hint = Object.hasOwn(FOREIGN_OPERATORS, word) ? FOREIGN_OPERATORS[word] : undefined;
  return hint === undefined ? undefined : foreign(word, { at, hint });
}

function foreign(word: string, rest: Pick<Problem, "at" | "hint">): Problem {
  return { rule: "bad-expression", message: `${word} has no meaning here`, ...rest };
}
