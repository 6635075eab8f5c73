/**
 * The gate of a release: however Grid was installed, it works from an empty HOME in a repository that
 * is not its own, on three nodes over OpenSSH, without any other network; it is told to stop by the
 * signal that its starter sends, and leaves nothing when it is removed.
 */
import assert from "node:assert/strict";
import { basename, dirname, join } from "node:path";
import { project, until } from "../support/cli.ts";
import { commitAll, foreignProject, HELLO, strangeFiles } from "../support/foreign_project.ts";
import {
  buildRelease,
  cloneRepository,
  copyInstall,
  denoDir,
  type Install,
  installInProject,
  installWithDeno,
  installWithNpm,
  linkClone,
  packWithoutDeno,
  type Release,
  sharedRelease,
  unpackArchive,
  updateWithNpm,
} from "../support/installs.ts";
import { labConfig } from "../support/lab.ts";
import { type OpenSshLab, startOpenSsh } from "../support/openssh.ts";
import { testWith } from "../support/requires.ts";
import { sealNetwork } from "../support/sealed_network.ts";
import { call, commandOf, type StartedInstall } from "../support/started_install.ts";
import { tempDir } from "../support/temp_dir.ts";

interface Sources {
  readonly release: Release;
  readonly clone: string;
  /** The project that it is installed for. */
  readonly folder: string;
}

interface Way {
  readonly name: string;
  /** Comes with its own Deno, and needs nothing of the account that installed it. */
  readonly isWhole: boolean;
  install(sources: Sources): Install | Promise<Install>;
}

const WAYS: readonly Way[] = [
  { name: "a link to a clone's launcher", isWhole: false, install: (s) => linkClone(s.clone) },
  {
    name: "deno install -g",
    isWhole: false,
    install: ({ clone }) => installWithDeno(clone),
  },
  {
    name: "npm install -g, over an older version",
    isWhole: true,
    install: ({ release, folder }) => installTwice(release, folder),
  },
  {
    name: "a devDependency",
    isWhole: true,
    install: ({ release, folder }) => installInProject(release.npm, folder),
  },
  { name: "the archive", isWhole: true, install: ({ release }) => unpackArchive(release.archive) },
];

testWith(
  ["git", "npm", "root", "unshare", "sshd"],
  "every install works in a foreign project",
  async (t) => {
    using release = await sharedRelease();
    using clone = await cloneRepository();
    await using network = await sealNetwork();
    await using lab = await startOpenSsh({ nodes: 3, gpus: 0, within: network.enter });
    for (const way of WAYS.filter(({ name }) => name.includes(ONLY))) {
      await t.step(way.name, async (t) => {
        using folder = foreignProject(filesFor(lab));
        using elsewhere = project({
          "hello.yaml": "name: hello\nsteps: [{ id: no, run: exit 1 }]",
        });
        using install = await way.install({ release, clone: clone.path, folder: folder.path });
        commitAll(folder.path);
        const started: StartedInstall = {
          install,
          isWhole: way.isWhole,
          folder: folder.path,
          // What npm and `deno task` tell a program about the folder of an outer task.
          env: { INIT_CWD: elsewhere.path },
        };
        await t.step("three nodes over SSH, and no other network", async (t) => {
          const sealed = { ...started, within: network.enter };
          await t.step("every command, also from a folder below", () => everyCommand(sealed));
          await t.step("SIGTERM to what was started ends the run", () => terminate(sealed, lab));
          await t.step("with a HOME that is not there", () => runWithoutHome(sealed));
          if (way.isWhole && way.name !== "a devDependency") {
            await t.step("a run on a node, which gets this Grid", () => submitOn(sealed));
          }
          if (way.name === "a devDependency") {
            await t.step("npm run and npx", () => runWithNpm(sealed));
            await t.step("as a library, with its types", () => useAsLibrary(sealed));
          }
        });
        await t.step(
          "an account that nobody knows; an installation and caches that nobody may write to",
          () => runAsStranger(started),
        );
        assert.equal(
          strangeFiles(folder.path),
          "?? deep/er/new/\n?? results/\n",
          "nothing else is new or changed",
        );
        await install.uninstall();
        if (way.name === "a devDependency") assert.match(strangeFiles(folder.path), /package.json/);
        assert.deepEqual(filesBelow(install.home), [], "HOME is as empty as it was");
        assert.deepEqual(filesBelow(join(install.home, "..", "tmp")), []);
        assert.deepEqual(filesBelow(elsewhere.path), ["hello.yaml"]);
        if (way.isWhole) assert.deepEqual(filesBelow(install.folder), []);
      });
    }

    await t.step("two versions side by side read the same runs", async () => {
      using newer = await unpackArchive(release.archive);
      using older = await copyInstall(newer);
      // The files are the same ones.
      Deno.removeSync(join(older.folder, "deno.json"));
      Deno.writeTextFileSync(join(older.folder, "deno.json"), '{"version":"0.0.9"}');
      using folder = project({ "hello.yaml": HELLO });
      const [old, now] = [older, newer].map((install) => ({
        install,
        isWhole: true,
        folder: folder.path,
      }));
      assert.ok(old && now);
      assert.match((await mustRun(old, ["--version"])).stdout, /^0\.0\.9 /);
      await mustRun(old, ["run", "hello.yaml"]);
      await assertReads("0.0.9", now);
      await mustRun(now, ["run", "hello.yaml"]);
      await mustRun(old, ["show", "last"]);
    });

    await t.step("the same commit is built into the same bytes", async () => {
      using again = await buildRelease("");
      const [sum] = Deno.readTextFileSync(join(again.path, "SHA256SUMS")).split("\n");
      const sums = Deno.readTextFileSync(join(release.path, "SHA256SUMS"));
      assert.ok(sum && sums.split("\n").includes(sum), sums);
    });
  },
  { sanitizeResources: false },
);

