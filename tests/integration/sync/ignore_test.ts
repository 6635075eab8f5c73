/** Git itself says which files are left out; Grid must agree. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { join } from "node:path";
import { openIgnoreRules } from "../../../src/sync/ignore.ts";
import { walkSource } from "../../../src/sync/walk.ts";
import { testWith } from "../../support/requires.ts";
import { writeFiles } from "../../support/sync_rig.ts";
import { tempDir } from "../../support/temp_dir.ts";

async function listed(source: string): Promise<string[]> {
  const rules = openIgnoreRules({ source, exclude: [], excludeFrom: undefined });
  const signal = AbortSignal.timeout(30_000);
  const walk = await walkSource({ source, rules, followSymlinks: false, signal });
  return walk.found.filter((it) => it.type !== "folder").map((it) => it.path);
}

function gitListed(folder: string): string[] {
  const output = git(folder, "ls-files", "--others", "--cached", "--exclude-standard", "-z");
  return output.split("\0").filter((path) => path !== "").toSorted((a, b) => a < b ? -1 : 1);
}

function git(folder: string, ...args: string[]): string {
  const { code, stdout, stderr } = new Deno.Command("git", {
    args: ["-c", "core.excludesFile=/dev/null", ...args],
    cwd: folder,
  }).outputSync();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

const CASES: Record<string, Record<string, string>> = {
  "a mark before the first rule": {
    ".gitignore": "\ufeffsecrets/\n*.tmp\n",
    "secrets/key": "",
    "a.tmp": "",
    "b": "",
  },
  "last parts that look like comments, negations and blanks": {
    ".gitignore": "build/#auto\nbuild/!keep\ntab\t\nblank \ntabs\t\t  \n\\#hash\n",
    "build/#auto": "",
    "build/!keep": "",
    "build/keep": "",
    "tab": "",
    "tab\t": "",
    "tabs\t\t": "",
    "blank": "",
    "#hash": "",
  },
  "question marks and classes stand for bytes": {
    ".gitignore": "?.a\n??.b\n[!a].c\n[!a][!a].d\n\u00fc*.e\nna\u00efve/\n",
    "\u00fc.a": "",
    "x.a": "",
    "\u00fc.b": "",
    "\u00fc.c": "",
    "\u00fc.d": "",
    "\u00fcx.e": "",
    "na\u00efve/f": "",
    "\u540d.b": "",
  },
  "anchored and floating names": {
    ".gitignore": "/build\ntmp\n*.log\ndocs/*.txt\n",
    "build/a": "",
    "src/build/a": "",
    "tmp/x": "",
    "src/tmp/x": "",
    "a.log": "",
    "src/b.log": "",
    "docs/a.txt": "",
    "docs/deep/b.txt": "",
    "src/docs/c.txt": "",
  },
  "negation, and a folder that stays shut": {
    ".gitignore": "*.json\n!keep.json\nshut/\n!shut/in.txt\nopen/*\n!open/in.txt\n",
    "a.json": "",
    "keep.json": "",
    "x/keep.json": "",
    "shut/in.txt": "",
    "open/in.txt": "",
    "open/b": "",
  },
  "nested files override those above": {
    ".gitignore": "build\n*.tmp\n",
    "sub/.gitignore": "!build\n!*.tmp\nlocal\n",
    "sub/build/x": "",
    "sub/build/deep/y.tmp": "",
    "build/x": "",
    "sub/a.tmp": "",
    "a.tmp": "",
    "sub/local/z": "",
    "local/z": "",
    "sub/deeper/build/w": "",
  },
  "double stars, classes, escapes and comments": {
    ".gitignore": "**/cache\nlogs/**\na/**/z\n[ab].txt\n\\#hash\n# comment\n\\!bang\nspace\\ \n",
    "x/cache/1": "",
    "cache/2": "",
    "logs/deep/a": "",
    "a/z": "",
    "a/b/c/z": "",
    "a.txt": "",
    "c.txt": "",
    "#hash": "",
    "!bang": "",
    "space ": "",
    "z": "",
  },
  "a pattern for folders does not match files": {
    ".gitignore": "out/\n",
    "out": "",
    "sub/out/x": "",
  },
  "capitals count": { ".gitignore": "*.LOG\n", "a.log": "", "b.LOG": "" },
};

for (const [name, files] of Object.entries(CASES)) {
  testWith(["git"], `openIgnoreRules() agrees with git: ${name}`, async () => {
    using folder = tempDir();
    git(folder.path, "init", "-q");
    writeFiles(folder.path, files);
    assert.deepEqual(await listed(folder.path), gitListed(folder.path));
  });
}

