import assert from "node:assert/strict";
import { join } from "node:path";
import { createMasker } from "../../../src/core/secret.ts";
import { OutputReader } from "../../../src/steps/output_files.ts";
import { createOutputFile } from "../../../src/steps/output_writer.ts";
import { tempDir } from "../../support/temp_dir.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const RUN = "20260131-120000-abcd";
const PLACE = { step: "score", attempt: 1, name: "results" };

function open(folder: string, { secrets = [], place = PLACE }: {
  readonly secrets?: readonly string[];
  readonly place?: typeof PLACE;
} = {}) {
  const masker = createMasker(secrets);
  return createOutputFile({ run: RUN, folder: join(folder, RUN), masker }, place);
}

Deno.test("an output's file gives back every value, wherever its line lies", () => {
  using folder = tempDir();
  const values = Array.from({ length: 3000 }, (_, index) => "é".repeat(index % 400) + index);
  using writer = open(folder.path);
  for (const value of values) writer.write(bytes(`${JSON.stringify(value)}\n`));
  const output = writer.finish();
  assert.ok(output);
  assert.deepEqual(output, { ...output, run: RUN, file: "score.1.results.jsonl", items: 3000 });
  assert.equal(Deno.statSync(writer.path).size, output.bytes);
  assert.equal((Deno.statSync(writer.path).mode ?? 0) & 0o777, 0o600);
  const reader = new OutputReader(folder.path);
  assert.equal(reader.lost(output), undefined);
  const list = reader.list(output, "score.results");
  assert.equal(list.length, 3000);
  for (const index of [0, 1, 1500, 2999]) assert.equal(list[index], values[index]);
  assert.deepEqual(JSON.parse(JSON.stringify(list)), values);
});

Deno.test("an output's file keeps every digit", () => {
  using folder = tempDir();
  using writer = open(folder.path);
  writer.write(bytes("18446744073709551616\n-0.0\nNaN\n"));
  const output = writer.finish();
  assert.ok(output);
  const list = new OutputReader(folder.path).list(output, "score.results");
  assert.deepEqual([...list].map(String), ["18446744073709551616", "-0.0", "NaN"]);
});

Deno.test("an output's file is told to be lost once it is another one", () => {
  using folder = tempDir();
  using writer = open(folder.path);
  writer.write(bytes("1\n2\n"));
  const output = writer.finish();
  assert.ok(output);
  const reader = new OutputReader(folder.path);
  const list = reader.list(output, "score.results");
  Deno.writeTextFileSync(writer.path, "1\n");
  assert.match(
    reader.lost(output) ?? "",
    /score\.1\.results\.jsonl", which it wrote, is not as it/,
  );
  Deno.removeSync(writer.path);
  assert.match(reader.lost(output) ?? "", /which it wrote, is gone$/);
  assert.throws(() => list[0], {
    code: "output-invalid",
    message: /^Cannot read score\.results: ".*", which it wrote, is gone$/,
  });
});

Deno.test("an output's file names the value that is not JSON", () => {
  using folder = tempDir();
  using writer = open(folder.path);
  writer.write(bytes("1\n{oops\n"));
  const output = writer.finish();
  assert.ok(output);
  const list = new OutputReader(folder.path).list(output, "score.results");
  assert.throws(() => list[1], { message: "Cannot read score.results: value 1 is not JSON" });
});

Deno.test("an output's file holds no secret, and stays JSON", () => {
  using folder = tempDir();
  using writer = open(folder.path, { secrets: ["hunter22", "12345678"] });
  for (const piece of ['{"a": "hun', 'ter22"}\n[123456', "78, 1]\n2\n"]) writer.write(bytes(piece));
  // What is masked is not what it was: nobody shall take it for the value.
  assert.equal(writer.finish(), undefined);
  const lines = Deno.readTextFileSync(writer.path).trim().split("\n");
  assert.deepEqual(lines.map((line) => JSON.parse(line)), [{ a: "***" }, ["***", 1], 2]);
  using clean = open(folder.path, { secrets: ["hunter22"], place: { ...PLACE, attempt: 2 } });
  clean.write(bytes('"nothing"\n'));
  assert.equal(clean.finish()?.items, 1);
});

Deno.test("outputs of steps that are spelled alike have files of their own", () => {
  using folder = tempDir();
  const paths = ["a/b", "a_b", "a b"].map((step) => {
    using writer = open(folder.path, { place: { ...PLACE, step } });
    return writer.path;
  });
  assert.equal(new Set(paths).size, 3);
});