const THREE_NODES = `name: three
steps:
  - { id: code, sync: { from: deep, to: all } }
  - { id: one, node: node1, needs: code, run: test -e er/hello.yaml }
  - { id: two, node: node2, needs: code, run: test -e er/hello.yaml }
  - { id: three, node: node3, needs: code, run: test -e er/hello.yaml && echo x > out.txt }
  - { id: home, node: node3, needs: three, fetch: { from: out.txt, to: results } }
  - { id: here, node: here, run: test "$PWD" != /gone }
`;
const SLOW = `name: slow
steps:
  - { id: wait, node: node1, run: "echo begun; sleep 300" }
`;
const ON_NODE = `name: on_node
steps:
  - { id: code, sync: { from: deep, to: node1 } }
  - { id: see, node: node1, needs: code, run: "echo here is *" }
`;
/** Words out of the name of a way, to try that one alone. */
const ONLY = Deno.env.get("GRID_TEST_WAY") ?? "";
/** No account has this number. */
const STRANGER = 54_321;

function filesFor(lab: OpenSshLab): Readonly<Record<string, string>> {
  const config = labConfig({ lab, rayMode: "embedded" }).replace(
    "nodes:\n",
    "nodes:\n  - { name: here, transport: local, remote_root: .grid/nodes/here }\n",
  );
  return {
    "config/cluster_config.yaml": config,
    "three.yaml": THREE_NODES,
    "deep/er/three.yaml": THREE_NODES,
    "slow.yaml": SLOW,
    "on_node.yaml": ON_NODE,
  };
}

async function everyCommand(started: StartedInstall): Promise<void> {
  const expect: readonly (readonly [string, string, RegExp])[] = [
    [".", "--version", /^\d+\.\d+\.\d+ \(commit [0-9a-f]{10}, Deno \d/],
    [".", "validate hello.yaml three.yaml", /^/],
    [".", "run three.yaml", /^/],
    [".", "metrics", /grid_runs_completed_total/],
    [".", "health", /node1 +ok[^]*node3 +ok/],
    [".", "completions bash", /^complete -F/m],
    ["deep/er", "plan three.yaml", /three +run +node3/],
    ["deep/er", "run three.yaml", /^/],
    ["deep/er", "init new", /^/],
  ];
  for (const [where, line, stdout] of expect) {
    const result = await mustRun(started, line.split(" "), where);
    assert.match(result.stdout, stdout, `${line} in ${where}: ${result.stderr}`);
  }
}

async function mustRun(started: StartedInstall, args: readonly string[], where = ".") {
  const result = await call(started, args, { where });
  assert.equal(result.code, 0, `${args.join(" ")} in ${where}: ${result.stderr}`);
  return result;
}

async function terminate(started: StartedInstall, lab: OpenSshLab): Promise<void> {
  const child = commandOf(started, ["run", "slow.yaml"]).spawn();
  const isRunning = () => lab.leftovers().some(({ command }) => /sleep 300/.test(command));
  await until(isRunning, { what: "the step" });
  child.kill("SIGTERM");
  const { code, stderr } = await child.output();
  assert.equal(code, 143);
  assert.match(new TextDecoder().decode(stderr), /slow cancelled/);
  assert.ok(!isRunning(), "its step goes on");
  const shown = await mustRun(started, ["show", "last", "--json"]);
  assert.equal(JSON.parse(shown.stdout).result, "cancelled");
}

/** Who has no HOME at all is nobody's account, below. */
async function runWithoutHome(started: StartedInstall): Promise<void> {
  const run = await call(started, ["run", "three.yaml"], { env: { HOME: "/gone" } });
  assert.equal(run.code, 0, run.stderr);
}

/** Where `three.yaml` cannot: the node's account knows the keys of no other. */
async function submitOn(started: StartedInstall): Promise<void> {
  const submitted = await call(started, ["submit", "--on", "node1", "on_node.yaml"]);
  assert.equal(submitted.code, 0, submitted.stderr);
  const shown = await mustRun(started, ["attach", "on_node"]);
  assert.match(shown.stderr, /│ here is er/);
  assert.match((await mustRun(started, ["runs", "--json"])).stdout, /"on_node"/);
}

/** Both stand between the shell and Grid: npm from the folder of its package.json, npx from any. */
async function runWithNpm(started: StartedInstall): Promise<void> {
  const run = await call(started, ["run", "train"], { where: "deep/er", program: "npm" });
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stderr, /hello succeeded/);
  const npx = await call(started, ["--offline", "grid", "plan", "three.yaml"], {
    where: "deep/er",
    program: "npx",
  });
  assert.match(npx.stdout, /three +run +node3/, npx.stderr);
  Deno.removeSync(join(started.install.home, ".npm"), { recursive: true });
}

