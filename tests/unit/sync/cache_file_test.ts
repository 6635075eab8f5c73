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

Deno.test("writeCacheFile() clears away what a program left that was ended while it wrote", () => {
  using dir = tempDir();
  const file = join(dir.path, "kept");
  const left = (name: string, ageHours: number) => {
    Deno.writeTextFileSync(join(dir.path, name), "half");
    const time = new Date(Date.now() - ageHours * 3_600_000);
    Deno.utimeSync(join(dir.path, name), time, time);
  };
  const word = crypto.randomUUID();
  left(`kept.${word}`, 2);
  left(`kept.${crypto.randomUUID()}x`, 2);
  left(`other.${crypto.randomUUID()}`, 2);
  const young = `kept.${crypto.randomUUID()}`;
  left(young, 0.5);
  writeCacheFile(file, ["a"]);
  const names = [...Deno.readDirSync(dir.path)].map(({ name }) => name);
  assert.equal(names.includes(`kept.${word}`), false);
  assert.equal(names.length, 4);
  assert.ok(names.includes(young));
});
