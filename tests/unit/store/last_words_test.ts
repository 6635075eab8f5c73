import assert from "node:assert/strict";
import { GridError } from "../../../src/core/errors.ts";
import type { Event } from "../../../src/engine/event.ts";
import { withLastWords } from "../../../src/store/last_words.ts";
import { Reserve } from "../../../src/store/reserve.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { existsSync } from "node:fs";

const WARNED: Event = { type: "warned", at: 1, message: "m" };

/** A journal on a disk that is full as long as the reserve lies on it. */
function fullDisk(path: string) {
  const kept: Event[] = [];
  const append = (_run: string, events: readonly Event[]) => {
    if (existsSync(path)) throw new GridError({ code: "disk-full", message: "full" });
    kept.push(...events);
  };
  return { kept, journal: { append } };
}

Deno.test("withLastWords() gives up the reserve for what must still be journaled, and tells", () => {
  using dir = tempDir();
  const reserve = new Reserve(dir.path);
  reserve.fill();
  assert.equal(Deno.statSync(`${dir.path}/reserve`).size, 512 * 1024);
  const { kept, journal } = fullDisk(`${dir.path}/reserve`);
  const words = withLastWords(journal, reserve);
  words.journal.append("r", [WARNED]);
  words.journal.append("r", [WARNED]);
  assert.deepEqual([kept.length, words.full.aborted], [2, true]);
  assert.equal(words.full.reason.exitCode, 6);
});

Deno.test("withLastWords() throws where there is no reserve, and for any other failure", () => {
  using dir = tempDir();
  const error = (code: "disk-full" | "conflict") => new GridError({ code, message: "m" });
  for (const code of ["disk-full", "conflict"] as const) {
    const reserve = new Reserve(dir.path);
    if (code === "conflict") reserve.fill();
    const words = withLastWords({
      append: () => {
        throw error(code);
      },
    }, reserve);
    assert.throws(() => words.journal.append("r", [WARNED]), { code });
    assert.equal(words.full.aborted, false);
  }
});
