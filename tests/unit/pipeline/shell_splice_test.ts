import assert from "node:assert/strict";
import fc from "fast-check";
import { ShellSplicer } from "../../../src/pipeline/shell_splice.ts";

/** A script with `@` where the value goes. */
function splice(script: string, value: string): string {
  const splicer = new ShellSplicer();
  return script.split(/(@)/).map((part) =>
    part === "@" ? splicer.value(value) : splicer.literal(part)
  ).join("");
}

async function run(script: string): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command("sh", { args: ["-c", script] })
    .output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** What each script prints for a value, by the rules of the shell. */
const PLACES: readonly (readonly [string, (value: string) => string])[] = [
  ["printf %s @", (value) => value],
  ["printf %s pre@post", (value) => `pre${value}post`],
  ['printf %s "a @ b"', (value) => `a ${value} b`],
  ["printf %s 'a @ b'", (value) => `a ${value} b`],
  ['printf %s "$(printf %s @)x"', (value) => `${value.replace(/\n+$/, "")}x`],
  ['printf %s "$(printf %s "@")x"', (value) => `${value.replace(/\n+$/, "")}x`],
  ["true # it's @\nprintf %s done", () => "done"],
  ['printf %s "it\'s "@', (value) => `it's ${value}`],
  ["printf %s \\'@", (value) => `'${value}`],
  ["cat <<END\n[@]\nEND\nprintf %s @", (value) => `[${value}]\n${value}`],
  ["cat <<'END'\n[@]\nEND\nprintf %s @", (value) => `[${value}]\n${value}`],
  ['x=$((1 << 2)); printf %s "$x @"', (value) => `4 ${value}`],
];

for (const [script, expected] of PLACES) {
  Deno.test(`a value stays whole in ${JSON.stringify(script)}`, async () => {
    const nasty = [
      "it's",
      'say "hi"',
      "$HOME `id` $(id)",
      "a\\nb\\",
      "two\nlines",
      "*; rm -rf /",
      "é",
    ];
    for (const value of nasty) {
      assert.equal(await run(splice(script, value)), expected(value), value);
    }
  });
}

Deno.test("a value stays whole in every kind of quotes, whatever it holds", async () => {
  const char = fc.constantFrom(..."ab'\"\\$`(){}!#*?~&|;<> \t\n-=é");
  const value = fc.string({ unit: char, minLength: 0, maxLength: 12 });
  const kinds = ["@", '"@"', "'@'", '"$(printf %s @)"'];
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 10, maxLength: 10 }), async (values) => {
      // Many values in one process: starting one costs more than all of them.
      const plain = values.map((value) => `${value}.`);
      const lines = plain.flatMap((value) =>
        kinds.map((kind) => splice(`printf '%s\\0' ${kind}`, value))
      );
      const found = (await run(lines.join("\n"))).split("\0").slice(0, -1);
      assert.deepEqual(found, plain.flatMap((value) => kinds.map(() => value)));
    }),
    { numRuns: 30 },
  );
});

Deno.test("a value that would end its here-document is refused", () => {
  assert.throws(() => splice("cat <<'END'\n@\nEND\n", "x\nEND\nrm"), /here-document/);
});

Deno.test("a value right after a backslash is refused", () => {
  assert.throws(() => splice("echo \\@", "x"), /after a backslash/);
});
