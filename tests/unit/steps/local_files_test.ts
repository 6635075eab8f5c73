import assert from "node:assert/strict";
import { join } from "node:path";
import { createLocalFiles } from "../../../src/steps/local_files.ts";
import { project } from "../../support/cli.ts";

Deno.test("LocalFiles.unmatched() names the patterns that match no file", () => {
  using home = project({ "data/a.csv": "1", "empty/sub/x": "" });
  const { unmatched } = createLocalFiles(home.path);
  const patterns = ["data/*.csv", "dta/*.csv", "data/a.csv", "**/*.csv", "empty/*"];
  assert.deepEqual(unmatched(patterns), ["dta/*.csv", "empty/*"], "a folder is no file");
});

Deno.test("LocalFiles.lost() says what is missing of what a fetch brought", () => {
  using home = project({ "out/m.pt": "1234567", "out/sub/log": "abc" });
  const { lost } = createLocalFiles(home.path);
  const fetched = { folder: join(home.path, "out"), files: ["m.pt", "sub/log"], bytes: 10 };
  assert.equal(lost(fetched), undefined);
  Deno.writeTextFileSync(join(home.path, "out/sub/log"), "abcd");
  assert.equal(lost(fetched), 'what it brought to "out" is not as it was');
  Deno.removeSync(join(home.path, "out/m.pt"));
  assert.equal(lost(fetched), '"out/m.pt", which it brought, is gone');
});
