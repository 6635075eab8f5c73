import assert from "node:assert/strict";
import { hash } from "node:crypto";
import fc from "fast-check";
import { digestOf } from "../../../src/core/digest.ts";

Deno.test("digestOf() has what FIPS 180-4 gives as examples", () => {
  assert.equal(digestOf(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert.equal(digestOf("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert.equal(
    digestOf("a".repeat(1_000_000)),
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
  );
});

Deno.test("digestOf() has at every length what node:crypto has", () => {
  for (let length = 0; length < 300; length++) {
    const text = "é".repeat(length % 7) + "x".repeat(length);
    assert.equal(digestOf(text), hash("sha256", text), `${length} letters`);
  }
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
      // An unpaired surrogate has no UTF-8.
      assert.equal(digestOf(text), hash("sha256", text.toWellFormed()));
    }),
  );
});
