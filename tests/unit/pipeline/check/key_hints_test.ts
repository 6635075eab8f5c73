import assert from "node:assert/strict";
import { keysAt } from "../../../../src/document/shape/shape.ts";
import { OTHER_NAMES } from "../../../../src/pipeline/check/foreign_keys.ts";
import { foreign, placesOf } from "../../../../src/pipeline/check/key_hints.ts";
import { pipelineSchema } from "../../../../src/pipeline/schema.ts";

const PATHS: Readonly<Record<string, readonly PropertyKey[]>> = {
  "file": [],
  "step": ["steps", 0],
  "inputs": ["inputs", "n"],
  "outputs": ["steps", 0, "outputs", "loss"],
  "concurrency": ["concurrency"],
  "hooks": ["hooks"],
  "schedule": ["schedule"],
};

for (const [place, names] of Object.entries(OTHER_NAMES)) {
  Deno.test(`the words of others for keys of ${place} lead to keys that are known there`, () => {
    const path = PATHS[place] ?? ["steps", 0, place];
    const known = keysAt(pipelineSchema, path);
    for (const [ours, words] of Object.entries(names)) {
      assert.ok(known.includes(ours), `${ours} is no key of ${place}`);
      for (const word of words.split(" ")) {
        assert.ok(!known.includes(word), `${word} is a key of ${place} itself`);
        const hint = foreign({ path: [...path, word], value: 1, siblings: [word] });
        assert.deepEqual(hint, { hint: `write ${ours}:`, meant: ours });
      }
    }
  });
}

Deno.test("a word leads nowhere where our key is there already", () => {
  const unknown = { path: ["steps", 0, "script"], value: "x", siblings: ["run", "script"] };
  assert.equal(foreign(unknown), undefined);
});

Deno.test("a key of another place is found there", () => {
  assert.deepEqual(placesOf("kill-grace"), ["under timeout:"]);
  assert.deepEqual(placesOf("hooks"), ["at the top of the file"]);
  assert.deepEqual(placesOf("nonsense"), []);
});
