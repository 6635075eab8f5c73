import assert from "node:assert/strict";
import { nearest } from "../../../src/core/did_you_mean.ts";

const KEYS = ["needs", "retry", "timeout", "max-parallel", "with"];

Deno.test("nearest() finds slips of the finger", () => {
  assert.equal(nearest("need", KEYS), "needs");
  assert.equal(nearest("rtery", KEYS), "retry");
  assert.equal(nearest("tiemout", KEYS), "timeout");
  assert.equal(nearest("max_parallel", KEYS), "max-parallel");
  assert.equal(nearest("Timeout", KEYS), "timeout");
  assert.equal(nearest("wiht", KEYS), "with");
});

Deno.test("nearest() stays silent where nothing is near", () => {
  assert.equal(nearest("gpu", KEYS), undefined);
  assert.equal(nearest("concurrency", KEYS), undefined);
  assert.equal(nearest("needs", []), undefined);
});
