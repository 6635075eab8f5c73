import assert from "node:assert/strict";
import {
  besideInGit,
  formatGitReference,
  parseGitReference,
} from "../../../../src/pipeline/template/git_reference.ts";

Deno.test("parseGitReference() takes address, file and ref apart, and back", () => {
  const text = "git+ssh://git@host:2222/team/templates.git//eval/score.yaml@v1.2";
  const reference = parseGitReference(text);
  assert.deepEqual(reference, {
    url: "ssh://git@host:2222/team/templates.git",
    path: "eval/score.yaml",
    ref: "v1.2",
  });
  assert.equal(reference && formatGitReference(reference), text);
});

for (
  const text of [
    "git+ssh://host/repo.git//x.yaml", // no ref
    "git+ssh://host/repo.git@v1", // no file
    "git+ftp://host/repo.git//x.yaml@v1",
    "git+ext::sh -c id//x.yaml@v1",
    "git+file:///repo//x.yaml@--upload-pack=id",
    "git+file:///repo//../../etc/passwd@v1",
  ]
) {
  Deno.test(`parseGitReference() refuses ${text}`, () => {
    assert.equal(parseGitReference(text), undefined);
  });
}

Deno.test("besideInGit() stays in the repository and at the ref", () => {
  const from = { url: "file:///r", path: "a/b.yaml", ref: "main" };
  assert.deepEqual(besideInGit(from, "../c.yaml"), { ...from, path: "c.yaml" });
  assert.equal(besideInGit(from, "../../c.yaml"), undefined);
});
