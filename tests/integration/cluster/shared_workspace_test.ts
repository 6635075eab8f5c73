/** Workspaces that others may write to: what they planted is refused by name; several accounts work side by side. */
import assert from "node:assert/strict";
import { openWorkspace } from "../../../src/cluster/workspace.ts";
import type { OpenNode } from "../../../src/cluster/node.ts";
import { startJob } from "../../../src/transport/job/job_start.ts";
import { ORDINARY_UID, transportAs } from "../../support/account_transport.ts";
import { followAll, jobSpec } from "../../support/job_contract.ts";
import { findAccount, testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { node as testNode } from "../../unit/cluster/nodes.ts";

/** The one who uses Grid, and another one who may write above. */
const victim = () => findAccount()?.uid ?? ORDINARY_UID - 1;
const OTHER = ORDINARY_UID;
/** That both are in. */
const GROUP = ORDINARY_UID;

interface Place extends Disposable {
  readonly path: string;
}

/** Below a folder that both may enter. */
function place({ owner, mode }: { readonly owner: number; readonly mode: number }): Place {
  const above = tempDir();
  Deno.chmodSync(above.path, 0o755);
  const path = `${above.path}/ws`;
  Deno.mkdirSync(path);
  Deno.chownSync(path, owner, OTHER);
  // Not by mkdir, which the umask would change.
  Deno.chmodSync(path, mode);
  return { path, [Symbol.dispose]: () => above[Symbol.dispose]() };
}

async function as<T>(uid: number, work: (open: (root: string) => Promise<OpenNode>) => Promise<T>) {
  await using transport = transportAs({ uid, gid: GROUP });
  const signal = new AbortController().signal;
  return await work((remoteRoot) =>
    openWorkspace({ ...testNode("here"), remoteRoot }, {
      transport,
      configFile: "config.yaml",
      signal,
    })
  );
}

/** As the other account. */
async function plant(command: string): Promise<void> {
  await using transport = transportAs({ uid: OTHER });
  const { code, stderr } = await transport.exec(command);
  assert.equal(code, 0, stderr);
}

async function hello(node: OpenNode): Promise<string> {
  const at = { ...node, [Symbol.asyncDispose]: () => Promise.resolve() };
  const job = await startJob(node.transport, jobSpec(at, { command: "echo hello from $(id -u)" }));
  const { stdout } = await followAll(job);
  await job.remove();
  return stdout;
}

const PLANTED = [
  {
    what: "a folder that everybody may write to",
    command: "mkdir -m 777 .grid",
    says: /\.grid" belongs to nobody/,
  },
  { what: "a link", command: "mkdir -m 777 ../ws/x; ln -s x .grid", says: /\.grid" is a link/ },
  { what: "a file", command: ": >.grid", says: /\.grid" is no folder/ },
  { what: "a pipe", command: "mkfifo -m 666 .grid", says: /\.grid" is no folder/ },
] as const;

for (const { what, command, says } of PLANTED) {
  testWith(["root"], `a planted .grid is refused by name: ${what}`, async () => {
    using ws = place({ owner: victim(), mode: 0o2775 });
    await plant(`cd ${ws.path} && ${command}`);
    await as(victim(), async (open) => {
      await assert.rejects(open(ws.path), { code: "workspace", message: says });
    });
  });
}

testWith(
  ["root"],
  "a planted folder of jobs is refused by name, before and while it is used",
  async () => {
    using ws = place({ owner: victim(), mode: 0o2775 });
    await as(victim(), async (open) => {
      const node = await open(ws.path);
      assert.equal(await hello(node), `hello from ${victim()}\n`);
      await plant(`cd ${ws.path} && mv .grid mine && mkdir -m 777 .grid .grid/jobs`);
      await assert.rejects(hello(node), {
        code: "workspace",
        message: /\.grid" belongs to nobody/,
      });
      assert.deepEqual(
        [...Deno.readDirSync(`${ws.path}/.grid/jobs`)],
        [],
        "nothing was written there",
      );
    });
  },
);

testWith(
  ["root"],
  "nothing is written through links with the names that were used once",
  async () => {
    using ws = place({ owner: victim(), mode: 0o2775 });
    const precious = `${ws.path}/precious`;
    Deno.writeTextFileSync(precious, "mine");
    Deno.chownSync(precious, victim(), victim());
    await as(victim(), async (open) => {
      const { stdout } = await (await open(ws.path)).transport.exec("echo $$");
      const from = Number(stdout);
      await plant(`cd ${ws.path}; n=${from - 20}; while [ $n -lt ${from + 60} ]; do
      ln -s precious .grid-write-test.$n; n=$((n + 1)); done`);
      await open(ws.path);
    });
    assert.equal(Deno.readTextFileSync(precious), "mine");
  },
);

testWith(["root"], "what an account's jobs leave is readable by that account alone", async () => {
  using ws = place({ owner: victim(), mode: 0o2775 });
  await as(victim(), async (open) => {
    const node = await open(ws.path);
    const at = { ...node, [Symbol.asyncDispose]: () => Promise.resolve() };
    // A umask that lets everybody read.
    await followAll(
      await startJob(node.transport, jobSpec(at, { command: "umask 0; echo secret" })),
    );
  });
  await using other = transportAs({ uid: OTHER });
  const look = `cat ${ws.path}/.grid/jobs/* 2>&1; ls ${ws.path}/.grid/jobs 2>&1`;
  assert.match((await other.exec(look)).stdout, /^[^]*Permission denied[^]*Permission denied\n$/);
  for (const { name } of Deno.readDirSync(`${ws.path}/.grid/jobs`)) {
    const mode = Deno.statSync(`${ws.path}/.grid/jobs/${name}`).mode ?? 0;
    assert.equal(mode & 0o077, 0, name);
  }
});

for (const mode of [0o1777, 0o2775, 0o3777]) {
  testWith(
    ["root"],
    `two accounts work in one workspace of root's, mode ${mode.toString(8)}`,
    async () => {
      using ws = place({ owner: 0, mode });
      const uids = [victim(), OTHER];
      const roots: string[] = [];
      for (const uid of uids) {
        await as(uid, async (open) => {
          const node = await open(ws.path);
          roots.push(node.root);
          assert.equal(await hello(node), `hello from ${uid}\n`);
          assert.equal((await open(ws.path)).root, node.root, "the same the next time");
        });
      }
      assert.equal(new Set(roots).size, uids.length);
      for (const root of roots) assert.ok(root.startsWith(`${ws.path}/grid-`), root);
    },
  );
}

testWith(["root"], "a workspace of one's own that others use too is used as it is", async () => {
  using ws = place({ owner: victim(), mode: 0o1777 });
  await as(victim(), async (open) => assert.equal((await open(ws.path)).root, ws.path));
});

const UNSAFE = [
  {
    what: "somebody else's",
    owner: OTHER,
    mode: 0o777,
    says: /it belongs to nobody.*one that root owns/,
  },
  {
    what: "one that everybody may change",
    owner: -1,
    mode: 0o777,
    says: /everybody can replace.*chmod o-w/,
  },
  {
    what: "root's, but not sticky",
    owner: 0,
    mode: 0o777,
    says: /everybody can replace.*chmod \+t/,
  },
  {
    what: "root's, and closed",
    owner: 0,
    mode: 0o755,
    says: /it cannot be written to \(root owns it\)/,
  },
] as const;

for (const { what, owner, mode, says } of UNSAFE) {
  testWith(
    ["root"],
    `a workspace that cannot be trusted is told in a sentence: ${what}`,
    async () => {
      using ws = place({ owner: owner === -1 ? victim() : owner, mode });
      await as(victim(), async (open) => {
        await assert.rejects(open(ws.path), { code: "workspace", message: says });
      });
      assert.deepEqual([...Deno.readDirSync(ws.path)], []);
    },
  );
}
