import assert from "node:assert/strict";
import { IgnoreLines, toBytes } from "../../../src/sync/ignore_lines.ts";

function found(text: string, path: string, isFolder = false): string | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return new IgnoreLines(text).find(name, () => path, isFolder)?.text;
}

Deno.test("IgnoreLines lets the last line that matches decide, a plain name or not", () => {
  assert.equal(found("a\n*\n", "a"), "*");
  assert.equal(found("*\na\n", "a"), "a");
  assert.equal(found("*\n!a\nb\n", "a"), "!a");
  assert.equal(new IgnoreLines("*\n!a").find("a", () => "a", false)?.takesIn, true);
  assert.equal(found("a\n/a/\n", "a"), "a");
  assert.equal(found("a\na/\n", "a", true), "a/");
});

Deno.test("IgnoreLines asks for the path only where a line has one", () => {
  const never = () => assert.fail("asked");
  assert.equal(new IgnoreLines("*.log\nbuild/\n").find("a", never, true), undefined);
});

Deno.test("IgnoreLines reads lines as git does", () => {
  assert.equal(found("a  \nb\\ \n", "a"), "a");
  assert.equal(found("a  \nb\\ \n", "b "), "b\\ ");
  assert.equal(found("#a\n\\#a\r\n", "#a"), "\\#a");
  assert.equal(found("a\0b\n", "a"), "a");
  for (const text of ["", "!", "/", "//", "!/", "#", "\\"]) {
    assert.equal(found(text, "a", true), undefined);
  }
});

Deno.test("IgnoreLines shows lines in the file's own spelling, and takes names as bytes", () => {
  assert.equal(found("n\u00fc*\n", toBytes("n\u00fcr.txt")), "n\u00fc*");
  assert.equal(found("n??r.txt\n", toBytes("n\u00fcr.txt")), "n??r.txt");
});
