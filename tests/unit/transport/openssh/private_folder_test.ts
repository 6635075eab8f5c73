import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { makePrivateFolder } from "../../../../src/transport/openssh/private_folder.ts";
import { tempDir } from "../../../support/temp_dir.ts";

Deno.test("makePrivateFolder() is for its owner alone, and gone when it is disposed", () => {
  let path = "";
  {
    using folder = makePrivateFolder();
    path = folder.path;
    assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o700);
    assert.ok(path.length < 80, path);
  }
  assert.equal(existsSync(path), false);
});

Deno.test("makePrivateFolder() leaves a temporary folder that is too long, or that ssh would misread", () => {
  using dir = tempDir();
  const before = Deno.env.get("TMPDIR");
  try {
    for (const name of ["long".repeat(20), "a b", "%h"]) {
      const temporary = `${dir.path}/${name}`;
      Deno.mkdirSync(temporary);
      Deno.env.set("TMPDIR", temporary);
      using folder = makePrivateFolder();
      assert.match(folder.path, /^\/tmp\/grid-ssh-\w+$/);
      assert.deepEqual([...Deno.readDirSync(temporary)], []);
    }
  } finally {
    if (before === undefined) Deno.env.delete("TMPDIR");
    else Deno.env.set("TMPDIR", before);
  }
});
