/** Random trees and rules, of any spelling, with repositories inside: what Grid sends is what git lists. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { openIgnoreRules } from "../../../src/sync/ignore.ts";
import { walkSource } from "../../../src/sync/walk.ts";
import { testWith } from "../../support/requires.ts";
import { writeFiles } from "../../support/sync_rig.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** 500 take some minutes. */
const SETS = Number(Deno.env.get("GRID_TEST_IGNORE_SETS") ?? 12);

const ENV = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_AUTHOR_NAME: "t",
  GIT_AUTHOR_EMAIL: "t@example.org",
  GIT_COMMITTER_NAME: "t",
  GIT_COMMITTER_EMAIL: "t@example.org",
};

function git(folder: string, ...args: string[]): string {
  const { code, stdout, stderr } = new Deno.Command("git", { args, cwd: folder, env: ENV })
    .outputSync();
  assert.equal(code, 0, `git ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

const names = fc.constantFrom(
  ..."a b c ab abab x.log y.txt build #h !n \u00fc \u540d.log e\u0301 [x] a\\b ] - 7".split(" "),
  "sp ace",
  "tail ",
);
const paths = fc.array(names, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const pieces = fc.constantFrom(
  ..."a b * ** *.log build a* ?b [ac] [!a] ? ?? [a-c]* \u00fc* \u540d.* e? \\#h \\!n #h !n \\[x\\] a\\\\b"
    .split(" "),
  "sp ace",
  "sp\\ ace",
  "tail\\ ",
  ..."[[:alpha:]] [[:digit:]b] [[:none:]] [[:] []-] [^a]* [b-a] [!-] [\\]] [a a\\ a** **b a**b *** *a*b* ??* *.*o*"
    .split(" "),
);
const lines = fc.tuple(
  fc.constantFrom("", "", "", "!"),
  fc.constantFrom("", "", "/"),
  fc.array(pieces, { minLength: 1, maxLength: 3 }).map((each) => each.join("/")),
  fc.constantFrom("", "", "/", " ", "\t", "\r"),
).map((parts) => parts.join(""));
const texts = fc.tuple(
  fc.constantFrom("", "", "", "\ufeff"),
  fc.array(fc.oneof(lines, fc.constantFrom("", "# words")), { minLength: 1, maxLength: 5 }),
  fc.constantFrom("\n", ""),
).map(([mark, each, end]) => mark + each.join("\n") + end);

const sets = fc.record({
  files: fc.array(paths, { minLength: 1, maxLength: 14 }),
  ignores: fc.dictionary(fc.constantFrom("", "a/", "b/", "a/b/", "build/", "\u00fc/"), texts, {
    maxKeys: 3,
  }),
  exclude: fc.option(texts, { nil: undefined }),
  /** Added although a rule may leave them out. */
  forced: fc.array(paths, { maxLength: 3 }),
  nested: fc.option(
    fc.record({
      at: fc.constantFrom("a", "b", "build", "c/a"),
      kind: fc.constantFrom("repository", "submodule"),
      ignores: texts,
      files: fc.array(paths, { minLength: 1, maxLength: 5 }),
    }),
    { nil: undefined },
  ),
});

type IgnoreSet = typeof sets extends fc.Arbitrary<infer T> ? T : never;

/** Random paths may ask for a file where a folder is; the first one wins. */
function tryWrite(folder: string, path: string, text = ""): void {
  try {
    writeFiles(folder, { [path]: text });
  } catch (error) {
    const isClash = error instanceof Deno.errors.NotADirectory ||
      /os error (17|20|21)/.test(String(error));
    if (!isClash) throw error;
  }
}

function build(folder: string, { files, ignores, exclude, forced, nested }: IgnoreSet): void {
  git(folder, "init", "-q");
  if (nested !== undefined) {
    const inner = join(folder, nested.at);
    writeFiles(inner, { ".gitignore": nested.ignores, "kept": "" });
    for (const path of nested.files) tryWrite(inner, path);
    git(inner, "init", "-q");
    git(inner, "add", "-f", "kept");
    git(inner, "commit", "-q", "-m", "one");
    if (nested.kind === "submodule") {
      const commit = git(inner, "rev-parse", "HEAD").trim();
      git(folder, "update-index", "--add", "--cacheinfo", `160000,${commit},${nested.at}`);
    }
  }
  const isInner = (path: string) => nested !== undefined && `${path}/`.startsWith(`${nested.at}/`);
  for (const path of files.filter((path) => !isInner(path))) tryWrite(folder, path);
  for (const path of forced.filter((path) => !isInner(path))) {
    tryWrite(folder, path);
    const isFile = existsSync(join(folder, path)) && Deno.statSync(join(folder, path)).isFile;
    if (isFile) git(folder, "--literal-pathspecs", "add", "-f", "--", path);
  }
  for (const [prefix, text] of Object.entries(ignores)) {
    if (!isInner(prefix.slice(0, -1))) tryWrite(folder, `${prefix}.gitignore`, text);
  }
  if (exclude !== undefined) Deno.writeTextFileSync(join(folder, ".git/info/exclude"), exclude);
}

/** What git lists, and in the place of each repository inside what git lists there. */
function gitListed(folder: string): string[] {
  const found = git(folder, "ls-files", "--others", "--cached", "--exclude-standard", "-z").split(
    "\0",
  )
    .filter((path) => path !== "");
  return [...new Set(found)].flatMap((path) => {
    const at = path.replace(/\/$/, "");
    const isRepository = existsSync(join(folder, at, ".git"));
    return isRepository ? gitListed(join(folder, at)).map((inner) => `${at}/${inner}`) : [path];
  });
}

async function gridListed(source: string): Promise<string[]> {
  const rules = openIgnoreRules({ source, exclude: [], excludeFrom: undefined });
  const signal = AbortSignal.timeout(30_000);
  const walk = await walkSource({ source, rules, followSymlinks: false, signal });
  return walk.found.filter((it) => it.type !== "folder").map((it) => it.path);
}

testWith(["git"], `what is sent is what git lists, in ${SETS} random sets`, async () => {
  await fc.assert(
    fc.asyncProperty(sets, async (set) => {
      using folder = tempDir();
      build(folder.path, set);
      assert.deepEqual(
        (await gridListed(folder.path)).toSorted(),
        gitListed(folder.path).toSorted(),
      );
    }),
    { numRuns: SETS },
  );
});
