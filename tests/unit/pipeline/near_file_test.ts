import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { hintForMissing } from "../../../src/pipeline/near_file.ts";
import { tempDir } from "../../support/temp_dir.ts";

Deno.test("a pipeline file that is not there: the one that was meant, or those that are", () => {
  using folder = tempDir();
  const at = (name: string) => join(folder.path, name);
  assert.equal(hintForMissing(at("no/such.yaml"), folder.path).startsWith("did you mean"), false);
  Deno.mkdirSync(at("pipelines"));
  Deno.mkdirSync(at("empty"));
  Deno.writeTextFileSync(at("pipelines/hello.yaml"), "");
  Deno.writeTextFileSync(at("pipelines/notes.txt"), "");
  Deno.mkdirSync(at("pipelines/folder.yaml"));
  const meant = `did you mean ${at("pipelines/hello.yaml")}?`;
  for (const slip of ["pipelines/helo.yaml", "hello.yaml", "pipelines/hello.yml", "Hello.yaml"]) {
    assert.equal(hintForMissing(at(slip), folder.path), meant, slip);
  }
  assert.equal(
    hintForMissing(at("other.yaml"), folder.path),
    `there are: ${at("pipelines/hello.yaml")}`,
  );
  for (let n = 1; n < 8; n++) Deno.writeTextFileSync(at(`pipelines/z${n}.yaml`), "");
  assert.match(
    hintForMissing(at("unlike-any.yaml"), folder.path),
    /hello\.yaml, .*z4\.yaml, and 3 more$/,
  );
  const below = relative(Deno.cwd(), at("pipelines/hello.yaml"));
  assert.equal(hintForMissing("pipelines/helo.yaml", folder.path), `did you mean ${below}?`);
});
