import assert from "node:assert/strict";
import { join } from "node:path";
import { drainNode, drainsIn, drainWords } from "../../../src/cluster/drain.ts";
import { parseProbe, probeCommand } from "../../../src/cluster/probe.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { findAccount, findProgram, testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** A node whose shell is this one, with its notes in a folder of the test's own. */
function transportOf(folder: string, shell: readonly string[]): Transport {
  const run = async (command: string) => {
    const [program = "sh", ...args] = shell;
    const output = await new Deno.Command(program, {
      args: [...args, "-c", command],
      env: { GRID_DRAIN_DIR: folder },
      stdout: "piped",
      stderr: "piped",
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    const { code, stdout, stderr } = output;
    return { code, stdout: text(stdout), stderr: text(stderr), cut: false };
  };
  return { exec: run } as unknown as Transport;
}

async function probed(folder: string, shell: readonly string[]) {
  const command = probeCommand({ root: folder, gpuSeconds: 1 });
  return parseProbe((await transportOf(folder, shell).exec(command)).stdout)?.drains ?? [];
}

const SHELLS = [["sh"], ["bash"], ["dash"], ["busybox", "sh"]]
  .filter(([program]) => findProgram(program ?? ""));

for (const shell of SHELLS) {
  Deno.test(`drain: a note is there for the probe until it is taken back (${shell.join(" ")})`, async () => {
    using folder = tempDir();
    const transport = transportOf(folder.path, shell);
    assert.deepEqual(await probed(folder.path, shell), []);
    const reason = "new power; \"supply\" $(id) 'x' \\n ü";
    const [made, ...others] = await drainNode("n", { transport, reason, forMs: 3_600_000 });
    assert.deepEqual(others, []);
    assert.equal(made?.reason, reason);
    assert.equal((made?.untilAt ?? 0) - (made?.sinceAt ?? 0), 3_600_000);
    assert.deepEqual(await probed(folder.path, shell), [made]);
    const [endless] = await drainNode("n", { transport, reason: "" });
    assert.equal(endless?.untilAt, undefined);
    assert.equal((await probed(folder.path, shell)).length, 1);
    assert.deepEqual(await drainNode("n", { transport, reason: undefined }), []);
    assert.deepEqual(await probed(folder.path, shell), []);
    assert.deepEqual([...Deno.readDirSync(folder.path)], []);
  });
}

Deno.test("drain: a note whose time is over, and one of another form, drain nothing", async () => {
  using folder = tempDir();
  const uid = Deno.uid();
  const note = join(folder.path, `grid-drain.${uid}`);
  for (const text of ["100 200\nold\n", "x -\nno date\n", "1 soon\nno end\n", "1 -\n", ""]) {
    Deno.writeTextFileSync(note, text);
    assert.deepEqual(await probed(folder.path, ["sh"]), [], text);
  }
  Deno.writeTextFileSync(note, `1 -\n${"x".repeat(2000)}\n`);
  assert.deepEqual(await probed(folder.path, ["sh"]), [], "longer than ours");
  Deno.removeSync(note);
  Deno.writeTextFileSync(join(folder.path, "elsewhere"), "1 -\nby a link\n");
  Deno.symlinkSync("elsewhere", note);
  assert.deepEqual(await probed(folder.path, ["sh"]), [], "a link");
  const transport = transportOf(folder.path, ["sh"]);
  await assert.rejects(drainNode("n", { transport, reason: "mine" }), /stands in the way/);
  assert.equal(Deno.readTextFileSync(join(folder.path, "elsewhere")), "1 -\nby a link\n");
});

Deno.test("drain: since when and until when is told by this machine's clock, whatever the node's", () => {
  const at = 1_800_000_000_000;
  const lines = (nodeNow: number) => [
    `@drain ada ${nodeNow - 60} ${nodeNow + 3600} power`,
    "@drain-now " + nodeNow,
  ];
  for (const hours of [-48, 0, 48]) {
    const [drain] = drainsIn(lines(at / 1000 + hours * 3600), at);
    assert.deepEqual([drain?.sinceAt, drain?.untilAt], [at - 60_000, at + 3_600_000], `${hours} h`);
  }
  const [drain] = drainsIn(lines(at / 1000 - 3), at);
  assert.equal(drain?.sinceAt, at - 63_000, "three seconds are no wrong clock");
});

testWith(
  ["account"],
  "drain: nobody drains in another's name, everybody sees the note",
  async () => {
    using folder = tempDir();
    Deno.chmodSync(folder.path, 0o1777);
    const account = findAccount();
    assert.ok(account);
    const own = join(folder.path, `grid-drain.${account.uid}`);
    Deno.writeTextFileSync(own, "1 -\nnot written by that account\n");
    assert.deepEqual(await probed(folder.path, ["sh"]), []);
    Deno.writeTextFileSync(own, "1 -\nits own\n");
    Deno.chownSync(own, account.uid, account.gid);
    const [drain] = await probed(folder.path, ["sh"]);
    assert.equal(drain?.account, account.name);
    assert.equal(drain?.reason, "its own");
    const transport = transportOf(folder.path, [
      "setpriv",
      `--reuid=${account.uid}`,
      `--regid=${account.gid}`,
      "--clear-groups",
      "sh",
    ]);
    await drainNode("n", { transport: transportOf(folder.path, ["sh"]), reason: "root's" });
    const left = await drainNode("n", { transport, reason: undefined });
    assert.deepEqual(left.map(({ account }) => account), ["root"]);
  },
);

Deno.test("drain: a node that cannot be written to says so", async () => {
  const transport = transportOf("/proc", ["sh"]);
  await assert.rejects(
    drainNode("n", { transport, reason: "x" }),
    /Cannot drain "n": (this account may not write to \/proc|cannot write to \/proc)/,
  );
});

Deno.test("drainWords() says who, until when and why", () => {
  const drain = { account: "ada", sinceAt: 0, untilAt: undefined, reason: "" };
  assert.equal(drainWords(drain), "drained by ada");
  const at = new Date(2026, 10, 9, 8, 5).getTime();
  assert.equal(
    drainWords({ ...drain, untilAt: at, reason: "new disk" }),
    "drained by ada until 2026-11-09 08:05: new disk",
  );
  assert.deepEqual(drainsIn(["@drain x; 1 - y", "@drain a b c"]), []);
});
