import assert from "node:assert/strict";
import type { Rank } from "../../../src/steps/gang_rank.ts";
import { aftermathWords } from "../../../src/steps/gang_words.ts";

const CLEAR = { isClear: true, words: "0 survivors (processes)" };
const LOST = {
  isClear: false,
  words: "out of reach; its node ends it by itself",
};

const [zero, one, two] = ["rank 0", "rank 1", "rank 2"].map((name) => ({ name }) as Rank);
assert.ok(zero && one && two);

Deno.test("the rank that failed is none of the others", () => {
  const words = (kill: typeof CLEAR, first: Rank | undefined = zero) =>
    aftermathWords(
      [{ rank: zero, kill }, { rank: one, kill: CLEAR }, { rank: two, kill: CLEAR }],
      { first },
    );
  assert.equal(words(CLEAR), "the other 2 ranks were ended: 0 survivors (processes)");
  assert.equal(
    words(LOST),
    "the other 2 ranks were ended: 0 survivors (processes); " +
      "rank 0: out of reach; its node ends it by itself",
  );
  assert.equal(
    aftermathWords([{ rank: zero, kill: CLEAR }, { rank: one, kill: LOST }], { first: undefined }),
    "all 2 ranks were ended: rank 0: 0 survivors (processes); " +
      "rank 1: out of reach; its node ends it by itself",
  );
  assert.equal(
    aftermathWords([{ rank: zero, kill: LOST }, { rank: one, kill: CLEAR }], { first: zero }),
    "the other rank was ended: 0 survivors (processes); " +
      "rank 0: out of reach; its node ends it by itself",
  );
  assert.equal(
    aftermathWords([{ rank: zero, kill: LOST }], { first: zero }),
    "rank 0 was ended: out of reach; its node ends it by itself",
  );
});
