import assert from "node:assert/strict";
import { join } from "node:path";
import { fromRepository } from "../../../src/cli/repository_paths.ts";
import type { Diagnostic } from "../../../src/document/diagnostic.ts";
import { project } from "../../support/cli.ts";

const at = (file: string): Diagnostic => ({
  severity: "error",
  rule: "unknown-key",
  place: { file, line: 1, column: 1 },
  length: 1,
  sourceLine: "x",
  message: "unknown key",
  usedAt: [{ file: "user.yaml", line: 2, column: 1 }],
});

function pathsFrom(files: readonly string[], cwd: string, env = {}): readonly string[] {
  return fromRepository(files.map(at), { cwd, env }).map(({ place }) => place.file);
}

Deno.test("fromRepository() names files from the root of the repository, wherever Grid was called", () => {
  using folder = project({ ".git/HEAD": "", "deep/er/a.yaml": "" });
  const cwd = join(folder.path, "deep", "er");
  const files = ["a.yaml", "../b.yaml", join(folder.path, "c.yaml"), "/elsewhere/d.yaml"];
  assert.deepEqual(pathsFrom(files, cwd), [
    "deep/er/a.yaml",
    "deep/b.yaml",
    "c.yaml",
    "/elsewhere/d.yaml",
  ]);
  const [moved] = fromRepository([at("a.yaml")], { cwd, env: {} });
  assert.equal(moved?.usedAt?.[0]?.file, "deep/er/user.yaml");
});

Deno.test("fromRepository() takes the folder that a CI system checked out, if it lies around us", () => {
  using folder = project({ "sub/.git/HEAD": "" });
  const cwd = join(folder.path, "sub");
  assert.deepEqual(pathsFrom(["a.yaml"], cwd, { GITHUB_WORKSPACE: folder.path }), ["sub/a.yaml"]);
  assert.deepEqual(pathsFrom(["a.yaml"], cwd, { GITHUB_WORKSPACE: "/elsewhere" }), ["a.yaml"]);
});
