import assert from "node:assert/strict";
import { join } from "node:path";
import { readSshSettings } from "../../../../src/transport/ssh/ssh_settings.ts";
import { settingsOf } from "../../../../src/transport/ssh/ssh_words.ts";
import { findProgram, testWith } from "../../../support/requires.ts";
import { tempDir } from "../../../support/temp_dir.ts";
import { writeProgram } from "../../../support/program_file.ts";

const HOSTS = ["gpu1", "gpu2", "cpu1", "GPU1", "10.0.0.1", "alone", "fd00::1"];

interface Case {
  readonly config: string;
  readonly files?: Readonly<Record<string, string>>;
  /** How often ssh is asked about all of `HOSTS`. */
  readonly asked: number;
}

/** `GPU1` is always asked about by itself. */
const CASES: Readonly<Record<string, Case>> = {
  "nothing at all": { config: "", asked: 2 },
  "what counts for all": {
    config: "User ml\nIdentityFile ~/.ssh/%h\nHost *\n  Port 2222\n",
    asked: 2,
  },
  "a pattern": { config: "Host gpu* !gpu2\n  ProxyJump bastion\n", asked: 3 },
  "names of their own": {
    config: "Host gpu1\n  HostName 10.0.0.7\nHost gpu2\n  HostName 10.0.0.8\n  HostName other\n" +
      "Host gpu*\n  User ml\n",
    asked: 4,
  },
  "a connection of people's own": {
    config: "Host gpu* cpu1\n  ControlPath ~/.ssh/%C-%r@%h:%p-%n\n  User ml\n",
    asked: 3,
  },
  "a file that is included first": {
    config: "Include DIR/more\nPort 22\n",
    files: { more: "Host gpu*\n  Port 2222\n" },
    asked: 3,
  },
  "a file that is included for some": {
    config: "Host gpu*\n  Include DIR/more\nHost *\n  Port 23\n",
    files: { more: "Host gpu1\n  Port 2222\n" },
    asked: HOSTS.length,
  },
  "Match": { config: "Match user root host gpu1\n  Port 2222\n", asked: HOSTS.length },
  "a name made of the host's": { config: "Host gpu*\n  HostName %h.lab\n", asked: 4 },
  "another file for each": { config: "UserKnownHostsFile ~/.ssh/%h\n", asked: HOSTS.length },
  "a comment behind a value": { config: "Host gpu1 # cpu1\n  Port 2222\n", asked: HOSTS.length },
};

for (const [name, { config, files = {}, asked }] of Object.entries(CASES)) {
  testWith(
    ["sshd"],
    `readSshSettings() asks ssh once for hosts that are alike: ${name}`,
    async () => {
      using dir = tempDir();
      const ssh = findProgram("ssh") ?? "ssh";
      const at = (file: string) => join(dir.path, file);
      const filled = (text: string) => text.replaceAll("DIR", dir.path);
      for (const [file, text] of Object.entries({ config, ...files })) {
        Deno.writeTextFileSync(at(file), filled(text), { mode: 0o600 });
      }
      writeProgram(
        at("ssh"),
        `#!/bin/sh\necho asked >>${at("count")}\nexec ${ssh} "$@"\n`,
      );
      const env = { ...Deno.env.toObject(), PATH: `${dir.path}:${Deno.env.get("PATH")}` };
      const sshConfig = at("config");
      const read = (alias: string) =>
        readSshSettings({ alias, user: undefined, port: undefined }, { env, sshConfig });
      const found = await Promise.all(HOSTS.map(read));
      const count = Deno.readTextFileSync(at("count")).trim().split("\n").length;
      for (const [index, host] of HOSTS.entries()) {
        const { stdout } = await new Deno.Command(ssh, { args: ["-G", "-F", sshConfig, host] })
          .output();
        assert.deepEqual(found[index], settingsOf(new TextDecoder().decode(stdout)), host);
      }
      assert.equal(count, asked);
    },
  );
}

testWith(
  ["sshd"],
  "readSshSettings() names the host that was asked about, and asks again",
  async () => {
    using dir = tempDir();
    const sshConfig = join(dir.path, "config");
    const read = (alias: string) =>
      readSshSettings({ alias, user: undefined, port: undefined }, { env: {}, sshConfig });
    Deno.writeTextFileSync(sshConfig, "Port many\n");
    const problems = await Promise.allSettled(["gpu1", "gpu2"].map(read));
    for (const [index, result] of problems.entries()) {
      assert.match(
        String(Reflect.get(result, "reason")),
        new RegExp(`of "gpu${index + 1}".*many`, "s"),
      );
    }
    Deno.writeTextFileSync(sshConfig, "Port 2222\n");
    assert.equal((await read("gpu2")).port, 2222);
  },
);
