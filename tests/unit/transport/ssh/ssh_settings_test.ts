import assert from "node:assert/strict";
import { readSshFiles } from "../../../../src/transport/ssh/ssh_settings.ts";
import { settingsOf } from "../../../../src/transport/ssh/ssh_words.ts";
import { tempDir } from "../../../support/temp_dir.ts";

const ASKED = { alias: "gpu1", user: undefined, port: undefined };

Deno.test("readSshFiles() reads the files where there is no ssh, and never runs Match exec", async () => {
  using dir = tempDir();
  const [config, proof] = [`${dir.path}/config`, `${dir.path}/proof`];
  Deno.writeTextFileSync(
    config,
    `Match exec "touch ${proof}"\n  User evil\nHost gpu1\n  HostName 10.0.0.7\n  Port 2222\n` +
      "  IdentityFile ~/.ssh/fleet\n",
  );
  const settings = settingsOf(
    await readSshFiles(ASKED, {
      roots: [config, `${dir.path}/missing`],
      home: dir.path,
      env: {},
    }),
  );
  assert.deepEqual([settings.hostName, settings.port, settings.user], [
    "10.0.0.7",
    2222,
    undefined,
  ]);
  assert.deepEqual(settings.identityFiles, [`${dir.path}/.ssh/fleet`]);
  assert.throws(() => Deno.statSync(proof), Deno.errors.NotFound);
});

Deno.test("readSshFiles() knows Include, and Match for the user that is asked for", async () => {
  using dir = tempDir();
  const config = `${dir.path}/config`;
  Deno.writeTextFileSync(config, "Include conf.d/*\nMatch user trainer\n  Port 2222\n");
  Deno.mkdirSync(`${dir.path}/conf.d`);
  Deno.writeTextFileSync(`${dir.path}/conf.d/fleet`, "Host gpu1\n  HostName 10.0.0.7\n");
  const read = async (user: string | undefined) => {
    const text = await readSshFiles({ ...ASKED, user }, {
      roots: [config],
      home: dir.path,
      env: {},
    });
    const { hostName, port } = settingsOf(text);
    return [hostName, port];
  };
  assert.deepEqual(await read("trainer"), ["10.0.0.7", 2222]);
  assert.deepEqual(await read("other"), ["10.0.0.7", undefined]);
});
