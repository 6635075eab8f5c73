/** A secret as shells, languages and markup spell it within quotes. */

/** As in JSON, in a shell's words, in source code, in HTML, and where quotes are doubled. */
export function escapedForms(text: string): string[] {
  return [
    ...jsonForms(text),
    ...shellForms(text),
    ...ansiForms(text),
    ...pythonForms(text),
    ...htmlForms(text),
    text.replaceAll("'", "''"),
    text.replaceAll('"', '""'),
    text.replaceAll("$", "$$$$"),
  ];
}

function jsonForms(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const ascii = unicodeEscaped(json, NOT_ASCII);
  const forms = [
    json,
    ascii,
    // Go, and what is to stand in HTML.
    unicodeEscaped(json, /[<>&\u2028\u2029]/g),
    unicodeEscaped(json, /[<>&='\u2028\u2029]/g),
    upperCase(ascii),
    // .NET
    upperCase(unicodeEscaped(json.replaceAll('\\"', "\\u0022"), /[<>&'+`\u007f-\uffff]/g)),
  ];
  return [
    ...forms,
    ...forms.map((form) => form.replaceAll("/", "\\/")),
    // JSON within JSON.
    ...[json, ascii].map((form) => JSON.stringify(form).slice(1, -1)),
  ];
}

const NOT_ASCII = /[\u007f-\uffff]/g;

function unicodeEscaped(text: string, signs: RegExp): string {
  return text.replaceAll(signs, (unit) => `\\u${hex(unit.charCodeAt(0), 4)}`);
}

function upperCase(json: string): string {
  return json.replaceAll(/(?<=\\u)[0-9a-f]{4}/g, (digits) => digits.toUpperCase());
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}

function shellForms(text: string): string[] {
  const dash = text.replaceAll(/'+/g, `'"$&"'`);
  return [
    text.replaceAll("'", `'\\''`),
    text.replaceAll("'", `'"'"'`),
    dash,
    // Quotes at the very end are not followed by an empty word.
    dash.replace(/'$/, ""),
    text.replaceAll(/["$`\\]/g, "\\$&"),
    text.replaceAll(/[^A-Za-z0-9_\/:.,@%+=\x80-\uffff-]/g, "\\$&"),
    // Ruby
    text.replaceAll(/[^A-Za-z0-9_\/:.,@+-]/gu, "\\$&"),
    // printf %q
    text.replaceAll(/[ \t\n!"$&'()*,;<>?[\\\]^`{|}]|^[#~]|(?<=[:=])~/g, "\\$&"),
  ];
}

const ANSI_NAMES: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r",
  "\x1b": "\\E",
};

/** As bash writes it within `$'…'`, for a terminal that has these characters and for one without. */
function ansiForms(text: string): string[] {
  const escaped = text.replaceAll(/[\\']/g, "\\$&")
    .replaceAll(/\p{Cc}/gu, (sign) => ANSI_NAMES[sign] ?? octal(sign));
  return [escaped, escaped.replaceAll(/[^ -~]/gu, octal)];
}

function octal(sign: string): string {
  return [...new TextEncoder().encode(sign)]
    .map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}

/** As in Python's `repr`, `ascii` and the `repr` of bytes; other languages write much the same. */
function pythonForms(text: string): string[] {
  const plain = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t");
  const forms = [
    plain.replaceAll(/(?! )[\p{C}\p{Z}]/gu, pythonEscape),
    plain.replaceAll(/[^ -~]/gu, pythonEscape),
    plain.replaceAll(
      /[^ -~]/gu,
      (sign) => [...new TextEncoder().encode(sign)].map((byte) => `\\x${hex(byte, 2)}`).join(""),
    ),
  ];
  return forms.flatMap((form) => [form, form.replaceAll("'", "\\'")]);
}

function pythonEscape(sign: string): string {
  const code = sign.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

/** Names for `"` and `'`; undefined where they stay. */
const HTML_QUOTES: readonly (readonly [string?, string?])[] = [
  ["&quot;", "&#39;"],
  ["&quot;", "&#x27;"],
  ["&quot;", "&apos;"],
  ["&#34;", "&#39;"],
  [],
];

function htmlForms(text: string): string[] {
  const base = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return HTML_QUOTES.map(([double = '"', single = "'"]) =>
    base.replaceAll('"', double).replaceAll("'", single)
  );
}
