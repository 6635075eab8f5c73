import assert from "node:assert/strict";
import { formatCount, formatSize, parseSize } from "../../../src/core/size.ts";

Deno.test("parseSize() knows decimal and binary units", () => {
  assert.equal(parseSize("16GiB"), 16 * 2 ** 30);
  assert.equal(parseSize("16GB"), 16e9);
  assert.equal(parseSize("1.5 KiB"), 1536);
  assert.equal(parseSize("12B"), 12);
  assert.equal(parseSize("2TB"), 2e12);
});

Deno.test("parseSize() refuses what has no unit or makes no sense", () => {
  for (const text of ["", "16", "GiB", "16G", "16gib", "-1GB", "1e3MB", "16 GiBs", "iB"]) {
    assert.equal(parseSize(text), undefined, text);
  }
});

Deno.test("formatSize() picks the largest unit that fits", () => {
  assert.equal(formatSize(0), "0 B");
  assert.equal(formatSize(1023), "1023 B");
  assert.equal(formatSize(1024), "1.0 KiB");
  assert.equal(formatSize(16 * 2 ** 30), "16.0 GiB");
  assert.equal(formatSize(5000 * 2 ** 40), "5000.0 TiB");
});

Deno.test("formatCount() groups digits by three", () => {
  assert.deepEqual([0, 999, 1000, 123456, 1234567].map(formatCount), [
    "0",
    "999",
    "1,000",
    "123,456",
    "1,234,567",
  ]);
});
