import assert from "node:assert/strict";
import { hash } from "node:crypto";
import fc from "fast-check";
import { asRelativePath } from "../../../src/core/relative_path.ts";
import { comparePaths, type Entry } from "../../../src/sync/entry.ts";
import { readManifest, writeManifest } from "../../../src/sync/manifest.ts";

const entry: fc.Arbitrary<Entry> = fc.record({
  path: fc.string({ minLength: 1 })
    .filter((path) => asRelativePath(path, { allowControls: true }) !== undefined),
  type: fc.constantFrom("file", "link", "folder"),
  executable: fc.boolean(),
  size: fc.nat(),
  content: fc.string(),
}, { noNullPrototype: true })
  // Only a link's content is chosen by the user; the others are hashes and times.
  .map((it) => it.type === "link" ? it : { ...it, content: it.content.replaceAll(/[\0\n]/g, "") });

Deno.test("readManifest() gives back what writeManifest() wrote", () => {
  const entries = fc.uniqueArray(entry, { selector: (it) => it.path })
    .map((list) => list.toSorted((a, b) => comparePaths(a.path, b.path)));
  fc.assert(fc.property(entries, (entries) => {
    const { text, digest } = writeManifest(entries);
    assert.deepEqual(readManifest(text, digest), { digest, entries });
  }));
});

Deno.test("readManifest() refuses paths that leave the folder, whatever the digest says", () => {
  for (const path of ["../x", "/etc/passwd", "a/../../b", ".", "a//b"]) {
    const entry = { path, type: "file", executable: false, size: 0, content: "" } as const;
    const { text, digest } = writeManifest([entry]);
    assert.equal(readManifest(text, digest), undefined, path);
  }
});

/** Texts that a node may answer with: mostly broken pieces of what it should. */
const answer = fc.array(
  fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("grid-manifest 2\n", "f-1 x\n", "\0", 'lx0 "\n', "../a\0", "l-0 {}\n"),
  ),
).map((parts) => parts.join(""));

Deno.test("readManifest() takes any text apart without an error", () => {
  fc.assert(fc.property(answer, (text) => {
    const found = readManifest(text, hash("sha256", text));
    for (const { path } of found?.entries ?? []) {
      assert.equal(path.split("/").includes(".."), false);
    }
  }));
});

Deno.test("readManifest() refuses a text that was changed or cut", () => {
  const { text, digest } = writeManifest([
    { path: "a", type: "file", executable: false, size: 1, content: "sha256:00" },
  ]);
  assert.equal(readManifest(text.slice(0, -1), digest), undefined);
  assert.equal(readManifest(text.replace("a", "b"), digest), undefined);
  assert.equal(readManifest("", digest), undefined);
});

Deno.test("writeManifest() has a digest of its own for every difference", () => {
  const base: Entry = { path: "a", type: "file", executable: false, size: 1, content: "x" };
  const variants: Entry[] = [
    base,
    { ...base, path: "b" },
    { ...base, type: "link" },
    { ...base, executable: true },
    { ...base, size: 2 },
    { ...base, content: "y" },
  ];
  assert.equal(new Set(variants.map((it) => writeManifest([it]).digest)).size, variants.length);
});
