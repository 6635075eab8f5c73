/**
 * The gate of a release: however Grid was installed, it works in a repository that is not its own,
 * without the network, and is told to stop by the signal that its starter sends.
 */
import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { parse } from "yaml";
import { project, REPOSITORY, until } from "../support/cli.ts";
import { foreignProject } from "../support/foreign_project.ts";
import {
  buildRelease,
  denoDir,
  type Install,
  installInProject,
  installWithDeno,
  installWithNpm,
  linkClone,
  unpackArchive,
} from "../support/installs.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { processesWith } from "../support/processes.ts";
import { findProgram, testWith } from "../support/requires.ts";
import { tempDir } from "../support/temp_dir.ts";

interface Way {
  readonly name: string;
  /** Comes with its own Deno, and needs nothing of the account that installed it. */
  readonly isWhole: boolean;
  /** Its first start may look packages up. */
  readonly readiesItself?: true;
  install(release: Release): Install | Promise<Install>;
}

type Release = Awaited<ReturnType<typeof buildRelease>>;

const WAYS: readonly Way[] = [
  { name: "a link to the clone's launcher", isWhole: false, install: linkClone },
  { name: "deno install -g", isWhole: false, readiesItself: true, install: installWithDeno },
  { name: "npm install -g", isWhole: true, install: ({ npm }) => installWithNpm(npm) },
  { name: "a devDependency", isWhole: true, install: ({ npm }) => installInProject(npm) },
  { name: "the archive", isWhole: true, install: ({ archive }) => unpackArchive(archive) },
];