testWith(
  ["git"],
  "openIgnoreRules() agrees with git: an ignore file that is a link is none",
  async () => {
    using folder = tempDir();
    git(folder.path, "init", "-q");
    writeFiles(folder.path, { rules: "*.log\n", "a.log": "", "b/c.log": "", "d/e.log": "" });
    Deno.symlinkSync("../rules", join(folder.path, "b", ".gitignore"));
    assert.deepEqual(await listed(folder.path), gitListed(folder.path));
    Deno.symlinkSync("rules", join(folder.path, ".gitignore"));
    assert.deepEqual(await listed(join(folder.path, "d")), ["e.log"]);
    Deno.removeSync(join(folder.path, ".git", "info", "exclude"));
    Deno.symlinkSync("../../rules", join(folder.path, ".git", "info", "exclude"));
    assert.deepEqual(await listed(folder.path), gitListed(folder.path));
  },
);

testWith(["git"], "openIgnoreRules() agrees with git on random trees and rules", async () => {
  const part = fc.constantFrom("a", "b", "c", "ab", "x.log", "y.txt", "build");
  const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
  const piece = fc.constantFrom("a", "b", "*", "**", "*.log", "build", "a*", "?b", "[ac]");
  const line = fc.tuple(
    fc.constantFrom("", "", "!"),
    fc.constantFrom("", "", "/"),
    fc.array(piece, { minLength: 1, maxLength: 3 }).map((pieces) => pieces.join("/")),
    fc.constantFrom("", "", "/"),
  ).map((parts) => parts.join(""));
  const rules = fc.array(line, { minLength: 1, maxLength: 5 }).map((lines) =>
    `${lines.join("\n")}\n`
  );
  const nested = fc.dictionary(fc.constantFrom("", "a/", "b/", "a/b/", "build/"), rules, {
    maxKeys: 3,
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(path, { minLength: 1, maxLength: 12 }),
      nested,
      async (paths, ignores) => {
        using folder = tempDir();
        git(folder.path, "init", "-q");
        for (const path of paths) tryWrite(folder.path, path);
        for (const [prefix, text] of Object.entries(ignores)) {
          tryWrite(folder.path, `${prefix}.gitignore`, text);
        }
        assert.deepEqual(await listed(folder.path), gitListed(folder.path));
      },
    ),
    { numRuns: 60 },
  );
});

testWith(
  ["git"],
  "openIgnoreRules() reads info/exclude and the files above a sub-folder",
  async () => {
    using folder = tempDir();
    git(folder.path, "init", "-q");
    Deno.writeTextFileSync(join(folder.path, ".git/info/exclude"), "secret.txt\n");
    writeFiles(folder.path, {
      ".gitignore": "*.log\n/sub/out\n",
      "sub/a.log": "",
      "sub/out/x": "",
      "sub/secret.txt": "",
      "sub/in/secret.txt": "",
      "sub/b.txt": "",
    });
    const sub = join(folder.path, "sub");
    assert.deepEqual(await listed(sub), ["b.txt"]);
    assert.deepEqual(await listed(sub), gitListed(sub));
  },
);

Deno.test("openIgnoreRules() syncs a folder that git ignores when it is asked for by name", async () => {
  using folder = tempDir();
  writeFiles(folder.path, { ".gitignore": "build/\n*.o\n", "build/app": "", "build/a.o": "" });
  Deno.mkdirSync(join(folder.path, ".git"));
  assert.deepEqual(await listed(join(folder.path, "build")), ["app"]);
});

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

testWith(
  ["git"],
  "ignore rules end at a repository inside the source, and its own begin",
  async () => {
    using folder = tempDir();
    const inner = join(folder.path, "lib");
    writeFiles(folder.path, {
      ".gitignore": "*.o\nlib/z\n",
      "a.o": "",
      "lib/y.o": "",
      "lib/z": "",
      "lib/deep/w.o": "",
      "lib/own.txt": "",
      "lib/deep/.gitignore": "w.*\n",
    });
    git(folder.path, "init", "-q");
    git(inner, "init", "-q");
    Deno.writeTextFileSync(join(inner, ".git/info/exclude"), "own.txt\n");
    assert.deepEqual(await listed(folder.path), [
      ".gitignore",
      ...gitListed(inner).map((path) => `lib/${path}`),
    ]);
    assert.deepEqual(gitListed(inner), ["deep/.gitignore", "y.o", "z"]);
  },
);
