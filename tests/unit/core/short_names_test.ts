import assert from "node:assert/strict";
import fc from "fast-check";
import { shortNames } from "../../../src/core/short_names.ts";

const shortened = (names: readonly string[], width: number) =>
  names.map(shortNames(names, { width }));

const cells = (axes: Readonly<Record<string, readonly unknown[]>>, id = "c") =>
  Object.entries(axes).reduce(
    (names, [axis, values]) =>
      names.flatMap((name) =>
        values.map((value) => `${name}${name.endsWith("[") ? "" : ","}${axis}=${value}`)
      ),
    [`${id}[`],
  ).map((name) => `${name}]`);

const SWEEP = cells({
  learning_rate: ["0.0001", "0.0003"],
  batch_size: [16],
  optimizer: ["adamw", "sgd"],
});

Deno.test("shortNames() leaves names that fit as they are, however little room there is", () => {
  assert.deepEqual(shortened(["a", "bb"], 2), ["a", "bb"]);
  assert.deepEqual(shortened(SWEEP, Number.POSITIVE_INFINITY), SWEEP);
  assert.deepEqual(shortened([], 5), []);
});

Deno.test("shortNames() leaves out what the cells of a matrix share", () => {
  assert.deepEqual(shortened(SWEEP, 45), [
    "c[learning_rate=0.0001,…,optimizer=adamw]",
    "c[learning_rate=0.0001,…,optimizer=sgd]",
    "c[learning_rate=0.0003,…,optimizer=adamw]",
    "c[learning_rate=0.0003,…,optimizer=sgd]",
  ]);
});

Deno.test("shortNames() then leaves out the names of the axes, then what their values share", () => {
  assert.deepEqual(shortened(SWEEP, 24), [
    "c[0.0001,…,adamw]",
    "c[0.0001,…,sgd]",
    "c[0.0003,…,adamw]",
    "c[0.0003,…,sgd]",
  ]);
  assert.deepEqual(shortened(SWEEP, 15), [
    "c[0.0001,adamw]",
    "c[0.0001,sgd]",
    "c[0.0003,adamw]",
    "c[0.0003,sgd]",
  ]);
  assert.deepEqual(shortened(SWEEP, 12), ["c[…1,adamw]", "c[…1,sgd]", "c[…3,adamw]", "c[…3,sgd]"]);
  const models = cells({ model: ["resnet50v1", "resnet50v2"] });
  assert.deepEqual(shortened(models, 8), ["c[…1]", "c[…2]"]);
  const files = cells({ data: ["/data/2026/train.csv", "/data/2026/test.csv"] }, "score");
  assert.deepEqual(shortened(files, 18), ["score[…train…]", "score[…test…]"]);
});

Deno.test("shortNames() shortens the name before the brackets before it numbers", () => {
  const names = cells({ seed: [1, 2] }, "a-sweep-with-a-long-name");
  assert.deepEqual(shortened(names, 14), ["a-s…ng-name[1]", "a-s…ng-name[2]"]);
});

Deno.test("shortNames() tells apart what only a number can", () => {
  assert.deepEqual(shortened(["one-1-and-the-same", "one-2-and-the-same", "other"], 8), [
    "one-1…#1",
    "one-2…#2",
    "other",
  ]);
  assert.deepEqual(shortened(SWEEP, 6), ["c[l…#1", "c[l…#2", "c[l…#3", "c[l…#4"]);
});

Deno.test("shortNames() keeps the steps of templates inside a matrix apart", () => {
  const names = ["train", "eval"].flatMap((step) =>
    cells({ learning_rate: ["1e-4", "3e-4"], precision: ["half"] }, "sweep")
      .map((cell) => `${cell}/${step}`)
  );
  assert.deepEqual(shortened(names, 24), [
    "sweep[1e-4,…]/train",
    "sweep[3e-4,…]/train",
    "sweep[1e-4,…]/eval",
    "sweep[3e-4,…]/eval",
  ]);
});

Deno.test("shortNames() cuts one long name in its middle", () => {
  assert.deepEqual(shortened(["sweep[learning-rate=1e-4,seed=2]"], 19), ["sweep[…1e-4,seed=2]"]);
});

Deno.test("shortNames() counts columns as it is told", () => {
  const widthOf = (text: string) => 2 * [...text].length;
  const short = shortNames(["日本語日本", "x"], { width: 8, widthOf });
  assert.equal(short("日本語日本"), "…語日本");
});

const word = fc.string({ unit: fc.constantFrom("a", "b", "1", "-", "…", "#", "日") });
const value = fc.oneof(word, fc.constantFrom("1e-4", "a,b", "/data/x.csv", "a=b", "["));
const matrix = fc.tuple(word, fc.array(fc.array(value, { minLength: 1, maxLength: 4 }))).map((
  [id, axes],
) => cells(Object.fromEntries(axes.slice(0, 3).map((values, at) => [`axis_${at}`, values])), id));
const names = fc.oneof(fc.array(fc.oneof(word, fc.string())), matrix, fc.array(matrix))
  .map((some) => [...new Set(some.flat())]);

Deno.test("shortNames() never makes two names the same, and keeps to the width where it can", () => {
  fc.assert(
    fc.property(names, fc.integer({ min: 0, max: 60 }), (all, width) => {
      const short = shortened(all, width);
      assert.equal(new Set(short).size, all.length, JSON.stringify(short));
      // A number and its mark have to fit.
      if (width >= 6) {
        for (const name of short) assert.ok([...name].length <= width, `${width}: ${name}`);
      }
      for (const [at, name] of all.entries()) {
        if (all.every((other) => other.length <= width)) assert.equal(short[at], name);
      }
    }),
    { numRuns: 500 },
  );
});
