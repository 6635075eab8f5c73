import assert from "node:assert/strict";
import { contentDigest } from "../../../src/sync/content.ts";
import type { Entry } from "../../../src/sync/entry.ts";
import { writeManifest } from "../../../src/sync/manifest.ts";

/** `name: content`; a name that ends in `/` is a folder. */
function digest(files: Readonly<Record<string, string>>, fetchTargets: readonly string[] = []) {
  const entries = Object.entries(files).map(([name, content]): Entry => ({
    path: name.replace(/\/$/, ""),
    type: name.endsWith("/") ? "folder" : "file",
    executable: false,
    size: content.length,
    content,
  })).toSorted((a, b) => a.path < b.path ? -1 : 1);
  return contentDigest(fetchTargets)({ entries, digest: writeManifest(entries).digest });
}

Deno.test("contentDigest() tells paths and contents apart", () => {
  const before = digest({ "train.py": "v1" });
  assert.equal(digest({ "train.py": "v1" }), before);
  assert.notEqual(digest({ "train.py": "v2" }), before);
  assert.notEqual(digest({ "other.py": "v1" }), before);
  assert.notEqual(digest({ "train.py": "v1", "results/": "" }), before);
});

Deno.test("contentDigest() leaves out what is fetched into the source, with its folders", () => {
  const code = { "train.py": "v1", "src/": "", "src/a.py": "a" };
  const home = ["results/model.pt", "out/*/log.txt"];
  const before = digest(code, home);
  assert.equal(before, digest(code), "nothing there to leave out");
  const fetched = {
    ...code,
    "results/": "",
    "results/model.pt": "m",
    "out/": "",
    "out/run-1/": "",
    "out/run-1/log.txt": "l",
  };
  assert.equal(digest(fetched, home), before);
  assert.notEqual(digest({ ...fetched, "results/notes.md": "n" }, home), before);
  assert.notEqual(digest({ ...fetched, "train.py": "v2" }, home), before);
});
