import assert from "node:assert/strict";
import { join } from "node:path";
import { readSecrets } from "../../../src/steps/secrets.ts";
import { tempDir } from "../../support/temp_dir.ts";

const signal = new AbortController().signal;

Deno.test("readSecrets() takes values from the environment, files and commands", async () => {
  using folder = tempDir();
  Deno.writeTextFileSync(join(folder.path, "token"), "from-file\n");
  const values = await readSecrets([
    { name: "A", from: "env", variable: "A_TOKEN" },
    { name: "B", from: "file", path: "token" },
    { name: "C", from: "command", run: ["printf", "from-command\n"] },
  ], { env: { A_TOKEN: "from-env" }, project: folder.path, signal });
  assert.deepEqual(values, { A: "from-env", B: "from-file", C: "from-command" });
});

Deno.test("readSecrets() names the variable that is not set", async () => {
  await assert.rejects(
    readSecrets([{ name: "HF_TOKEN", from: "env", variable: "HF_TOKEN" }], {
      env: {},
      project: "/",
      signal,
    }),
    { code: "input-invalid", message: /"HF_TOKEN".*HF_TOKEN is not set/ },
  );
});

Deno.test("readSecrets() names the file that cannot be read", async () => {
  await assert.rejects(
    readSecrets([{ name: "KEY", from: "file", path: "missing" }], {
      env: {},
      project: "/nowhere",
      signal,
    }),
    { code: "input-invalid", message: /"KEY".*"\/nowhere\/missing" cannot be read/ },
  );
});

Deno.test("readSecrets() says how a command failed, without what it printed", async () => {
  using folder = tempDir();
  await assert.rejects(
    readSecrets([{ name: "KEY", from: "command", run: ["sh", "-c", "echo leak; exit 7"] }], {
      env: {},
      project: folder.path,
      signal,
    }),
    (error: Error) => /"sh" exited with 7/.test(error.message) && !/leak/.test(error.message),
  );
});

Deno.test("readSecrets() says that a command cannot be started", async () => {
  using folder = tempDir();
  await assert.rejects(
    readSecrets([{ name: "KEY", from: "command", run: ["grid-no-such-program"] }], {
      env: {},
      project: folder.path,
      signal,
    }),
    { code: "input-invalid", message: /cannot be started/ },
  );
});
