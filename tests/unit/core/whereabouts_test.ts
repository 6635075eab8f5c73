import assert from "node:assert/strict";
import { beat, closeBoard, during, openBoard, readBoard } from "../../../src/core/whereabouts.ts";

Deno.test("during() says what is at work, and what was before it once it is over", () => {
  const shared = openBoard();
  assert.deepEqual(readBoard(shared), { beats: 0, word: "" });
  beat();
  const result = during(() => "outer", () => {
    assert.deepEqual(readBoard(shared), { beats: 1, word: "outer" });
    assert.throws(() =>
      during(() => "inner", () => {
        assert.equal(readBoard(shared).word, "inner");
        throw new Error("no");
      })
    );
    assert.equal(readBoard(shared).word, "outer");
    return 7;
  });
  assert.equal(result, 7);
  assert.equal(readBoard(shared).word, "");
  during(() => "ü".repeat(400), () => assert.match(readBoard(shared).word, /^ü{252}$/));
  closeBoard();
  during(() => assert.fail("nobody reads it"), () => {});
});
