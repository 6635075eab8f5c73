import assert from "node:assert/strict";
import { join } from "node:path";
import { hashMissing, type SourceEntry } from "../../../src/sync/hash.ts";
import { readState } from "../../../src/sync/file_state.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** Of zeros, which take no room; some tenths of a second of work on any machine. */
const LARGE_BYTES = 2 ** 30;

Deno.test("one large file that has to be read holds nothing else up, and a signal ends it", async () => {
  using folder = tempDir();
  const path = join(folder.path, "large");
  Deno.writeTextFileSync(path, "");
  Deno.truncateSync(path, LARGE_BYTES);
  const state = readState(path);
  assert.ok(state);
  const entry: SourceEntry = {
    path: "large",
    type: "file",
    size: LARGE_BYTES,
    executable: false,
    content: "",
    state,
  };
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(new Error("enough")), 1);
  const hashing = hashMissing([entry], {
    source: folder.path,
    useChecksums: true,
    followSymlinks: false,
    signal: stop.signal,
  });
  await assert.rejects(hashing, /enough/);
  clearTimeout(timer);
});
