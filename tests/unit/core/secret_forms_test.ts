/** Secrets as real programs spell them; the masker must leave nothing of them. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createMasker } from "../../../src/core/secret.ts";
import { type Part, testWith } from "../../support/requires.ts";

interface Speller {
  readonly part: Part;
  readonly name: string;
  /** Reads secrets that end with NUL and prints as many spellings that end with NUL. */
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What the program adds to the secret. */
  readonly around: RegExp;
}

const QUOTES = /^[$'"]*$/;
const LOCALES = ["C", "C.UTF-8"];

function bash(name: string, body: string, around = QUOTES): Speller[] {
  const script = `while IFS= read -r -d '' s; do ${body}; printf '\\0'; done`;
  return LOCALES.map((locale) => ({
    part: "bash",
    name: `bash, ${name}, ${locale}`,
    argv: ["bash", "-c", script],
    env: { LC_ALL: locale },
    around,
  }));
}

/** A shell that cannot read up to NUL is given its secrets as arguments. */
function shell(part: Part, argv: readonly string[], name: string): Speller {
  const xargs = ["xargs", "-0", "-n", "1", ...argv, "-c"];
  const body = name === "set" ? "s=$1; set | sed '/^s=/,$!d'" : 'exec 2>&1; set -x; : "$1"';
  return {
    part,
    name: `${argv.join(" ")}, ${name}`,
    argv: [...xargs, `${body}; { set +x; } 2>/dev/null; printf '\\0'`, "sh"],
    around: /^(s=|\+ : )?['"]*\n*(\+ set \+x|\+ .*)?\n*$/,
  };
}

const PYTHON: Readonly<Record<string, string>> = {
  repr: "repr(s)",
  ascii: "ascii(s)",
  "repr within a list": "repr([s, chr(34) + chr(39)])",
  "repr of bytes": "repr(s.encode())",
  "json.dumps": "json.dumps(s)",
  "json.dumps, not only ASCII": "json.dumps(s, ensure_ascii=False)",
  "json.dumps twice": "json.dumps(json.dumps(s))",
  "shlex.quote": "shlex.quote(s)",
  "quote": "urllib.parse.quote(s)",
  'quote, safe=""': "urllib.parse.quote(s, safe='')",
  "quote_plus": "urllib.parse.quote_plus(s)",
  "quote twice": "urllib.parse.quote(urllib.parse.quote(s, safe=''))",
  "html.escape": "html.escape(s)",
  "hex": "s.strip().encode().hex()",
  "a CSV field": "s.replace(chr(34), chr(34) * 2)",
};

function python(name: string, expression: string): Speller {
  const program = `
import html, json, shlex, sys, urllib.parse
for s in sys.stdin.buffer.read().decode().split("\\0")[:-1]:
    sys.stdout.buffer.write((${expression}).encode() + b"\\0")`;
  const around = name.includes("list") ? /^\[b?['"]*, '"\\''\]$/ : /^b?[\\'"]*$/;
  return { part: "python3", name: `python, ${name}`, argv: ["python3", "-c", program], around };
}

const SPELLERS: readonly Speller[] = [
  ...bash("printf %q", `printf %q "$s"`),
  ...bash("${s@Q}", `printf %s "\${s@Q}"`),
  ...bash("declare -p", "declare -p s", /^declare -- s=[$'"]*\n$/),
  ...bash("set -x", `{ set -x; : "$s"; { set +x; } 2>/dev/null; } 2>&1`, /^\+ : [$'"]*\n$/),
  shell("dash", ["dash"], "set"),
  shell("dash", ["dash"], "set -x"),
  shell("busybox", ["busybox", "ash"], "set"),
  shell("busybox", ["busybox", "ash"], "set -x"),
  ...Object.entries(PYTHON).map(([name, expression]) => python(name, expression)),
];

async function spell({ argv: [name = "", ...args], env = {} }: Speller, secrets: string[]) {
  const child = new Deno.Command(name, { args, env, stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(secrets.map((secret) => `${secret}\0`).join("")));
  await writer.close();
  const { stdout } = await child.output();
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(stdout).split("\0").slice(0, -1);
}

const sign = fc.oneof(
  { weight: 3, arbitrary: fc.string({ minLength: 1, maxLength: 1 }) },
  fc.constantFrom(..."'\"\\$`~#!^,;%&<>=:/+ \t\n\r\x1b\x07\x01\x7f", "é", "ß", "€", "😀", "''"),
);
const secret = fc.array(sign, { minLength: 4, maxLength: 30 }).map((signs) => signs.join(""))
  // Nothing of what is cut off before lines are compared.
  .filter((text) => text.trim().length >= 4);

for (const speller of SPELLERS) {
  testWith([speller.part], `secretForms() knows the spelling of ${speller.name}`, async () => {
    const some = fc.array(secret, { minLength: 60, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(some, async (secrets) => {
        const spellings = await spell(speller, secrets);
        assert.equal(spellings.length, secrets.length);
        for (const [index, spelling] of spellings.entries()) {
          const one = secrets[index] ?? "";
          const left = createMasker([one]).text(spelling).replaceAll("***", "");
          assert.match(left, speller.around, JSON.stringify({ one, spelling }));
        }
      }),
      { numRuns: 3, endOnFailure: true },
    );
  });
}
