import assert from "node:assert/strict";
import fc from "fast-check";
import { LineSplitter } from "../../../src/terminal/line_splitter.ts";

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("LineSplitter: the lines are the same however the bytes are cut", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "é", "日", "🎉", "\n", " ") });
  fc.assert(fc.property(text, fc.array(fc.nat(7)), (whole, cuts) => {
    const bytes = encode(whole);
    const splitter = new LineSplitter();
    const lines: string[] = [];
    let at = 0;
    for (const length of [...cuts, bytes.length]) {
      lines.push(...splitter.push(bytes.slice(at, at + length)));
      at += length;
    }
    lines.push(...splitter.end());
    const expected = whole.split("\n");
    if (expected.at(-1) === "") expected.pop();
    assert.deepEqual(lines, expected);
  }));
});

Deno.test("LineSplitter: a progress bar counts with its last writing only", () => {
  const splitter = new LineSplitter();
  assert.deepEqual(splitter.push(encode("10%\r20%\r30%")), []);
  assert.equal(splitter.partial, "30%");
  assert.deepEqual(splitter.push(encode("\r40%\r")), []);
  assert.deepEqual(splitter.push(encode("100%\ndone\r\n")), ["100%", "done"]);
});

Deno.test("LineSplitter: a bar that never ends its line stays small", () => {
  const splitter = new LineSplitter();
  for (let i = 0; i < 10_000; i++) splitter.push(encode(`\rstep ${i} of 10000`));
  assert.deepEqual(splitter.end(), ["step 9999 of 10000"]);
});

Deno.test("LineSplitter: a huge line is cut and says so", () => {
  const splitter = new LineSplitter();
  for (let i = 0; i < 100; i++) splitter.push(encode("x".repeat(1000)));
  const [line = ""] = splitter.push(encode("\n"));
  assert.equal(line, `${"x".repeat(16_384)}… (83616 more characters, whole in the log)`);
  const [next = ""] = splitter.push(encode(`${"y".repeat(20_000)}\n`));
  assert.equal(next, `${"y".repeat(16_384)}… (3616 more characters, whole in the log)`);
  assert.deepEqual(splitter.push(encode("short\n")), ["short"]);
});

Deno.test("LineSplitter: bytes that are not UTF-8 become a mark, nothing is lost around them", () => {
  const splitter = new LineSplitter();
  const bytes = Uint8Array.from([0x61, 0xff, 0x62, 0x0a]);
  assert.deepEqual(splitter.push(bytes), ["a\ufffdb"]);
});

Deno.test("LineSplitter: with a limit only the last lines of a push are decoded", () => {
  const splitter = new LineSplitter({ last: 2 });
  assert.deepEqual(splitter.push(encode("a\nb\nc\nd\ne")), ["c", "d"]);
  assert.equal(splitter.partial, "e");
  assert.deepEqual(splitter.push(encode("f\n")), ["ef"]);
});
