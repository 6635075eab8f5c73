import assert from "node:assert/strict";
import fc from "fast-check";
import { compareDecimals, ExactNumber } from "../../../src/core/exact_number.ts";

const SPELLINGS = [
  ...["1799999999999999999", "-9007199254740993", "123456789012345678901234567890"],
  ...[
    "3.10",
    "1.0",
    "0.10",
    "-0",
    "-0.0",
    "1e-4",
    "1E5",
    "1e400",
    "-1e-400",
    "1e+2",
    "0.12345678901234567890",
  ],
];

Deno.test("ExactNumber: what a number would change is kept, all else is a plain number", () => {
  for (const text of SPELLINGS) {
    const number = ExactNumber.of(text);
    assert.ok(number instanceof ExactNumber, text);
    assert.equal(String(number), text);
    assert.equal(JSON.stringify({ a: [number] }), `{"a":[${text}]}`);
  }
  for (const plain of [0, 1, -1, 0.1, 3.14, 1e21, 9007199254740991]) {
    assert.equal(ExactNumber.of(String(plain)), plain === 1e21 ? ExactNumber.of("1e+21") : plain);
  }
});

Deno.test("ExactNumber: what JSON cannot spell is none, but what Python's JSON can", () => {
  for (
    const text of ["", "0755", "1_000", "12:30:45", ".5", "5.", "+5", "0x10", "1e", "abc", "nan"]
  ) {
    assert.equal(ExactNumber.of(text), undefined, text);
  }
  const nan = ExactNumber.of("NaN");
  assert.ok(nan instanceof ExactNumber && !nan.isFinite);
  assert.equal(JSON.stringify([nan, ExactNumber.of("-Infinity")]), '["NaN","-Infinity"]');
});

Deno.test("ExactNumber: plain is a number of the same value, where there is one", () => {
  const plainOf = (text: string) => (ExactNumber.of(text) as ExactNumber).plain;
  assert.equal(plainOf("3.10"), 3.1);
  assert.equal(plainOf("1.0"), 1);
  assert.equal(plainOf("1e-4"), 0.0001);
  assert.equal(plainOf("1799999999999999999"), undefined);
  assert.equal(plainOf("1e400"), undefined);
  assert.equal(plainOf("0.12345678901234567890"), undefined);
});

Deno.test("compareDecimals() compares to the last digit", () => {
  assert.equal(compareDecimals("1799999999999999999", "1800000000000000000"), -1);
  assert.equal(compareDecimals("3.10", "3.1"), 0);
  assert.equal(compareDecimals("1e-4", "0.0001"), 0);
  assert.equal(compareDecimals("-0.0", "0"), 0);
  assert.equal(compareDecimals("-2", "-10"), 1);
  assert.equal(compareDecimals("-8e-323", "-8e-323"), 0);
  assert.equal(compareDecimals("1e400", "9e399"), 1);
  assert.ok(Number.isNaN(compareDecimals("x", "1")));
  fc.assert(fc.property(fc.bigInt(), fc.bigInt(), (a, b) => {
    assert.equal(compareDecimals(`${a}`, `${b}`), a < b ? -1 : a > b ? 1 : 0);
  }));
  const double = fc.double({ noNaN: true, noDefaultInfinity: true });
  fc.assert(fc.property(double, double, (a, b) => {
    assert.equal(compareDecimals(`${a}`, `${b}`), a < b ? -1 : a > b ? 1 : 0);
  }));
});
