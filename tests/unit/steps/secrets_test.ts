import assert from "node:assert/strict";
import { join } from "node:path";
import { neededSecrets, readSecrets } from "../../../src/steps/secrets.ts";
import { pipeline, step } from "../../support/pipelines.ts";
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

Deno.test("readSecrets() refuses a mask that finds nothing to mask", async () => {
  const source = { name: "KEY", from: "env", variable: "KEY" } as const;
  const read = (mask: readonly string[], value: string) =>
    readSecrets([{ ...source, mask }], { env: { KEY: value }, project: "/", signal });
  const value = '{"token": "abc", "pins": [1234567890123456789], "none": null}';
  assert.deepEqual(await read([".token", ".pins[0]", ".pins"], value), { KEY: value });
  for (const path of [".tokn", ".none", ".pins[1]"]) {
    await assert.rejects(read([".token", path], value), {
      code: "input-invalid",
      message: `Cannot mask secret "KEY": it has no text at ${path}`,
    });
  }
  await assert.rejects(read([".token"], "plain"), {
    message: 'Cannot mask secret "KEY": it is no JSON',
  });
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

/** What it started keeps the pipe open after its own end. */
const HANGING = ["sh", "-c", "sleep 60; echo 'it''s'"];

Deno.test("readSecrets() gives up on a command that hangs, and shows how to run it by hand", async () => {
  using folder = tempDir();
  const source = { name: "KEY", from: "command", run: HANGING } as const;
  await assert.rejects(
    readSecrets([source], { env: {}, project: folder.path, signal, commandMs: 200 }),
    {
      code: "input-invalid",
      message: /secret "KEY": command "sh" gave no answer within 200ms/,
      hint: `run it by hand: sh -c 'sleep 60; echo '\\''it'\\'''\\''s'\\'''`,
    },
  );
});

Deno.test("readSecrets() ends a command that hangs as soon as it is told to stop", async () => {
  using folder = tempDir();
  const controller = new AbortController();
  const source = { name: "KEY", from: "command", run: HANGING } as const;
  const reading = readSecrets([source], {
    env: {},
    project: folder.path,
    signal: controller.signal,
  });
  const began = Date.now();
  setTimeout(() => controller.abort(new Error("told to stop")), 100);
  await assert.rejects(reading, /told to stop/);
  assert.ok(Date.now() - began < 5000);
});

Deno.test("readSecrets() reports one of several that cannot be read", async () => {
  await assert.rejects(
    readSecrets([
      { name: "A", from: "command", run: ["grid-no-such-program"] },
      { name: "B", from: "env", variable: "B" },
    ], { env: {}, project: "/", signal }),
    { code: "input-invalid" },
  );
});

Deno.test("neededSecrets() leaves out what no step to be run lists", () => {
  const secret = (name: string) => ({ name, from: "env", variable: name }) as const;
  const asked = pipeline([step("a", { secrets: ["A"] }), step("b", { secrets: ["B"] })], {
    secrets: ["A", "B", "H", "NOBODY"].map(secret),
    hooks: { success: [], failure: [step("h", { secrets: ["H"] })], exit: [] },
  });
  const names = (chosen?: ReadonlySet<string>) =>
    neededSecrets(asked, chosen).map(({ name }) => name);
  assert.deepEqual(names(), ["A", "B", "H"]);
  assert.deepEqual(names(new Set(["b"])), ["B", "H"]);
});
