import assert from "node:assert/strict";
import { join } from "node:path";
import type { OpenNode } from "../../../src/cluster/node.ts";
import { differences, setupNodes } from "../../../src/cluster/setup.ts";
import type { SetupOptions, SetupResult } from "../../../src/cluster/setup_result.ts";
import { openWorkspace } from "../../../src/cluster/workspace.ts";
import { createLocalTransport } from "../../../src/transport/local.ts";
import { grid, project } from "../../support/cli.ts";
import { labConfig } from "../../support/lab.ts";
import { startOpenSsh } from "../../support/openssh.ts";
import { findRayVenv, findUv, testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { endpoint, node } from "../../unit/cluster/nodes.ts";

/** A node of this machine in a folder that goes with it. */
function openNode() {
  const folder = tempDir();
  const transport = createLocalTransport(endpoint("here", { transport: "local" }));
  const open: OpenNode = { node: node("here"), transport, root: folder.path, home: folder.path };
  return {
    open,
    root: folder.path,
    [Symbol.asyncDispose]: async () => {
      await transport[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

async function setUp(open: OpenNode, options: Partial<SetupOptions> = {}): Promise<SetupResult> {
  const [result] = await setupNodes([open], {
    ray: { mode: "embedded", version: undefined },
    signal: AbortSignal.timeout(60_000),
    ...options,
  });
  assert.ok(result);
  return result;
}

/** The smallest wheel there can be: one module that knows its version. */
async function writeWheel(folder: string, version: string): Promise<void> {
  const script = `
import sys, zipfile
folder, version = sys.argv[1:]
info = f"grid_demo-{version}.dist-info"
with zipfile.ZipFile(f"{folder}/grid_demo-{version}-py3-none-any.whl", "w") as wheel:
    wheel.writestr("grid_demo.py", f"version = '{version}'\\n")
    wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: grid-demo\\nVersion: {version}\\n")
    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(f"{info}/RECORD", "")
`;
  const args = ["-c", script, folder, version];
  const { success } = await new Deno.Command("python3", { args }).output();
  assert.ok(success);
}

async function demoVersion(root: string): Promise<string> {
  const { stdout } = await new Deno.Command(join(root, "grid_env", "bin", "python3"), {
    args: ["-c", "import grid_demo; print(grid_demo.version)"],
  }).output();
  return new TextDecoder().decode(stdout).trim();
}

testWith(["python3"], "setup makes an environment once, and a failure keeps it", async () => {
  await using here = openNode();
  using wheels = tempDir();
  await writeWheel(wheels.path, "1.0");
  const options = { wheels: wheels.path, requirements: "# ours\ngrid-demo==1.0\n" };
  const first = await setUp(here.open, options);
  assert.equal(first.state, "made", first.reason);
  assert.match(first.python ?? "", /^3\.\d+/);
  assert.equal(first.ray, undefined);
  assert.equal(await demoVersion(here.root), "1.0");

  const environment = Deno.readLinkSync(join(here.root, "grid_env"));
  assert.equal((await setUp(here.open, options)).state, "unchanged");
  assert.equal(Deno.readLinkSync(join(here.root, "grid_env")), environment);

  const failed = await setUp(here.open, { ...options, requirements: "no-such-thing\n" });
  assert.equal(failed.state, "failed");
  assert.match(failed.reason ?? "", /no-such-thing/);
  assert.match(failed.hint ?? "", /--wheels/);
  assert.equal(await demoVersion(here.root), "1.0");
  const kept = () => [...Deno.readDirSync(join(here.root, ".grid", "environments"))].length;
  assert.equal(kept(), 1);

  await writeWheel(wheels.path, "2.0");
  const again = { ...options, requirements: "grid-demo\n" };
  assert.equal((await setUp(here.open, again)).state, "made");
  assert.equal(await demoVersion(here.root), "2.0");
  assert.equal(kept(), 2, "jobs may still use the one before");
  assert.deepEqual([...Deno.readDirSync(join(here.root, ".grid", "jobs"))], []);
});

testWith(["ray"], "setup links an environment that is there, and checks its Ray", async () => {
  await using here = openNode();
  const venv = findRayVenv() ?? "";
  const wrong = await setUp(here.open, { venv, ray: { mode: "managed", version: "1.0.0" } });
  assert.equal(wrong.state, "failed");
  assert.match(wrong.reason ?? "", /holds Ray \d+\.\d+\.\d+, not 1\.0\.0/);
  const linked = await setUp(here.open, { venv, ray: { mode: "managed", version: undefined } });
  assert.equal(linked.state, "made", linked.reason);
  assert.match(linked.ray ?? "", /^\d+\.\d+\.\d+$/);
  assert.equal(Deno.readLinkSync(join(here.root, "grid_env")), venv);
});

Deno.test("setup names an environment that is not there", async () => {
  await using here = openNode();
  const result = await setUp(here.open, { venv: "/no/such" });
  assert.equal(result.state, "failed");
  assert.equal(result.reason, "there is no /no/such/bin/python3");
});

Deno.test("setup does not touch a grid_env that somebody else made", async () => {
  await using here = openNode();
  Deno.mkdirSync(join(here.root, "grid_env"));
  Deno.writeTextFileSync(join(here.root, "grid_env", "mine"), "");
  const result = await setUp(here.open);
  assert.equal(result.state, "failed");
  assert.match(result.reason ?? "", /move it away first/);
  assert.ok(Deno.statSync(join(here.root, "grid_env", "mine")).isFile);
});

testWith(
  ["sshd", "python3"],
  "grid setup works on all nodes at once and names the one that is down",
  async () => {
    await using lab = await startOpenSsh({ nodes: 3, gpus: 0 });
    await lab.nodes[1]?.stop();
    using folder = project({ "lab.yaml": labConfig({ lab, rayMode: "embedded" }) });
    const { code, stdout, stderr } = await grid(["setup", "--json", "--config", "lab.yaml"], {
      cwd: folder.path,
    });
    assert.equal(code, 1, stderr);
    const rows: SetupResult[] = JSON.parse(stdout).nodes;
    const states = Object.fromEntries(rows.map(({ node, state }) => [node, state]));
    assert.deepEqual(states, { node1: "made", node2: "failed", node3: "made" });
    const run = await grid(
      ["run", "command -v python3", "--node", "node3", "--config", "lab.yaml"],
      {
        cwd: folder.path,
      },
    );
    assert.equal(run.stdout, `${lab.nodes[2]?.root}/grid_env/bin/python3\n`);
  },
);

testWith(
  ["sshd", "python3", "uv"],
  "nodes with one home: set up once, the others say with whom they share it",
  async () => {
    await using lab = await startOpenSsh({ nodes: 3, gpus: 0 });
    const shared = `${lab.folder}/shared`;
    Deno.mkdirSync(shared);
    // It makes environments in no time.
    for (const { home } of lab.nodes) Deno.symlinkSync(`${findUv()}/uv`, `${home}/bin/uv`);
    const config = labConfig({ lab, rayMode: "embedded" })
      .replace("remote_root: ~/grid_workspace", `remote_root: ${shared}`);
    using folder = project({ "lab.yaml": config });
    const setup = async (...given: string[]) => {
      const args = ["setup", "--json", "--config", "lab.yaml", ...given];
      const { code, stdout, stderr } = await grid(args, { cwd: folder.path });
      assert.equal(code, 0, stderr + stdout);
      return JSON.parse(stdout).nodes as SetupResult[];
    };
    await writeWheel(shared, "1.0");
    Deno.writeTextFileSync(`${folder.path}/needs.txt`, "grid-demo\n");
    const wanted = ["--wheels", shared, "--requirements", "needs.txt"];
    const first = await setup(...wanted);
    assert.deepEqual(first.map(({ state, sharedWith }) => [state, sharedWith ?? ""]), [
      ["made", ""],
      ["unchanged", "node1"],
      ["unchanged", "node1"],
    ]);
    const environment = Deno.readLinkSync(`${shared}/grid_env`);
    const began = performance.now();
    const second = await setup(...wanted);
    if (Deno.env.has("GRID_TEST_ROUNDS")) {
      console.log(`the second setup: ${Math.round(performance.now() - began)} ms`);
    }
    assert.deepEqual(second.map(({ state }) => state), ["unchanged", "unchanged", "unchanged"]);
    assert.equal(new Set(second.map(({ digest }) => digest)).size, 1);
    assert.equal(Deno.readLinkSync(`${shared}/grid_env`), environment);
    assert.deepEqual(
      [...Deno.readDirSync(`${shared}/.grid`)].map(({ name }) => name).filter((name) =>
        /lock|shared/.test(name)
      ),
      [],
    );
    const linked = await setup("--venv", environment);
    assert.deepEqual(linked.map(({ state }) => state), ["unchanged", "unchanged", "unchanged"]);
    const health = await grid(["health", "--config", "lab.yaml"], { cwd: folder.path });
    const sharing = health.stdout.match(/^ {2}shares its workspace with node\[(2-3|1,3|1-2)\]$/gm);
    assert.equal(sharing?.length, 1, health.stdout);
    Deno.mkdirSync(`${folder.path}/code`);
    Deno.writeTextFileSync(`${folder.path}/code/a.py`, "print(1)\n");
    const synced = await grid(["sync", "code", "--config", "lab.yaml"], { cwd: folder.path });
    assert.equal(synced.code, 0, synced.stderr);
    // It travels once for all.
    assert.match(synced.stderr, /synced 1 file to 3 nodes, 9 B/);
  },
);

testWith(
  ["python3", "uv"],
  "two setups of one workspace at once: one makes it, the other waits",
  async () => {
    using _uv = withUv();
    await using here = openNode();
    const wheels = { wheels: here.root };
    const both = await Promise.all([setUp(here.open, wheels), setUp(here.open, wheels)]);
    assert.deepEqual(both.map(({ state }) => state).sort(), ["made", "unchanged"]);
    assert.equal([...Deno.readDirSync(join(here.root, ".grid", "environments"))].length, 1);
    assert.ok(!exists(join(here.root, ".grid", "setup.lock")));
  },
);

testWith(
  ["python3", "uv"],
  "a setup that was killed leaves a lock that is nobody's, and nothing half",
  async () => {
    using _uv = withUv();
    await using here = openNode();
    const lock = join(here.root, ".grid", "setup.lock");
    Deno.mkdirSync(lock, { recursive: true });
    Deno.chmodSync(join(here.root, ".grid"), 0o755);
    Deno.writeTextFileSync(join(lock, "beat"), "elsewhere.1.7\n");
    const half = join(here.root, ".grid", "environments", "half");
    Deno.mkdirSync(half, { recursive: true });
    const result = await setUp(here.open, { wheels: here.root, lockPatienceSeconds: 1 });
    assert.equal(result.state, "made", result.reason);
    assert.ok(!exists(lock));
    assert.ok(!exists(half));
  },
);

testWith(
  ["python3", "uv"],
  "setup uses uv where it is there, and pip is the environment's own",
  async () => {
    using wheels = tempDir();
    await writeWheel(wheels.path, "1.0");
    using _uv = withUv();
    await using here = openNode();
    const options = { wheels: wheels.path, requirements: "grid-demo\n" };
    const result = await setUp(here.open, options);
    assert.equal(result.state, "made", result.reason);
    assert.equal(result.tool, "uv");
    assert.equal(await demoVersion(here.root), "1.0");
    const failed = await setUp(here.open, { ...options, requirements: "no-such-thing\n" });
    assert.equal(failed.state, "failed");
    assert.match(failed.reason ?? "", /no-such-thing/);
    assert.equal(await demoVersion(here.root), "1.0");
  },
);

/** On the PATH of nodes of this machine that are opened meanwhile. */
function withUv(): Disposable {
  const bin = tempDir();
  Deno.symlinkSync(`${findUv()}/uv`, join(bin.path, "uv"));
  const before = Deno.env.get("PATH") ?? "";
  Deno.env.set("PATH", `${bin.path}:${before}`);
  return {
    [Symbol.dispose]() {
      Deno.env.set("PATH", before);
      bin[Symbol.dispose]();
    },
  };
}

Deno.test("what differs between nodes is told", () => {
  const result = (node: string, changes: Partial<SetupResult> = {}): SetupResult => ({
    node,
    state: "made",
    python: "3.11.2",
    ray: undefined,
    packages: 2,
    digest: "abc",
    tool: "venv",
    sharedWith: undefined,
    durationMs: 1,
    reason: undefined,
    hint: undefined,
    ...changes,
  });
  assert.deepEqual(differences([result("gpu1"), result("gpu2", { python: "3.11.9" })]), []);
  const other = { python: "3.10.1", packages: 3, digest: "def" };
  assert.deepEqual(differences([result("gpu1"), result("gpu2", other), result("gpu3", other)]), [
    "Python: 3.11 on gpu1; 3.10 on gpu[2-3]",
    "packages: 2 (abc) on gpu1; 3 (def) on gpu[2-3]",
  ]);
  assert.deepEqual(differences([result("a"), result("b", { ...other, state: "failed" })]), []);
});

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

Deno.test("those who open a new workspace at the same moment read the same word in it", async () => {
  using folder = tempDir();
  const transports = Array.from(
    { length: 6 },
    (_, at) => createLocalTransport(endpoint(`n${at}`, { transport: "local" })),
  );
  for (let round = 0; round < 5; round++) {
    const remoteRoot = join(folder.path, `w${round}`);
    const opened = await Promise.all(
      transports.map((transport, at) =>
        openWorkspace(node(`n${at}`, { remoteRoot }), {
          transport,
          configFile: undefined,
          signal: AbortSignal.timeout(60_000),
        })
      ),
    );
    const words = new Set(opened.map(({ workspaceToken }) => workspaceToken));
    assert.equal(words.size, 1, [...words].join());
    assert.match([...words][0] ?? "", /^[A-Za-z0-9]{8,}$/);
    const left = [...Deno.readDirSync(join(remoteRoot, ".grid"))].map(({ name }) => name);
    assert.deepEqual(left, ["token"]);
  }
  for (const transport of transports) await transport[Symbol.asyncDispose]();
});
