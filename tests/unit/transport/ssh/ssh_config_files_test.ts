import assert from "node:assert/strict";
import { configFiles, stampOf } from "../../../../src/transport/ssh/ssh_config_files.ts";
import { readSshSettings } from "../../../../src/transport/ssh/ssh_settings.ts";
import { testWith } from "../../../support/requires.ts";
import { tempDir } from "../../../support/temp_dir.ts";

Deno.test("configFiles() follows Include through globs, nesting, quotes and circles", () => {
  using dir = tempDir();
  const home = dir.path;
  const write = (name: string, text: string) => Deno.writeTextFileSync(`${home}/${name}`, text);
  Deno.mkdirSync(`${home}/.ssh/conf.d/team a`, { recursive: true });
  write(".ssh/config", `Include conf.d/*.conf "~/.ssh/with blank" \${EXTRA}/extra\n`);
  write(".ssh/conf.d/one.conf", "Host a\n  INCLUDE=conf.d/*/deep\n");
  write(".ssh/conf.d/two.conf", "# Include commented\nInclude config\n");
  write(".ssh/conf.d/team a/deep", "Host b\n");
  const files = configFiles([`${home}/.ssh/config`], { home, env: { EXTRA: "/opt" } });
  assert.deepEqual(
    files.map((file) => file.replace(`${home}/.ssh/`, "")).sort(),
    [
      "/opt/extra",
      "conf.d",
      "conf.d/one.conf",
      "conf.d/team a",
      "conf.d/team a/deep",
      "conf.d/two.conf",
      "config",
      "with blank",
    ].sort(),
  );
});

Deno.test("configFiles() reads the system's relative names in /etc/ssh", () => {
  using dir = tempDir();
  const [system] = configFiles(["/etc/ssh/ssh_config"], { home: dir.path, env: {} });
  assert.equal(system, "/etc/ssh/ssh_config");
});

Deno.test("stampOf() changes with a file's content, and when it comes and goes", () => {
  using dir = tempDir();
  const path = `${dir.path}/file`;
  const stamps = [stampOf([path])];
  Deno.writeTextFileSync(path, "a");
  stamps.push(stampOf([path]));
  Deno.writeTextFileSync(path, "ab");
  stamps.push(stampOf([path]));
  assert.equal(new Set(stamps).size, 3);
  Deno.removeSync(path);
  assert.equal(stampOf([path]), stamps[0]);
});

testWith(["sshd"], "readSshSettings() sees changes in files that Include brings in", async () => {
  using dir = tempDir();
  const sshConfig = `${dir.path}/config`;
  const read = async () =>
    (await readSshSettings({ alias: "gpu1", user: undefined, port: undefined }, {
      env: { HOME: dir.path },
      sshConfig,
    })).hostName;
  Deno.writeTextFileSync(sshConfig, `Include ${dir.path}/conf.d/*\n`);
  assert.equal(await read(), "gpu1");
  Deno.mkdirSync(`${dir.path}/conf.d`);
  const included = `${dir.path}/conf.d/fleet`;
  Deno.writeTextFileSync(included, `Host gpu1\n  HostName 10.0.0.7\n`);
  assert.equal(await read(), "10.0.0.7", "a file that came, with its folder");
  Deno.writeTextFileSync(included, `Include ${dir.path}/nested\n`);
  assert.equal(await read(), "gpu1", "a file that changed");
  Deno.writeTextFileSync(`${dir.path}/nested`, `Host gpu1\n  HostName 10.0.0.88\n`);
  assert.equal(await read(), "10.0.0.88", "a file that was named before it was there");
});
