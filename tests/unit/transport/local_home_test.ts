import assert from "node:assert/strict";
import { localHome } from "../../../src/transport/local_home.ts";
import { tempDir } from "../../support/temp_dir.ts";

Deno.test("localHome() is $HOME, else the account's, else where Grid was started", () => {
  using dir = tempDir();
  const home = { cwd: dir.path, env: { HOME: dir.path } };
  assert.deepEqual(localHome(dir.path, "/root"), home);
  assert.deepEqual(localHome("", dir.path), home);
  const here = Deno.cwd();
  assert.deepEqual(localHome("", ""), { cwd: here, env: { HOME: here } });
});

Deno.test("localHome() starts where Grid was started if the home is missing", () => {
  assert.deepEqual(localHome("/gone/home", "/root"), {
    cwd: Deno.cwd(),
    env: { HOME: "/gone/home" },
  });
});
