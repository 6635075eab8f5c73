import assert from "node:assert/strict";
import fc from "fast-check";
import { GridError } from "../../../src/core/errors.ts";
import { asRelativePath, type RelativePath } from "../../../src/core/relative_path.ts";
import { isPrivate, readListing } from "../../../src/sync/fetch_listing.ts";
import { readSums } from "../../../src/sync/fetch_sums.ts";
import { compareRows } from "../../../src/sync/rows.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const NONE = new Uint8Array();

function listing(found: string, rows: string, more: { dangling?: string; words?: string } = {}) {
  return readListing({
    found: bytes(found),
    rows: bytes(rows),
    dangling: bytes(more.dangling ?? ""),
    closed: NONE,
    words: bytes(more.words ?? ""),
  }, { starts: ["./out"], node: "n1" });
}

Deno.test("readListing() tells files, folders and the rest apart by what stat says", () => {
  const found = "./out\0./out/a\0./out/x.sh\0./out/pipe\0./out/last\0";
  const rows = "41ed 4096 1700000000|./out\n81a4 3 1700000001|./out/a\n81ed 4 1|./out/x.sh\n" +
    "11a4 0 1|./out/pipe\n";
  const { files, folders, leftOut } = listing(found, rows, { dangling: "./out/last\0" });
  assert.deepEqual(files, [
    { path: "out/a", size: 3, mtime: 1_700_000_001, executable: false },
    { path: "out/x.sh", size: 4, mtime: 1, executable: true },
  ]);
  assert.deepEqual(folders, ["out"]);
  assert.deepEqual(leftOut, [
    { path: "out/pipe", reason: "a named pipe" },
    { path: "out/last", reason: "a link to nothing" },
  ]);
});

Deno.test("readListing() leaves out what would make a folder a repository", () => {
  const names = ["out/HEAD", "out/a/head", "out/HEADER", "out/refs/heads"];
  const { files, leftOut } = listing(
    names.map((name) => `./${name}\0`).join(""),
    names.map((name) => `81a4 3 1|./${name}\n`).join(""),
  );
  assert.deepEqual(files.map(({ path }) => path), ["out/HEADER", "out/refs/heads"]);
  assert.deepEqual(leftOut.map(({ path }) => path), ["out/HEAD", "out/a/head"]);
  assert.match(leftOut[0]?.reason ?? "", /^git would take its folder for a repository/);
});

Deno.test("readListing() refuses a name of which stat tells nothing", () => {
  assert.throws(() => listing("./out/a\0", ""), /it tells nothing about "out\/a"/);
});

Deno.test("readListing() refuses a file that is said to hold others", () => {
  const rows = "81a4 3 1|./out/a\n81a4 3 1|./out/a/b/c\n";
  assert.throws(
    () => listing("./out/a\0./out/a/b/c\0", rows),
    /"n1": it calls "out\/a" a file, and names what lies in it/,
  );
});

Deno.test("readListing() counts names before it takes any of them apart", () => {
  const many = (text: string) => text.repeat(50_001);
  for (
    const act of [
      () => listing(many("./out/a\0"), "81a4 3 1|./out/a\n"),
      () => listing("./out/a\0", many("\n")),
      () => listing("./out/a\0", "81a4 3 1|./out/a\n", { dangling: many("\0") }),
    ]
  ) assert.throws(act, /"n1": it named 50001 files and folders, and 50000 are the most/);
});

/** Pieces that an answer is made of, whole and broken, in any order. */
const piece = fc.oneof(
  fc.constantFrom("./out/", "./", "../", "/", "\0", "a", ".git", ".GRID", "\n", "|", "41ed 1 1|"),
  fc.constantFrom("81a4 3 1700000001|./out/a\n", "./out/a\0", "f".repeat(64), "  ./out/a\n", "\\"),
  fc.string({ unit: "binary", maxLength: 5 }),
);
const text = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(""));

Deno.test("readListing() gives only checked names that were asked for, or one clear error", () => {
  fc.assert(
    fc.property(text, text, text, text, (found, rows, dangling, words) => {
      try {
        const { files, folders } = listing(found, rows, { dangling, words });
        for (const path of [...files.map((file) => file.path), ...folders]) {
          assert.equal(asRelativePath(path), path);
          assert.equal(isPrivate(path), false);
          assert.equal(path === "out" || path.startsWith("out/"), true);
        }
      } catch (error) {
        if (!(error instanceof GridError)) throw error;
        assert.equal(error.exitCode, 1);
        assert.match(error.message, /"n1"/);
        assert.equal(/\p{Cc}/u.test(error.message), false);
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("readSums() gives sums of names that were asked for, whatever the text", () => {
  const paths = ["out/a", "out/b\\c", "-"] as RelativePath[];
  const sum = "0".repeat(64);
  const answer = `${sum}  ./out/a\n\\${sum}  ./out/b\\\\c\n${sum}  ./-\n`;
  assert.deepEqual([...readSums(answer, paths).keys()], paths);
  // One that could not be read has no line.
  assert.deepEqual([...readSums(answer.slice(answer.indexOf("\n") + 1), paths).keys()], [
    "out/b\\c",
    "-",
  ]);
  fc.assert(fc.property(text, (text) => {
    for (const [path, found] of readSums(text, paths)) {
      assert.equal(paths.includes(path), true);
      assert.match(found, /^[0-9a-f]{64}$/);
    }
  }));
});

Deno.test("compareRows() finds only known paths, whatever the texts", () => {
  const known = ["a", "d", "d/e"].map((path) => ({
    path,
    type: path === "d" ? "folder" as const : "file" as const,
    executable: false,
    size: 1,
    content: "x",
  }));
  fc.assert(fc.property(text, text, (recorded, live) => {
    const { changed, missing, displaced } = compareRows(known, { recorded, live });
    for (const path of [...changed, ...missing, ...displaced]) {
      assert.equal(known.some((entry) => entry.path === path), true);
    }
    for (const path of missing) assert.equal(changed.has(path), true);
  }));
});
