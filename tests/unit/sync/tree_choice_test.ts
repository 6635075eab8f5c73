import assert from "node:assert/strict";
import { parseAnswer, placeOfTree } from "../../../src/sync/tree_choice.ts";

const DIGEST = "a".repeat(64);
const WHO = '{"account":"ann","machine":"desk","folder":"/app","run":"r1","at":1}';

Deno.test("parseAnswer() reads the tree, its owner, who is in the way, and whose the plain folder is", () => {
  const answer = parseAnswer(
    `noise\ntree beside 2 ${DIGEST} same 11111111\n${WHO}\nheld r1\n${WHO}\nheld r2\n-\nplain 22222222\n${WHO}\n`,
  );
  assert.equal(answer?.verb, "beside");
  assert.equal(answer?.slot, 2);
  assert.equal(answer?.digest, DIGEST);
  assert.equal(answer?.isAsLeft, true);
  assert.equal(answer?.owner?.account, "ann");
  assert.deepEqual(answer?.holders.map(({ run, owner }) => [run, owner?.run]), [
    ["r1", "r1"],
    ["r2", undefined],
  ]);
  assert.equal(answer?.plain?.project, "22222222");
});

Deno.test("parseAnswer() takes nothing that makes no sense for a tree", () => {
  assert.equal(parseAnswer(""), undefined);
  assert.equal(parseAnswer("tree\n"), undefined);
  assert.equal(parseAnswer(`tree taken ../../x ${DIGEST} same -\n-\n`), undefined);
  assert.equal(parseAnswer("tree taken 0 ../x same -\n-\n")?.digest, undefined);
});

Deno.test("placeOfTree() is the plain folder, the project's own, or one beside it", () => {
  const target = { node: "n1", root: "/w", transport: undefined as never };
  const owner = { account: "", machine: "", folder: "", run: "", at: 0 };
  const run = { project: "11111111", owner, lineage: [], forerunners: [], silenceMs: 1 };
  const folders = [0, 1, 2].map((slot) => placeOfTree({ target, as: "par/app", run }, slot).folder);
  assert.deepEqual(folders, ["/w/par/app", "/w/par/app@11111111", "/w/par/app@11111111.2"]);
});
