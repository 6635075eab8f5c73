import assert from "node:assert/strict";
import { readSshFiles, settingsOf } from "../../../../src/transport/ssh/ssh_settings.ts";
import { tempDir } from "../../../support/temp_dir.ts";

Deno.test("settingsOf() reads repeated keywords, quoted paths and `none`", () => {
  const settings = settingsOf([
    "hostname 10.0.0.7",
    "identityfile ~/.ssh/a",
    "identityfile ~/.ssh/b",
    'userknownhostsfile "/with blank/known" /other',
    "proxyjump none",
    "proxycommand none",
  ].join("\n"));
  assert.deepEqual(settings.identityFiles, ["~/.ssh/a", "~/.ssh/b"]);
  assert.deepEqual(settings.userKnownHostsFiles, ["/with blank/known", "/other"]);
  assert.deepEqual([settings.proxyJump, settings.proxyCommand], [undefined, undefined]);
});

Deno.test("readSshFiles() reads the files where there is no ssh, and never runs Match exec", async () => {
  using dir = tempDir();
  const [config, proof] = [`${dir.path}/config`, `${dir.path}/proof`];
  Deno.writeTextFileSync(
    config,
    `Match exec "touch ${proof}"\n  User evil\nHost gpu1\n  HostName 10.0.0.7\n  Port 2222\n` +
      "  IdentityFile ~/.ssh/fleet\n",
  );
  const settings = settingsOf(await readSshFiles("gpu1", [config, `${dir.path}/missing`]));
  assert.deepEqual([settings.hostName, settings.port, settings.user], [
    "10.0.0.7",
    2222,
    undefined,
  ]);
  assert.deepEqual(settings.identityFiles, ["~/.ssh/fleet"]);
  assert.throws(() => Deno.statSync(proof), Deno.errors.NotFound);
});
