import assert from "node:assert/strict";
import { join } from "node:path";
import { writeCacheFile } from "../../../src/sync/cache_file.ts";
import { tempDir } from "../../support/temp_dir.ts";

Deno.test("writeCacheFile(): all pieces or the file before, and nothing beside it", () => {
  using dir = tempDir();
  const file = join(dir.path, "below", "kept");
  writeCacheFile(file, ["a", new Uint8Array([98])]);
  assert.equal(Deno.readTextFileSync(file), "ab");
  assert.equal((Deno.statSync(file).mode ?? 0) & 0o777, 0o600);
  const pieces = function* () {
    yield "c";
    throw new Error("no more");
  };
  assert.throws(() => writeCacheFile(file, pieces()), /no more/);
  assert.equal(Deno.readTextFileSync(file), "ab");
  assert.deepEqual([...Deno.readDirSync(join(dir.path, "below"))].map(({ name }) => name), [
    "kept",
  ]);
});
