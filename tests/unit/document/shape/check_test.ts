import assert from "node:assert/strict";
import { checkSource, inFileOrder, suggest } from "../../../../src/document/shape/check.ts";
import { readSource } from "../../../../src/document/source.ts";
import { z } from "../../../../src/document/shape/zod.ts";

const schema = z.strictObject({
  name: z.string(),
  count: z.int().min(1).optional(),
  mode: z.enum(["fast", "slow"]).optional(),
  node: z.union([z.string(), z.strictObject({ host: z.string(), port: z.int().optional() })])
    .optional(),
  tags: z.array(z.string()).optional(),
  env: z.record(z.string().regex(/^[A-Z]+$/, { error: "bad name\nuse capitals" }), z.string())
    .optional(),
});

function check(text: string): string[] {
  return inFileOrder(checkSource(readSource(text, "f.yaml"), schema).diagnostics).map((entry) =>
    `${entry.place.line}:${entry.place.column} ${entry.rule}: ${entry.message}` +
    (entry.hint === undefined ? "" : ` (${entry.hint})`)
  );
}

Deno.test("checkSource() returns what the schema makes of a sound file", () => {
  const source = readSource("name: a\ncount: 2\n", "f.yaml");
  assert.deepEqual(checkSource(source, schema).value, { name: "a", count: 2 });
});

Deno.test("checkSource() reports every mistake at its own key or value", () => {
  assert.deepEqual(check("nmae: a\ncount: 0\nmode: medium\ntags: [a, 1]\n"), [
    '1:1 unknown-key: unknown key "nmae" (did you mean "name"?)',
    "2:8 invalid-value: must be at least 1, is 0 (write 1 or more)",
    '3:7 invalid-value: text "medium" is not possible here (write fast or slow)',
    '4:11 wrong-type: expected text, found 1 (put it in quotes: "1")',
  ]);
});

Deno.test("checkSource() misses a key only where no misspelt one stands for it", () => {
  assert.deepEqual(check("title: a\n"), [
    '1:1 missing-key: missing key "name" (add name: and its value)',
    '1:1 unknown-key: unknown key "title" (known keys here: name, count, mode, node, tags, env)',
  ]);
});

Deno.test("checkSource() looks into the branch of a union that was meant", () => {
  assert.deepEqual(check("name: a\nnode: { hots: x }\n"), [
    '2:9 unknown-key: unknown key "hots" (did you mean "host"?)',
  ]);
  assert.deepEqual(check("name: a\nnode: [x]\n"), [
    "2:7 wrong-type: expected text or a map, found a list (write its keys below it, without -)",
  ]);
});

Deno.test("checkSource() takes the hint from the second line of a schema's message", () => {
  assert.deepEqual(check("name: a\nenv: { lower: x }\n"), [
    "2:8 invalid-key: bad name (use capitals)",
  ]);
});

Deno.test("checkSource() says where a value is missing", () => {
  assert.deepEqual(check("name:\n"), [
    "1:1 wrong-type: expected text, but there is no value (write one, or remove the key)",
  ]);
});

Deno.test("prune() takes faults out and keeps the places of the rest", () => {
  const source = readSource("name: a\ntags: [x, 1, y, 2, z]\nextra: 1\n", "f.yaml");
  const { faults } = checkSource(source, schema);
  const damaged = source.prune(faults);
  const value = source.value as { tags: string[] };
  assert.deepEqual(value, { name: "a", tags: ["x", "y", "z"] });
  assert.equal(source.valueSpot(value.tags, 2).place.column, 20);
  assert.ok(damaged?.has(value.tags));
});

Deno.test("prune() takes out what lacks a required key, and gives up at the root", () => {
  const source = readSource("list: [{ a: 1 }, { b: 2 }]\n", "f.yaml");
  source.prune([["list", 1, "a"]]);
  assert.deepEqual(source.value, { list: [{ a: 1 }] });
  assert.equal(source.prune([["missing"]]), undefined);
});

Deno.test("suggest() offers the nearest name, else all of them", () => {
  assert.equal(suggest("trian", ["train", "eval"], "steps"), 'did you mean "train"?');
  assert.equal(suggest("x", ["train"], "steps"), "known steps: train");
  assert.equal(suggest("x", [], "steps"), "there are no steps");
});

Deno.test("suggest() names a few of very many words where none is near", () => {
  const many = Array.from({ length: 300 }, (_, at) => `step${at}`);
  assert.match(
    suggest("elsewhere", many, "steps"),
    /^known steps: step0, step1, .* … and 260 more$/,
  );
  assert.equal(suggest("elsewhere", ["a", "b"], "steps"), "known steps: a, b");
});
