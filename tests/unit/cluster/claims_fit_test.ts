import assert from "node:assert/strict";
import { join } from "node:path";
import { claimsProblem } from "../../../src/cluster/claims_fit.ts";
import { choose } from "../../../src/cluster/node_choice.ts";
import { programs, SHELLS } from "../../support/claims.ts";
import { findAccount, testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { facts, gpu, health, node, selector } from "./nodes.ts";

/** What an account is told of the folder in `GRID_LEASE_DIR`, in each shell; all say the same. */
async function unfit(base: string, account?: string): Promise<string> {
  const script = `${programs("claims.sh", "claims_fit.sh")}\ngrid_claims_unfit @`;
  const said = await Promise.all(SHELLS.map(async (shell) => {
    const words = [...shell, "-c", script];
    const all = account === undefined
      ? words
      : ["setpriv", `--reuid=${account}`, "--regid=65534", "--clear-groups", ...words];
    const [program = "sh", ...args] = all;
    const { stdout, stderr } = await new Deno.Command(program, {
      args,
      cwd: "/",
      env: { GRID_LEASE_DIR: base },
    }).output();
    const decoder = new TextDecoder();
    assert.equal(decoder.decode(stderr), "", shell.join(" "));
    return decoder.decode(stdout);
  }));
  assert.equal(new Set(said).size, 1, said.join());
  return said[0] ?? "";
}

Deno.test("claims can be kept where the folder is there, or can be made; nothing is made", async () => {
  using folder = tempDir();
  assert.equal(await unfit(folder.path), "");
  assert.equal(await unfit(join(folder.path, "missing")), "");
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
  Deno.mkdirSync(join(folder.path, `grid-claims-${Deno.uid()}`));
  assert.equal(await unfit(folder.path), "");
});

Deno.test("what lies where the folder of claims belongs is named", async () => {
  using folder = tempDir();
  const own = join(folder.path, `grid-claims-${Deno.uid()}`);
  Deno.writeTextFileSync(own, "");
  assert.equal(await unfit(folder.path), `@ taken ${own}\n`);
  Deno.removeSync(own);
  Deno.symlinkSync("/tmp", own);
  assert.equal(await unfit(folder.path), `@ taken ${own}\n`);
  assert.equal(
    await unfit(join(folder.path, "no", "folder")),
    `@ missing ${folder.path}/no/folder\n`,
  );
});

testWith(
  ["root", "account", "unshare"],
  "an account that may not write is told where",
  async () => {
    const account = findAccount();
    assert.ok(account);
    const { name, uid } = account;
    using folder = tempDir();
    Deno.chmodSync(folder.path, 0o755);
    assert.equal(await unfit(folder.path, name), `@ base ${folder.path}\n`);
    assert.equal(await unfit(`${folder.path}/all`, name), `@ missing ${folder.path}/all\n`);
    const own = join(folder.path, `grid-claims-${uid}`);
    Deno.mkdirSync(own, { mode: 0o777 });
    assert.equal(await unfit(folder.path, name), `@ taken ${own}\n`);
    Deno.chownSync(own, uid, null);
    Deno.chmodSync(own, 0o500);
    assert.equal(await unfit(folder.path, name), `@ mode ${own}\n`);
    Deno.chmodSync(own, 0o755);
    assert.equal(await unfit(folder.path, name), "");
  },
);

Deno.test("each problem has words and the command that cures it", () => {
  const cures = {
    "taken /tmp/grid-claims-7": "sudo rm -r /tmp/grid-claims-7",
    "mode /tmp/grid-claims-7": "chmod 755 /tmp/grid-claims-7",
    "crowded /tmp/grid-claims-7": undefined,
    "base /tmp": "sudo chmod 1777 /tmp",
    "missing /srv/a b": "sudo mkdir -m 1777 '/srv/a b'",
    // Nothing that a node says makes us advise to remove anything else.
    "taken /home": undefined,
  };
  for (const [told, cure] of Object.entries(cures)) {
    assert.equal(claimsProblem(told)?.cure, cure, told);
    assert.match(
      claimsProblem(told)?.words ?? "",
      /^claims cannot be kept: .*\/|^\/.* holds more claims/,
    );
  }
  for (const told of [undefined, "", "well /tmp", "constructor /tmp", `base /${"x".repeat(300)}`]) {
    assert.equal(claimsProblem(told), undefined);
  }
});

Deno.test("a node that keeps no claims gets no work that wants a GPU, and other work as ever", () => {
  const problem = claimsProblem("base /tmp");
  const candidates = [{
    node: node("a"),
    health: health("a", { facts: facts({ gpus: [gpu(0)], claimsProblem: problem }) }),
    placed: undefined,
  }];
  const options = { weights: { cpuWeight: 1, gpuWeight: 3 }, avoid: [], random: () => 0 };
  const refused = choose(candidates, { ...options, selector: selector({ gpus: 1, waitMs: 1000 }) });
  assert.equal(refused.chosen, undefined);
  const [{ reason, hint, isFinal } = {}] = refused.passedOver;
  assert.equal(reason, "claims cannot be kept: this account may not write to /tmp");
  assert.equal(hint, "sudo chmod 1777 /tmp");
  assert.equal(isFinal, true, "waiting does not cure it");
  assert.equal(choose(candidates, { ...options, selector: selector() }).chosen?.node.name, "a");
});
