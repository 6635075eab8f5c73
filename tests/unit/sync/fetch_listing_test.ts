import assert from "node:assert/strict";
import fc from "fast-check";
import { GridError } from "../../../src/core/errors.ts";
import { asRelativePath, type RelativePath } from "../../../src/core/relative_path.ts";
import {
  isPrivate,
  readListing,
  splitAtNul,
  unexplained,
} from "../../../src/sync/fetch_listing.ts";
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
  const { files, folders, skippedSteps } = listing(found, rows, { dangling: "./out/last\0" });
  assert.deepEqual(files, [
    { path: "out/a", size: 3, mtime: 1_700_000_001, executable: false },
    { path: "out/x.sh", size: 4, mtime: 1, executable: true },
  ]);
  assert.deepEqual(folders, ["out"]);
  assert.deepEqual(skippedSteps, [
    { path: "out/pipe", reason: "a named pipe" },
    { path: "out/last", reason: "a link to nothing" },
  ]);
});

Deno.test("readListing() leaves out what would make a folder a repository", () => {
  const names = ["out/HEAD", "out/a/head", "out/HEADER", "out/refs/heads"];
  const { files, skippedSteps } = listing(
    names.map((name) => `./${name}\0`).join(""),
    names.map((name) => `81a4 3 1|./${name}\n`).join(""),
  );
  assert.deepEqual(files.map(({ path }) => path), ["out/HEADER", "out/refs/heads"]);
  assert.deepEqual(skippedSteps.map(({ path }) => path), ["out/HEAD", "out/a/head"]);
  assert.match(skippedSteps[0]?.reason ?? "", /^git would take its folder for a repository/);
});

Deno.test("readListing() leaves out, by name, what cannot be written here as it is", () => {
  const odd = new Uint8Array([...bytes("./out/"), 0xff, 0]);
  const whole = (found: Uint8Array) =>
    readListing({ found, rows: NONE, dangling: NONE, closed: NONE, words: NONE }, {
      starts: ["./out"],
      node: "n1",
    });
  assert.deepEqual(whole(odd).skippedSteps.map(({ path }) => path), ["out/\ufffd"]);
  const [bell] = whole(bytes("./out/a\x07\0")).skippedSteps;
  assert.equal(bell?.path, "out/a\ufffd");
  assert.match(bell?.reason ?? "", /name/);
});

Deno.test("readListing() takes no file of git's or Grid's own, whoever asked for what", () => {
  for (const name of [".git/config", "out/.git/config", ".grid/key"]) {
    assert.ok(isPrivate(name), name);
    const all = { starts: ["."], node: "n1" };
    const list = { found: bytes(`./${name}\0`), rows: bytes(`81a4 1 1|./${name}\n`) };
    assert.throws(
      () => readListing({ ...list, dangling: NONE, closed: NONE, words: NONE }, all),
      /which was not asked for/,
      name,
    );
  }
});

Deno.test("readListing() takes nothing beside what was asked for, however near", () => {
  for (const name of ["other", "outer", "outer/x", "ou", "a/out", "Out/x"]) {
    const rows = `81a4 1 1|./${name}\n`;
    assert.throws(() => listing(`./${name}\0`, rows), /which was not asked for/, name);
  }
  assert.equal(listing("./out\0", "81a4 1 1|./out\n").files[0]?.path, "out");
});

Deno.test("readListing() gives the whole folder where it was asked for", () => {
  const { files, folders } = readListing({
    found: bytes(".\0./a\0./b\0"),
    rows: bytes("41ed 0 1|.\n81a4 1 1|./a\n41ed 0 1|./b\n"),
    dangling: NONE,
    closed: NONE,
    words: NONE,
  }, { starts: ["."], node: "n1" });
  assert.deepEqual([files.map(({ path }) => path), folders], [["a"], ["b"]]);
});

Deno.test("readListing() names links that lead back, and does not mind them", () => {
  const words =
    "find: File system loop detected; './out/up' is part of the same file system loop as '.'\n";
  const { skippedSteps } = listing("./out\0", "41ed 0 1|./out\n", { words });
  assert.deepEqual(skippedSteps, [{ path: "out/up", reason: "a link to a folder above" }]);
});

Deno.test("unexplained() finds the one complaint that nothing else tells", () => {
  const told = [
    "find: File system loop detected; './up' is part of the same file system loop as '.'",
    "find: './up/up': Too many levels of symbolic links",
    "find: './gone': No such file or directory",
    "find: './closed': Permission denied",
    "",
  ];
  assert.equal(unexplained(bytes(told.join("\n")), ["./closed"]), undefined);
  assert.equal(unexplained(bytes(told.join("\n")), []), "find: './closed': Permission denied");
  assert.equal(
    unexplained(bytes([...told, "find: Input/output\x07 error"].join("\n")), ["./closed"]),
    "find: Input/output\ufffd error",
  );
});

Deno.test("splitAtNul() gives every name, with and without an end", () => {
  const names = (text: string) =>
    splitAtNul(bytes(text)).map((name) => new TextDecoder().decode(name));
  assert.deepEqual(names(""), []);
  assert.deepEqual(names("a\0b\0"), ["a", "b"]);
  assert.deepEqual(names("a\0b"), ["a", "b"]);
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
