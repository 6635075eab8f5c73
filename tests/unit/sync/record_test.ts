import assert from "node:assert/strict";
import type { Entry } from "../../../src/sync/entry.ts";
import { writeManifest } from "../../../src/sync/manifest.ts";
import { planSync } from "../../../src/sync/plan.ts";
import { recordFiles, recordOf } from "../../../src/sync/record.ts";

const file = (path: string, content = "sha256:1"): Entry => ({
  path,
  type: "file",
  executable: false,
  size: 1,
  content,
});
const folder = (path: string): Entry => ({ ...file(path, ""), type: "folder", size: 0 });

function change(known: readonly Entry[], wanted: readonly Entry[], canPatch = true) {
  const none = new Set<string>();
  const state = { changed: none, missing: none, displaced: none };
  const plan = planSync({ wanted, known, ...state, delete: true });
  const packed = { sent: plan.send as never, torn: [] };
  const record = recordOf({ wanted, known, packed, delete: true });
  const manifest = writeManifest(record);
  const files = recordFiles({ plan, known, record, packed, canPatch, manifest });
  return Object.fromEntries(Object.entries(files).map(([name, it]) => [name, [...it()].join("")]));
}

Deno.test("recordFiles() names only the lines of files that took the place of files", () => {
  const known = [file("a"), folder("b"), file("b/c"), file("d")];
  const wanted = [file("a"), folder("b"), file("b/c", "sha256:2"), file("d", "sha256:3")];
  assert.deepEqual(change(known, wanted), {
    patch: "2 f-1 sha256:2\n3 f-1 sha256:3\n",
    moved: "b/c\0d\0",
  });
});

Deno.test("recordFiles() sends the whole where a path comes, goes or turns into something else", () => {
  const known = [file("a"), folder("b"), file("c")];
  const whole = ["facts", "files", "folders"];
  for (
    const wanted of [
      [file("a", "x"), folder("b")],
      [file("a", "x"), folder("b"), file("c"), file("d")],
      [file("a", "x"), folder("b"), file("d")],
      [file("a", "x"), file("b"), file("c")],
      [folder("a"), folder("b"), file("c")],
    ]
  ) {
    assert.deepEqual(Object.keys(change(known, wanted)), whole);
  }
});

Deno.test("recordFiles() sends the whole where lines cannot be counted or changed", () => {
  const whole = ["facts", "files", "folders"];
  const odd = [file("a\nb"), file("c")];
  assert.deepEqual(Object.keys(change(odd, [file("a\nb"), file("c", "x")])), whole);
  assert.deepEqual(Object.keys(change([file("a")], [file("a", "x")], false)), whole);
});

Deno.test("recordOf() keeps what the node had of a file that could not be sent", () => {
  const known = [file("a", "old"), file("gone")];
  const wanted = [file("a", "new"), file("b", "new"), file("c", "new")];
  const torn = [{ path: "a", reason: "" }, { path: "b", reason: "" }];
  const sent = [{ ...file("c", "newer") }] as never;
  const record = recordOf({ wanted, known, packed: { sent, torn }, delete: true });
  assert.deepEqual(record, [file("a", "old"), file("c", "newer")]);
});

Deno.test("recordOf() keeps what may not be removed, with the folders around it", () => {
  const folder = (path: string) => ({ ...file(path, ""), type: "folder" as const, size: 0 });
  const known = [folder("d"), folder("d/e"), file("d/e/1", "old"), file("x", "old")];
  const packed = { sent: [], torn: [] };
  const all = recordOf({ wanted: [], known, packed, delete: false });
  assert.deepEqual(all, known);
  const unread = recordOf({
    wanted: [folder("d")],
    known,
    packed,
    delete: true,
    isUnread: (path) => path.startsWith("d"),
  });
  assert.deepEqual(unread, known.slice(0, 3));
  // A file stands where the folder was.
  assert.deepEqual(recordOf({ wanted: [file("d", "f")], known, packed, delete: false }), [
    file("d", "f"),
    file("x", "old"),
  ]);
});