testWith(
  ["git", "npm", "root", "unshare", "sshd"],
  "every install works in a foreign project",
  async (t) => {
    using release = await buildRelease();
    await using lab = await startOpenSsh({ nodes: 3, gpus: 0 });
    for (const way of WAYS) {
      await t.step(way.name, async (t) => {
        using install = await way.install(release);
        using folder = foreignProject({
          "lab.yaml": labConfig({ lab, rayMode: "embedded" }),
          "three.yaml": THREE_NODES,
        });
        const started = { install, way, folder: folder.path };
        if (way.readiesItself) {
          const first = await call(started, ["validate", "hello.yaml"]);
          assert.equal(first.code, 0, first.stderr);
        }

        await t.step("offline", async () => {
          for (const where of [".", "deep/er"]) await everyCommand(started, where);
        });
        await t.step("three nodes over SSH", async () => {
          const run = await call(started, ["run", "three.yaml", "--config", "lab.yaml"]);
          assert.equal(run.code, 0, run.stderr);
        });
        await t.step("SIGTERM to what was started ends the run", () => terminate(started));
        await t.step("without HOME", async () => {
          const run = await call(started, ["run", "hello.yaml"], { without: ["HOME"] });
          assert.equal(run.code, 0, run.stderr);
        });
        if (way.isWhole) {
          await t.step(
            "an account that nobody knows, a folder that it may not write to",
            async () => {
              using theirs = foreignProject();
              chown(theirs.path, STRANGER);
              const run = await call({ ...started, folder: theirs.path }, ["run", "hello.yaml"], {
                as: STRANGER,
                env: { HOME: theirs.path },
              });
              assert.equal(run.code, 0, run.stderr);
            },
          );
        }
        assert.equal(
          git(folder.path),
          "?? deep/er/new/\n?? new/\n?? results/\n",
          "nothing else is new or changed",
        );
      });
    }

    for (const [name, lines] of Object.entries(CI_LINES)) {
      await t.step(`the lines of examples/ci/${name} run in a project`, async () => {
        using folder = foreignProject({
          "pipelines/train.yaml": HELLO_ALONE,
          "ci/known_hosts": "",
          "key": "no key\n",
        });
        using home = tempDir();
        const version = basename(release.npm);
        await Deno.copyFile(release.npm, join(folder.path, "ci", version));
        Deno.removeSync(join(folder.path, ".npmrc"));
        const text = Deno.readTextFileSync(join(REPOSITORY, "examples", "ci", name));
        const script = lines(text).join("\n").replaceAll("/srv/project", folder.path)
          .replaceAll("/usr/local/bin/grid", join(home.path, "prefix", "bin", "grid"))
          .replaceAll(/grid-[\d.]+\.tgz/g, version);
        assert.match(script, /grid run/);
        const { code, stderr } = await new Deno.Command("bash", {
          args: ["-euo", "pipefail", "-c", script],
          cwd: folder.path,
          clearEnv: true,
          env: {
            ...networkSettings(),
            PATH: `${join(home.path, "prefix", "bin")}:/usr/bin:/bin`,
            HOME: home.path,
            SSH_KEY: "no key",
            SSH_KEY_FILE: "key",
            npm_config_prefix: join(home.path, "prefix"),
            npm_config_userconfig: join(Deno.env.get("HOME") ?? "", ".npmrc"),
          },
        }).output();
        assert.equal(code, 0, new TextDecoder().decode(stderr));
        const runs = [...Deno.readDirSync(join(folder.path, ".grid", "runs"))];
        assert.equal(runs.length, 1);
      });
    }

    await t.step("the npm package is the library, with its types", async () => {
      using install = await installInProject(release.npm);
      const script = join(install.folder, "embed.ts");
      Deno.writeTextFileSync(
        script,
        `import { openGrid } from "@grid/grid";
await using grid = await openGrid();
const text: string = await grid.exec("echo hello").text();
// @ts-expect-error: what is not there is known not to be there
grid.nothing;
console.log(text);
`,
      );
      for (const args of [["run", "-A", "--quiet", script], ["check", "--quiet", script]]) {
        const { code, stderr } = await new Deno.Command(Deno.execPath(), {
          args,
          cwd: install.folder,
        }).output();
        assert.equal(code, 0, new TextDecoder().decode(stderr));
      }
    });

    await t.step("two versions side by side read the same runs", async () => {
      using older = await unpackArchive(release.archive);
      using newer = await installWithNpm(release.npm);
      setVersion(older, "0.0.9");
      using folder = project({ "hello.yaml": HELLO_ALONE });
      const [old, now] = [older, newer].map((install) => ({
        install,
        way: WAYS[4] as Way,
        folder: folder.path,
      }));
      assert.ok(old && now);
      assert.match((await call(old, ["--version"])).stdout, /^0\.0\.9 /);
      assert.equal((await call(old, ["run", "hello.yaml"])).code, 0);
      const shown = await call(now, ["show", "last", "--json"]);
      assert.equal(JSON.parse(shown.stdout).gridVersion, "0.0.9", shown.stderr);
    });

    await t.step("the same commit is built into the same bytes", async () => {
      using again = await buildRelease();
      const sums = (folder: string) => Deno.readTextFileSync(join(folder, "SHA256SUMS"));
      assert.equal(sums(again.path), sums(release.path));
    });
  },
  { sanitizeResources: false },
);

type Lines = (text: string) => readonly string[];

/** What each CI system would hand to a shell. */
const CI_LINES: Readonly<Record<string, Lines>> = {
  "github.yml": (text) =>
    parse(text).jobs.train.steps.map((step: { readonly run?: string }) => step.run ?? ""),
  "gitlab.yml": (text) => {
    const { before_script, script } = parse(text).train;
    return [...before_script, ...script];
  },
  // Each has a shell of its own, which `exec` may replace.
  "Jenkinsfile": (text) => [...text.matchAll(/sh '(.*)'$/gm)].map(([, line = ""]) => `( ${line} )`),
  "crontab": (text) => [
    "npm install --global ./ci/grid-0.1.0.tgz",
    ...[...text.matchAll(/^[\d* ]{9,}(.*)$/gm)].map(([, line = ""]) => line),
  ],
};

const HELLO_ALONE = "name: hello\nsteps:\n  - { id: greet, run: echo hello }\n";
const THREE_NODES = `name: three
steps:
  - { id: code, sync: { from: deep, to: all } }
  - { id: one, node: node1, needs: code, run: test -e er/hello.yaml }
  - { id: two, node: node2, needs: code, run: test -e er/hello.yaml }
  - { id: three, node: node3, needs: code, run: test -e er/hello.yaml && echo x > out.txt }
  - { id: home, node: node3, needs: three, fetch: { from: out.txt, to: results } }
`;
/** No account has this number. */
const STRANGER = 54_321;

