import assert from "node:assert/strict";
import fc from "fast-check";
import { comparePaths, type Entry, foldersAbove } from "../../../src/sync/entry.ts";
import { type PlanInput, planSync, reasonToSend } from "../../../src/sync/plan.ts";

const file = (path: string, content = "1"): Entry => ({
  path,
  type: "file",
  executable: false,
  size: content.length,
  content,
});
const folder = (path: string): Entry => ({ ...file(path, ""), type: "folder" });

function plan(input: Partial<PlanInput>) {
  return planSync({
    wanted: [],
    known: [],
    changed: new Set(),
    missing: new Set(),
    displaced: new Set(),
    delete: true,
    ...input,
  });
}

Deno.test("planSync() sends nothing where everything is known", () => {
  const entries = [file("a"), folder("b"), file("b/c")];
  const result = plan({ wanted: entries, known: entries });
  assert.deepEqual(result.send, []);
  assert.equal(result.unchanged, 3);
});

Deno.test("planSync() sends what is new, differs in content, or in the x-bit", () => {
  const program = { ...file("c"), executable: true };
  const wanted = [file("a"), file("b", "new"), program, file("d")];
  const known = [file("b", "old"), file("c"), file("d")];
  assert.deepEqual(plan({ wanted, known }).send.map((it) => it.path), ["a", "b", "c"]);
});

Deno.test("planSync() removes children before their folder", () => {
  const known = [folder("a"), file("a/1"), folder("a/b"), file("a/b/2")];
  const result = plan({ known });
  assert.deepEqual(result.remove, ["a/1", "a/b/2"]);
  assert.deepEqual(result.removeFolders, ["a/b", "a"]);
});

Deno.test("planSync() removes nothing that nobody could look at", () => {
  const known = [file("a"), folder("d"), file("d/1"), file("da"), file("gone")];
  const isUnread = (path: string) => path === "a" || path === "d" || path.startsWith("d/");
  const result = plan({ known, wanted: [folder("d")], isUnread });
  assert.deepEqual(result.remove, ["da", "gone"]);
  assert.deepEqual(result.removeFolders, []);
});

Deno.test("planSync() removes nothing with delete off", () => {
  const result = plan({ known: [file("a")], delete: false });
  assert.deepEqual(result.remove, []);
});

Deno.test("planSync() clears the way for a file that becomes a folder and the other way round", () => {
  const wanted = [folder("a"), file("a/in"), file("b")];
  const known = [file("a"), folder("b"), file("b/in"), folder("b/deep")];
  const result = plan({ wanted, known, delete: false });
  assert.deepEqual(result.clear, ["a", "b/in"]);
  assert.deepEqual(result.clearFolders, ["b/deep", "b"]);
});

Deno.test("planSync() replaces a displaced folder and everything below it", () => {
  const entries = [folder("d"), file("d/x"), folder("d/y")];
  const displaced = new Set(["d", "d/y"]);
  const result = plan({ wanted: entries, known: entries, changed: displaced, displaced });
  assert.deepEqual(result.clear, ["d"]);
  assert.deepEqual(result.send, entries);
  assert.deepEqual(result.drifted, ["d", "d/x", "d/y"]);
});

Deno.test("planSync() never touches what lies below a displaced folder", () => {
  const known = [folder("d"), file("d/x")];
  const displaced = new Set(["d"]);
  const result = plan({ wanted: [file("d")], known, changed: displaced, displaced });
  assert.deepEqual(result.clear, ["d"]);
  assert.deepEqual([...result.remove, ...result.clearFolders], []);
});

Deno.test("planSync() keeps a changed file that the source no longer has", () => {
  const result = plan({ known: [file("m"), file("n")], changed: new Set(["m"]) });
  assert.deepEqual(result.remove, ["n"]);
  assert.deepEqual(result.kept, ["m"]);
});