/** With every flag that the user's own check may be strict about. */
async function useAsLibrary(started: StartedInstall): Promise<void> {
  const script = join(started.folder, "embed.ts");
  const cache = join(started.install.home, "..", "user");
  Deno.writeTextFileSync(
    script,
    `import { openGrid } from "@grid/grid";
await using grid = await openGrid();
const text: string = await grid.exec("echo hello", { node: "node2" }).text();
// @ts-expect-error: what is not there is known not to be there
grid.nothing;
console.log(text);
`,
  );
  for (const args of [["run", "-A", "--quiet"], ["check", "--quiet"]]) {
    const done = await call(started, [...args, "--no-lock", script], {
      program: Deno.execPath(),
      env: { DENO_DIR: cache },
    });
    assert.equal(done.code, 0, done.stderr);
  }
  Deno.removeSync(script);
}

/** The installation, and where this machine's Deno keeps packages, are mounted read-only. */
async function runAsStranger(started: StartedInstall): Promise<void> {
  using theirs = foreignProject();
  chown(theirs.path, STRANGER);
  const { install, isWhole } = started;
  const cache = join(install.home, "..", "deno");
  Deno.mkdirSync(cache);
  // The Deno of the tests may lie where nobody else may look.
  const programs = join(install.home, "..", "programs");
  Deno.mkdirSync(programs);
  const script = `mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" &&
    mount --bind "$2" "$3" && mount -o remount,ro,bind "$3" &&
    mount --bind "$4" "$5" && shift 5 && exec "$@"`;
  const within = [
    ...["unshare", "--mount", "--net", "sh", "-c", script, "sh"],
    ...[install.folder, denoDir(), cache, dirname(Deno.execPath()), programs],
    ...["setpriv", `--reuid=${STRANGER}`, `--regid=${STRANGER}`, "--clear-groups"],
  ];
  const run = await call({ ...started, folder: theirs.path }, ["run", "hello.yaml"], {
    within,
    env: isWhole ? {} : {
      DENO_DIR: cache,
      GRID_DENO: join(programs, basename(Deno.execPath())),
      PATH: `${programs}:/usr/sbin:/usr/bin:/sbin:/bin`,
    },
    without: ["HOME", "TMPDIR"],
  });
  assert.equal(run.code, 0, run.stderr);
}

/** As an upgrade does it: what the older version ran stays readable. */
async function installTwice(release: Release, folder: string): Promise<Install> {
  using old = tempDir();
  const install = await installWithNpm(
    await packWithoutDeno(release, { version: "0.0.9", to: old.path }),
  );
  const started = { install, isWhole: true, folder };
  assert.match((await mustRun(started, ["--version"])).stdout, /^0\.0\.9 /);
  await mustRun(started, ["run", "hello.yaml"]);
  await updateWithNpm(install, release.npm);
  await assertReads("0.0.9", started);
  return install;
}

async function assertReads(version: string, started: StartedInstall): Promise<void> {
  assert.ok(!(await mustRun(started, ["--version"])).stdout.startsWith(`${version} `));
  const shown = await mustRun(started, ["show", "last", "--json"]);
  assert.equal(JSON.parse(shown.stdout).gridVersion, version);
  assert.match((await mustRun(started, ["runs"])).stdout, /hello +succeeded/);
}

function chown(folder: string, id: number): void {
  Deno.chownSync(folder, id, id);
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) chown(join(folder, name), id);
    else Deno.chownSync(join(folder, name), id, id);
  }
}

/** Their paths, without empty folders; none where the folder is gone. */
function filesBelow(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
      isDirectory ? filesBelow(join(folder, name)).map((path) => `${name}/${path}`) : [name]
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
