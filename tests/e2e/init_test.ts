/** A project is any folder: `grid init`, `grid ci init`, and where the cluster config comes from. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { grid, project } from "../support/cli.ts";
import { testWith } from "../support/requires.ts";
import { tempDir } from "../support/temp_dir.ts";

const read = (folder: string, path: string) => Deno.readTextFileSync(join(folder, path));

Deno.test("grid init makes a project whose pipeline runs; again it keeps what is there", async () => {
  using folder = project({ ".gitignore": "node_modules/" });
  const options = { cwd: folder.path };
  const first = await grid(["init"], options);
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stderr, /^written {2}config\/cluster_config\.yaml$/m);
  assert.match(first.stderr, /^ {9}grid run pipelines\/hello\.yaml$/m);
  assert.equal(read(folder.path, ".gitignore"), "node_modules/\n.grid/\n");

  const run = await grid(["run", "pipelines/hello.yaml", "-i", "who=Ada", "--json"], options);
  assert.equal(run.code, 0, run.stderr);
  assert.equal((await grid(["logs", "last", "count"], options)).stdout, "that was 3 letters\n");

  Deno.writeTextFileSync(join(folder.path, "config/cluster_config.yaml"), "nodes: [mine]\n");
  const again = await grid(["init"], options);
  assert.match(again.stderr, /^kept {5}config\/cluster_config\.yaml$/m);
  assert.equal(read(folder.path, "config/cluster_config.yaml"), "nodes: [mine]\n");
  assert.equal(read(folder.path, ".gitignore"), "node_modules/\n.grid/\n");
});

Deno.test("grid init names the editor's schemas, which lie where it says", async () => {
  using folder = project({});
  await grid(["init"], { cwd: folder.path });
  for (const path of ["config/cluster_config.yaml", "pipelines/hello.yaml"]) {
    const schema = /\$schema=(\S+)/.exec(read(folder.path, path))?.[1] ?? "";
    assert.ok(existsSync(join(folder.path, path, "..", schema)), `${path}: ${schema}`);
  }
});

Deno.test("grid init offers the hosts of ~/.ssh/config, patterns and included files considered", async () => {
  using folder = project({});
  using home = project({
    ".ssh/config": "Include more\nHost gpu1 gpu2\n  User ml\nHost *.example.org !x gpu?\n",
    ".ssh/more": "Host far\n",
  });
  const env = { HOME: home.path };
  assert.equal((await grid(["init"], { cwd: folder.path, env })).code, 0);
  const config = read(folder.path, "config/cluster_config.yaml");
  assert.match(config, /^# Yours: nodes: \[(?=.*\bgpu1\b)(?=.*\bgpu2\b)(?=.*\bfar\b)[^?*]+\]$/m);
  using other = project({});
  await grid(["init", "--nodes", "gpu1,gpu2"], { cwd: other.path, env });
  assert.match(read(other.path, "config/cluster_config.yaml"), /^nodes: \[gpu1, gpu2\]$/m);
});

Deno.test("grid init --from brings a template with the ones it uses, and they load", async () => {
  for (const template of ["train", "sweep", "evaluate", "nightly"]) {
    using folder = project({ "examples/train/train.py": "" });
    const init = await grid(["init", "--from", template], { cwd: folder.path });
    assert.equal(init.code, 0, init.stderr);
    const validate = await grid(["validate", "pipelines"], { cwd: folder.path });
    assert.equal(validate.code, 0, validate.stderr);
  }
  using folder = project({});
  const wrong = await grid(["init", "--from", "nightli"], { cwd: folder.path });
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /did you mean nightly\?/);
  assert.ok(!existsSync(join(folder.path, "config")), "nothing is written");
});

Deno.test("grid ci init writes each system's file for the pipeline of this project", async () => {
  using folder = project({ "pipelines/my.yaml": "steps: [{ id: a, run: 'true' }]\n" });
  const options = { cwd: folder.path };
  const files = {
    github: ".github/workflows/grid.yml",
    gitlab: ".gitlab-ci.yml",
    jenkins: "Jenkinsfile",
    cron: "ci/crontab",
  };
  for (const [system, path] of Object.entries(files)) {
    const { code, stderr } = await grid(["ci", "init", system], options);
    assert.equal(code, 0, stderr);
    assert.match(read(folder.path, path), /grid run pipelines\/my\.yaml/);
    const again = await grid(["ci", "init", system], options);
    assert.equal(again.code, 5, "a file that is there is not written over");
  }
  assert.ok(read(folder.path, files.cron).includes(`cd ${folder.path} &&`));
  assert.equal((await grid(["ci", "init", "svn"], options)).code, 2);
});

Deno.test("grid ci init cron fits any folder, names this Grid, and keeps the crontab that is there", async () => {
  using folder = project({
    "100% mine/pipelines/my.yaml": "steps: [{ id: a, run: 'true' }]\n",
    "bin/grid": "",
  });
  const cwd = join(folder.path, "100% mine");
  Deno.mkdirSync(join(cwd, ".grid"));
  const env = { PATH: `${join(folder.path, "bin")}:${Deno.env.get("PATH")}` };
  const made = await grid(["ci", "init", "cron"], { cwd, env });
  assert.equal(made.code, 0, made.stderr);
  const line = read(cwd, "ci/crontab").split("\n").find((line) => line.startsWith("17 2")) ?? "";
  const place = cwd.replace("%", "\\%");
  const program = join(folder.path, "bin", "grid");
  assert.equal(
    line,
    `17 2 * * * cd '${place}' && exec ${program} run pipelines/my.yaml --quiet`,
  );
  assert.match(made.stderr, /^next {5}\(crontab -l 2>\/dev\/null; cat '.*'\) \| crontab -$/m);
  const missing = await grid(["ci", "init", "cron", "--pipeline", "pipelines/mi.yaml"], { cwd });
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /there is no such file\nhint: did you mean pipelines\/my\.yaml\?/);
});

Deno.test("grid ci init asks for a pipeline where it cannot know it, and for one with a plain name", async () => {
  using folder = project({
    "pipelines/a.yaml": "",
    "pipelines/b.yaml": "",
    "pipelines/a $& $(b).yaml": "",
  });
  const odd = ["--pipeline", "pipelines/a $& $(b).yaml"];
  const refused = await grid(["ci", "init", "gitlab", ...odd], { cwd: folder.path });
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /its name has blanks or signs/);
  const { code, stderr } = await grid(["ci", "init", "github"], { cwd: folder.path });
  assert.equal(code, 2);
  assert.match(stderr, /a\.yaml, b\.yaml/);
});

Deno.test("the cluster config: --config, GRID_CONFIG, the project's, the account's, in this order", async () => {
  const config = (name: string) =>
    `nodes: [{ name: ${name}, transport: local, remote_root: .grid/nodes/${name} }]\n`;
  using folder = project({ "flag.yaml": config("flag"), "env.yaml": config("env") });
  using home = project({ ".config/grid/cluster_config.yaml": config("account") });
  using elsewhere = tempDir();
  const nodes = async (args: readonly string[], env: Readonly<Record<string, string>>) => {
    const { stdout, stderr, code } = await grid(["health", "--json", ...args], {
      cwd: folder.path,
      env: { HOME: home.path, XDG_CONFIG_HOME: "", ...env },
    });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout).nodes.map(({ node }: { readonly node: string }) => node);
  };
  assert.deepEqual(await nodes([], {}), ["account"]);
  assert.deepEqual(await nodes([], { HOME: elsewhere.path }), ["local1", "local2"]);
  Deno.mkdirSync(join(folder.path, "config"));
  Deno.writeTextFileSync(join(folder.path, "config/cluster_config.yaml"), config("own"));
  assert.deepEqual(await nodes([], {}), ["own"]);
  assert.deepEqual(await nodes([], { GRID_CONFIG: "env.yaml" }), ["env"]);
  assert.deepEqual(await nodes(["--config", "flag.yaml"], { GRID_CONFIG: "env.yaml" }), ["flag"]);
});

function gitIn(cwd: string, ...lines: readonly string[]): string {
  let said = "";
  for (const line of lines) {
    const { success, stdout, stderr } = new Deno.Command("git", {
      args: ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", ...line.split(" ")],
      cwd,
    }).outputSync();
    assert.ok(success, new TextDecoder().decode(stderr));
    said = new TextDecoder().decode(stdout);
  }
  return said.trim();
}

testWith(
  ["git"],
  "grid init --from git+… begins with a file of another repository, its templates pinned",
  async () => {
    using team = project({
      "jobs/train.yaml":
        "name: train\nsteps:\n  - { id: a, run: echo from the team }\n  - { id: b, uses: ../shared/score.yaml }\n",
      "shared/score.yaml": "name: score\nsteps: [{ id: s, run: echo scored }]\n",
    });
    gitIn(team.path, "init --quiet -b main", "add --all", "commit --quiet -m one", "tag v1");
    const commit = gitIn(team.path, "rev-parse HEAD");
    using folder = project({});
    const cwd = { cwd: folder.path };
    const init = await grid(["init", "--from", `git+file://${team.path}//jobs/train.yaml@v1`], cwd);
    assert.equal(init.code, 0, init.stderr);
    assert.match(
      read(folder.path, "pipelines/train.yaml"),
      /uses: git\+file:.*\/\/shared\/score.yaml@v1 \}/,
    );
    assert.ok(read(folder.path, "grid.lock.json").includes(commit));
    gitIn(team.path, "tag --delete v1");
    const run = await grid(["run", "pipelines/train.yaml"], cwd);
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stderr, /b\/s/);

    using other = project({});
    for (
      const [from, words] of [
        [`git+file://${team.path}//jobs/none.yaml@main`, /no file jobs\/none.yaml at main/],
        ["git+file:///nowhere.git//a.yaml@main", /cannot fetch main/],
        ["git+https://host/a.yaml", /not of the form/],
      ] as const
    ) {
      const wrong = await grid(["init", "--from", from], { cwd: other.path });
      assert.deepEqual(
        [wrong.code, existsSync(join(other.path, "config"))],
        [2, false],
        wrong.stderr,
      );
      assert.match(wrong.stderr, words);
      assert.match(wrong.stderr, /^error: Cannot begin with "git\+/);
    }
  },
);

testWith(
  ["git"],
  "a worktree of git, and a project inside a repository of many, are projects of their own",
  async () => {
    using repository = project({ "README": "many\n", "ml/train.py": "print(1)\n" });
    gitIn(repository.path, "init --quiet -b main", "add --all", "commit --quiet -m one");
    gitIn(repository.path, "worktree add --quiet trees/next -b next");
    for (const place of ["ml", "trees/next/ml"]) {
      const cwd = { cwd: join(repository.path, place) };
      assert.equal((await grid(["init"], cwd)).code, 0);
      Deno.mkdirSync(join(cwd.cwd, "deep"));
      const run = await grid(["run", "../pipelines/hello.yaml"], { cwd: join(cwd.cwd, "deep") });
      assert.equal(run.code, 0, run.stderr);
      assert.ok(existsSync(join(cwd.cwd, ".grid", "runs")), `runs of ${place} lie in it`);
      assert.equal((await grid(["ci", "init", "github"], cwd)).code, 0);
      const root = place === "ml" ? repository.path : join(repository.path, "trees/next");
      const workflow = read(root, ".github/workflows/grid.yml");
      assert.match(workflow, /^ {4}defaults:\n {6}run:\n {8}working-directory: ml$/m);
      assert.match(workflow, /path: ml\/\.grid\/runs\//);
      assert.equal((await grid(["ci", "init", "gitlab"], cwd)).code, 0);
      const gitlab = read(root, ".gitlab-ci.yml");
      assert.match(gitlab, /before_script:\n {4}- cd ml\n/);
      assert.match(gitlab, /junit: ml\/\.grid\/runs\/\*\/junit\.xml/);
      assert.equal((await grid(["ci", "init", "jenkins"], cwd)).code, 0);
      assert.doesNotMatch(
        read(root, "Jenkinsfile"),
        /sh '(?!cd ml && )|(?:junit|artifacts:) '\.grid/,
      );
      const other = place === "ml" ? "trees/next" : "";
      assert.ok(
        !existsSync(join(repository.path, other, place === "ml" ? "ml/.grid" : ".grid/runs")),
      );
    }
    assert.equal((await grid(["runs", "--json"], { cwd: join(repository.path, "ml") })).code, 0);
  },
);
