/** A large file that `grid run "command"` reads is given to the command by other programs, byte for byte. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { quote, quoteAll } from "../../src/core/shell.ts";
import { killIfThere, programArgs, project, until } from "../support/cli.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault_proxy.ts";
import { knownHostsLine, startOpenSsh } from "../support/openssh.ts";
import { processesWith } from "../support/processes.ts";
import { testWith } from "../support/requires.ts";

/** Neither little, nor a whole number of MiB. */
const BYTES = randomBytes(40 * 2 ** 20 + 12_345);

/** Comes first on the client's PATH: notes what it is asked for, and may fail in the midst of it. */
const COPIER = `#!/bin/sh
echo "$*" >>"$COPIED"
[ -z "$COPIER_FAILS" ] || { /bin/dd bs=1048576 count=7 2>/dev/null; exit 1; }
exec /bin/dd "$@"
`;

interface Rig extends AsyncDisposable {
  readonly path: string;
  readonly root: string;
  readonly link: FaultProxy;
  readonly acceptedLogins: () => number;
  /** A line of a user's shell that reads the file, and in which `grid` is the program. */
  start(line: string, env?: Readonly<Record<string, string>>): Deno.ChildProcess;
  /** What the copier was asked for, a line each. */
  copied(): readonly string[];
}

async function openRig(transport: string): Promise<Rig> {
  const lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  const [node] = lab.nodes;
  assert.ok(node);
  const link = await startFaultProxy(node);
  Deno.writeTextFileSync(lab.knownHosts, knownHostsLine(link, node.hostKeyFile));
  const folder = project({
    "bin/dd": COPIER,
    "copied": "",
    "config/cluster_config.yaml": "nodes:\n" +
      `  - { name: n1, host: ${link.host}, port: ${link.port}, user: ${node.endpoint.user}, ` +
      `key_file: ${lab.keyFile}, known_hosts: ${lab.knownHosts}, transport: ${transport}, ` +
      `remote_root: ${node.root} }\n`,
  });
  const { path } = folder;
  Deno.chmodSync(join(path, "bin/dd"), 0o755);
  Deno.writeFileSync(join(path, "input"), BYTES);
  const program = quoteAll([Deno.execPath(), ...programArgs([])]);
  return {
    path,
    root: node.root,
    link,
    acceptedLogins: () => node.acceptedLogins(),
    start: (line, env = {}) =>
      new Deno.Command("bash", {
        args: ["-c", `exec <${quote(join(path, "input"))}\n${line.replace("grid", program)}`],
        cwd: path,
        env: {
          NO_COLOR: "1",
          COPIED: join(path, "copied"),
          PATH: `${path}/bin:${Deno.env.get("PATH")}`,
          ...env,
        },
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn(),
    copied: () => Deno.readTextFileSync(join(path, "copied")).split("\n").slice(0, -1),
    async [Symbol.asyncDispose]() {
      await link[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
      await lab[Symbol.asyncDispose]();
    },
  };
}

async function endOf(child: Deno.ChildProcess) {
  const timer = setTimeout(() => killIfThere(child), 120_000);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  return { code, words: new TextDecoder().decode(stdout).split(/\s+/), stderr };
}

function sum(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

for (const [transport, logins] of [["ssh", 2], ["openssh", 1]] as const) {
  testWith(
    ["sshd", "bash"],
    `${transport}: a large file is passed on, from where it was read`,
    async () => {
      await using rig = await openRig(transport);
      const { code, words } = await endOf(
        rig.start('head -c 5 >/dev/null; grid run --quiet "sha256sum; wc -c"; wc -c'),
      );
      assert.equal(code, 0);
      assert.deepEqual(words, [sum(BYTES.subarray(5)), "-", "0", "0", ""]);
      assert.deepEqual(rig.copied(), ["bs=1048576 count=40"]);
      assert.equal(rig.acceptedLogins(), logins);
    },
  );

  testWith(
    ["sshd", "bash"],
    `${transport}: a link that is cut in the midst loses nothing`,
    async () => {
      await using rig = await openRig(transport);
      const program = `head -c 9000000 >part; : >half; until [ -e go ]; do sleep 0.1; done; ` +
        "cat part - | sha256sum";
      const running = rig.start(`grid run --quiet ${quote(program)}; wc -c`);
      const ended = endOf(running);
      await until(() => existsSync(join(rig.root, "half")));
      rig.link.set({ kind: "reset", afterBytes: 0 });
      await new Promise((resolve) => setTimeout(resolve, 300));
      rig.link.set({ kind: "none" });
      Deno.writeTextFileSync(join(rig.root, "go"), "");
      const { code, words } = await ended;
      assert.equal(code, 0);
      assert.equal(words[0], sum(BYTES));
      assert.equal(rig.copied().length, 1);
    },
  );
}

testWith(["sshd", "bash"], "where the copier fails in the midst, Grid reads the rest", async () => {
  await using rig = await openRig("openssh");
  const { code, words } = await endOf(
    rig.start("grid run --quiet sha256sum", { COPIER_FAILS: "1" }),
  );
  assert.equal(code, 0);
  assert.equal(words[0], sum(BYTES));
  assert.equal(rig.copied().length, 1);
});

testWith(
  ["sshd", "bash"],
  "a command that reads nothing ends, and may be interrupted",
  async () => {
    // No second login, which may come too late for a copier.
    await using rig = await openRig("openssh");
    const ends = await endOf(rig.start("grid run --exit-code step 'sleep 1; exit 7'"));
    assert.equal(ends.code, 7);
    const before = rig.copied().length;
    const running = rig.start("exec grid run 'sleep 600'");
    const ended = endOf(running);
    await until(() => rig.copied().length > before);
    running.kill("SIGINT");
    assert.equal((await ended).code, 130);
    assert.deepEqual(processesWith(`COPIED=${join(rig.path, "copied")}`), []);
  },
);
