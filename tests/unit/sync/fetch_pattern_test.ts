import assert from "node:assert/strict";
import { parseFetchPattern } from "../../../src/sync/fetch_pattern.ts";

function matched(pattern: string, paths: readonly string[]): string[] {
  const parsed = parseFetchPattern(pattern);
  return paths.filter((path) => parsed.matches(path));
}

const PATHS = ["a.pt", "b.txt", "ckpt/1.pt", "ckpt/deep/2.pt", "ckpt/.tmp", "ckpts/3.pt", "[x].pt"];

Deno.test("parseFetchPattern() reads a path as itself and all below it", () => {
  assert.deepEqual(matched("a.pt", PATHS), ["a.pt"]);
  assert.deepEqual(matched("ckpt", PATHS), ["ckpt/1.pt", "ckpt/deep/2.pt", "ckpt/.tmp"]);
  assert.deepEqual(matched("./ckpt/", PATHS), ["ckpt/1.pt", "ckpt/deep/2.pt", "ckpt/.tmp"]);
  assert.deepEqual(matched(".", PATHS), PATHS);
});

Deno.test("parseFetchPattern() reads globs; a folder that matches brings all it holds", () => {
  assert.deepEqual(matched("*.pt", PATHS), ["a.pt", "[x].pt"]);
  assert.deepEqual(matched("**/*.pt", PATHS), [
    "a.pt",
    "ckpt/1.pt",
    "ckpt/deep/2.pt",
    "ckpts/3.pt",
    "[x].pt",
  ]);
  assert.deepEqual(matched("ckpt/*", PATHS), ["ckpt/1.pt", "ckpt/deep/2.pt"]);
  assert.deepEqual(matched("{a,b}.*", PATHS), ["a.pt", "b.txt"]);
});

Deno.test("parseFetchPattern() lets a name with brackets mean itself", () => {
  assert.deepEqual(matched("[x].pt", PATHS), ["[x].pt"]);
});

Deno.test("parseFetchPattern() says where to look", () => {
  assert.equal(parseFetchPattern("ckpt/deep/*.pt").start, "./ckpt/deep");
  assert.equal(parseFetchPattern("*.pt").start, ".");
  assert.equal(parseFetchPattern("a/b.pt").start, "./a/b.pt");
});

Deno.test("parseFetchPattern() refuses to leave the folder", () => {
  for (const text of ["/etc/passwd", "..", "a/../../b", "", "a\nb", "a\0b"]) {
    assert.throws(() => parseFetchPattern(text), { code: "sync" });
  }
});