Deno.test("planSync() neither removes nor keeps what is gone on both sides", () => {
  const gone = new Set(["m"]);
  const result = plan({ known: [file("m"), file("n")], changed: gone, missing: gone });
  assert.deepEqual([result.remove, result.kept], [["n"], []]);
});

const segment = fc.constantFrom("a", "b", "c");
const tree = fc.dictionary(
  fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")),
  fc.constantFrom("1", "2", "folder"),
).map(toEntries);

/** Folders that lead to a file are folders, whatever the dictionary says. */
function toEntries(texts: Record<string, string>): Entry[] {
  const entries = new Map<string, Entry>();
  for (const [path, text] of Object.entries(texts)) {
    entries.set(path, text === "folder" ? folder(path) : file(path, text));
  }
  for (const path of [...entries.keys()]) {
    for (const above of foldersAbove(path)) entries.set(above, folder(above));
  }
  return [...entries.values()].toSorted((a, b) => comparePaths(a.path, b.path));
}

Deno.test("planSync() turns any tree into any other", () => {
  fc.assert(fc.property(tree, tree, (known, wanted) => {
    const result = plan({ known, wanted });
    const there = new Map(known.map((entry) => [entry.path, entry]));
    const hasChildren = (path: string) =>
      [...there.keys()].some((other) => other.startsWith(`${path}/`));
    for (const path of result.clear) assert.equal(there.delete(path), true);
    for (const path of result.clearFolders) {
      assert.equal(hasChildren(path), false, `${path} is not empty when it goes`);
      there.delete(path);
    }
    for (const entry of result.send) {
      const before = there.get(entry.path);
      assert.equal(
        before === undefined || (before.type === "folder") === (entry.type === "folder"),
        true,
      );
      for (const above of foldersAbove(entry.path)) assert.equal(there.get(above)?.type, "folder");
      there.set(entry.path, entry);
    }
    for (const path of result.remove) assert.equal(there.delete(path), true);
    for (const path of result.removeFolders) {
      assert.equal(hasChildren(path), false, `${path} is not empty when it goes`);
      there.delete(path);
    }
    const end = [...there.values()].toSorted((a, b) => comparePaths(a.path, b.path));
    assert.deepEqual(end, wanted);
  }));
});

Deno.test("planSync() removes only what is known and sends only what is wanted", () => {
  fc.assert(fc.property(tree, tree, fc.boolean(), (known, wanted, isDelete) => {
    const changed = new Set(known.filter((_, at) => at % 3 === 0).map((it) => it.path));
    const result = plan({ known, wanted, changed, delete: isDelete });
    const knownPaths = new Set(known.map((it) => it.path));
    const touched = [
      ...result.clear,
      ...result.clearFolders,
      ...result.remove,
      ...result.removeFolders,
    ];
    assert.deepEqual(touched.filter((path) => !knownPaths.has(path)), []);
    assert.equal(result.send.every((entry) => wanted.includes(entry)), true);
    const sent = new Set(result.send.map((entry) => entry.path));
    const missed = wanted.filter((entry) => changed.has(entry.path) && !sent.has(entry.path));
    assert.deepEqual(missed, []);
  }));
});

Deno.test("reasonToSend() says what differs, the weightiest first", () => {
  const reason = (there: Entry | undefined, drifted: readonly string[] = []) =>
    reasonToSend(file("a", "new"), {
      known: new Map(there === undefined ? [] : [["a", there]]),
      drifted: new Set(drifted),
    });
  assert.equal(reason(undefined), "new");
  assert.equal(reason(undefined, ["a"]), "new");
  assert.equal(reason({ ...file("a", "new"), type: "link", executable: true }), "type");
  assert.equal(reason({ ...file("a", "old"), executable: true }), "content");
  assert.equal(reason({ ...file("a", "new"), size: 9 }, ["a"]), "content");
  assert.equal(reason({ ...file("a", "new"), executable: true }, ["a"]), "x-bit");
  assert.equal(reason(file("a", "new"), ["a"]), "changed on the node");
  assert.equal(reason(file("a", "new")), "content");
});