interface Started {
  readonly install: Install;
  readonly way: Way;
  readonly folder: string;
}

interface CallOptions {
  readonly where?: string;
  readonly isOffline?: boolean;
  readonly as?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly without?: readonly string[];
}

async function everyCommand(started: Started, where: string): Promise<void> {
  const expect: readonly (readonly [string, RegExp])[] = [
    ["--version", /^\d+\.\d+\.\d+ \(.*Deno \d/],
    ["validate hello.yaml", /^/],
    ["plan hello.yaml", /greet/],
    ["run hello.yaml", /^/],
    ["metrics", /grid_runs_completed_total/],
    ["health", /local1 +ok/],
    ["completions bash", /^complete -F/m],
    ["init new", /^/],
  ];
  for (const [line, stdout] of expect) {
    const result = await call(started, line.split(" "), { where, isOffline: true });
    assert.equal(result.code, 0, `${line} in ${where}: ${result.stderr}`);
    assert.match(result.stdout, stdout, `${line} in ${where}: ${result.stderr}`);
  }
}

async function terminate(started: Started): Promise<void> {
  const child = start(started, ["run", "slow.yaml"], {}).spawn();
  const marker = `GRID_TEST_MARK=${started.folder}`;
  const isRunning = () => processesWith(marker).some(({ command }) => /sleep 300/.test(command));
  await until(isRunning, { what: "the step" });
  child.kill("SIGTERM");
  const { code, stderr } = await child.output();
  assert.equal(code, 143);
  assert.match(new TextDecoder().decode(stderr), /slow cancelled/);
  assert.ok(!isRunning(), "its step goes on");
}

/** As a user's shell starts it, with an environment of its own. */
function start(
  { install, way, folder }: Started,
  args: readonly string[],
  { where = ".", isOffline = false, as, env, without = [] }: CallOptions,
): Deno.Command {
  const own: Record<string, string> = {
    ...networkSettings(),
    PATH: way.isWhole ? `${trap(install)}:/usr/bin:/bin` : Deno.env.get("PATH") ?? "",
    HOME: install.home,
    NO_COLOR: "1",
    GRID_TEST_MARK: folder,
    GRID_DENO: Deno.execPath(),
    ...(way.isWhole ? {} : { DENO_DIR: denoDir() }),
    ...env,
  };
  const variables = Object.entries(own).filter(([name]) => !without.includes(name));
  const words = [
    ...(isOffline ? ["unshare", "-n"] : []),
    ...(as === undefined ? [] : ["setpriv", `--reuid=${as}`, `--regid=${as}`, "--clear-groups"]),
    install.grid,
    ...args,
  ];
  return new Deno.Command(findProgram(words[0] ?? "") ?? install.grid, {
    args: words.slice(1),
    cwd: join(folder, where),
    clearEnv: true,
    env: Object.fromEntries(variables),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** How this machine reaches the world, which says nothing of Grid. */
function networkSettings(): Record<string, string> {
  const entries = Object.entries(Deno.env.toObject());
  return Object.fromEntries(entries.filter(([name]) => /proxy$|^SSL_|^NODE_EXTRA_/i.test(name)));
}

/** A folder with a Deno that must not be taken: the whole ways have their own. */
function trap({ home }: Install): string {
  const folder = join(home, "trap");
  Deno.mkdirSync(folder, { recursive: true });
  Deno.writeTextFileSync(join(folder, "deno"), "#!/bin/sh\nexit 99\n", { mode: 0o755 });
  return folder;
}

async function call(started: Started, args: readonly string[], options: CallOptions = {}) {
  const { code, stdout, stderr } = await start(started, args, options).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

function setVersion({ folder }: Install, version: string): void {
  const path = join(folder, "deno.json");
  Deno.writeTextFileSync(path, JSON.stringify({ version }));
}

function chown(folder: string, id: number): void {
  Deno.chownSync(folder, id, id);
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) chown(join(folder, name), id);
    else Deno.chownSync(join(folder, name), id, id);
  }
}

function git(cwd: string): string {
  const { stdout } = new Deno.Command("git", { args: ["status", "--porcelain"], cwd }).outputSync();
  return new TextDecoder().decode(stdout);
}
