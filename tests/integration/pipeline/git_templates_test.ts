/** Templates out of a real git repository, pinned in a lock file. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DiagnosticsError } from "../../../src/document/diagnostic.ts";
import { loadPipeline } from "../../../src/pipeline/load.ts";
import { testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";

async function git(folder: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("git", {
    args: ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args],
    cwd: folder,
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

/** A repository whose template runs `echo <word>`, and uses another beside it. */
async function commitTemplate(repository: string, word: string): Promise<string> {
  if (!existsSync(join(repository, ".git"))) await git(repository, "init", "--quiet", "-b", "main");
  Deno.mkdirSync(join(repository, "t"), { recursive: true });
  Deno.writeTextFileSync(
    join(repository, "t/outer.yaml"),
    "steps:\n  - { id: inner, uses: ../inner.yaml }\n",
  );
  Deno.writeTextFileSync(
    join(repository, "inner.yaml"),
    `steps:\n  - { id: say, run: echo ${word} }\n`,
  );
  await git(repository, "add", ".");
  await git(repository, "commit", "--quiet", "-m", word);
  return await git(repository, "rev-parse", "HEAD");
}

async function load(project: string, uses: string): Promise<string> {
  const file = join(project, "main.yaml");
  Deno.writeTextFileSync(file, `steps:\n  - { id: a, uses: "${uses}" }\n`);
  const { pipeline } = await loadPipeline({ file, project, env: {} });
  const action = pipeline.steps.find((step) => step.id === "a/inner/say")?.action;
  assert.ok(action?.kind === "run");
  return action.run.constant ?? "";
}

testWith(["git"], "a template from git stays at the commit where it was pinned", async () => {
  using repository = tempDir();
  using project = tempDir();
  const first = await commitTemplate(repository.path, "one");
  const uses = `git+file://${repository.path}//t/outer.yaml@main`;
  assert.equal(await load(project.path, uses), "echo one");
  await git(project.path, "init", "--quiet");
  assert.equal(
    await git(project.path, "status", "--short", "-uall"),
    "?? grid.lock.json\n?? main.yaml",
    "what was fetched is not for the project's own repository",
  );
  const lock = JSON.parse(Deno.readTextFileSync(join(project.path, "grid.lock.json")));
  assert.deepEqual(lock, {
    version: 1,
    templates: { [`file://${repository.path}@main`]: first },
  });

  const second = await commitTemplate(repository.path, "two");
  assert.equal(await load(project.path, uses), "echo one", "the branch moved, the pin did not");
  Deno.removeSync(join(project.path, "grid.lock.json"));
  assert.equal(await load(project.path, uses), "echo two");
  assert.notEqual(first, second);
});

testWith(["git"], "a pinned commit is fetched again where the cache is gone", async () => {
  using repository = tempDir();
  using project = tempDir();
  await commitTemplate(repository.path, "one");
  const uses = `git+file://${repository.path}//t/outer.yaml@main`;
  await load(project.path, uses);
  await commitTemplate(repository.path, "two");
  Deno.removeSync(join(project.path, ".grid"), { recursive: true });
  assert.equal(await load(project.path, uses), "echo one");
});

testWith(["git"], "what was fetched once needs no repository", async () => {
  using project = tempDir();
  {
    using repository = tempDir();
    await commitTemplate(repository.path, "one");
    const uses = `git+file://${repository.path}//t/outer.yaml@main`;
    await load(project.path, uses);
    Deno.writeTextFileSync(join(project.path, "uses"), uses);
  }
  assert.equal(
    await load(project.path, Deno.readTextFileSync(join(project.path, "uses"))),
    "echo one",
  );
});

testWith(["git"], "a missing ref, file or repository is reported at uses:", async () => {
  using repository = tempDir();
  using project = tempDir();
  await commitTemplate(repository.path, "one");
  const at = `git+file://${repository.path}`;
  for (const uses of [`${at}//t/outer.yaml@nope`, `${at}//nope.yaml@main`, `${at}x//a.yaml@main`]) {
    await assert.rejects(() => load(project.path, uses), (error) => {
      assert.ok(error instanceof DiagnosticsError);
      const [found] = error.diagnostics;
      assert.equal(found?.rule, "missing-template");
      assert.equal(found?.place.line, 2);
      assert.match(found?.hint ?? "", /git says: fatal/);
      return true;
    });
  }
  assert.ok(!existsSync(join(project.path, "grid.lock.json")), "nothing wrong is pinned");
});
