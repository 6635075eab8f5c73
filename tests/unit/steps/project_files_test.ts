import assert from "node:assert/strict";
import { globSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { findFiles, meantOf } from "../../../src/steps/project_files.ts";
import { writeFiles } from "../../support/sync_rig.ts";
import { tempDir } from "../../support/temp_dir.ts";

function tree(): ReturnType<typeof tempDir> {
  const home = tempDir();
  const names = ["a", "b.py", "d/c.py", "d/.z.py", "d/e/f.py", ".h/x.py", ".h/i/y.py", "real/r.py"];
  writeFiles(home.path, Object.fromEntries(names.map((name) => [`in/${name}`, name])));
  writeFiles(home.path, { "beside.txt": "" });
  for (const [link, target] of [["link", "real"], ["lf.py", "b.py"], ["broken", "nowhere"]]) {
    Deno.symlinkSync(target ?? "", join(home.path, "in", link ?? ""));
  }
  return home;
}

/** What the runtime's own globs find, on patterns that do it no harm. */
const SAME =
  "** **/*.py */** a/** d/** ./d/*.py link/* link/** */r.py l*/* **/r.py **/.h/* **/.* " +
  "**/.*/** .h/** d/../*.py */../b.py {a,b.py} [[:alpha:]] {1..3} ../*.txt ../in/*.py d/ d/**/ **/ " +
  "{d,real}/*.py d//c.py b.py/ */*/ [ a[ **/e/** **/d/**/*.py ./** . .. {a {a} a} {a,} {,a} [a-] " +
  "[!.]* ?h .?? !a #a [b-a] [^.]*.py broken nowhere/* ***.py d/*/*.py";

for (const pattern of [...SAME.split(" "), ""]) {
  Deno.test(`findFiles() finds what node:fs does: ${pattern}`, () => {
    using home = tree();
    const cwd = join(home.path, "in");
    const found = globSync(pattern, { cwd })
      .filter((name) => statSync(resolve(cwd, name), { throwIfNoEntry: false })?.isFile());
    assert.deepEqual(findFiles([pattern], cwd), [...new Set(found)].toSorted());
  });
}

Deno.test("findFiles() gives each file once, sorted, for absolute patterns by its whole path", () => {
  using home = tree();
  const cwd = join(home.path, "in");
  assert.deepEqual(findFiles(["d/**", "**/c.py", "a"], cwd), ["a", "d/c.py", "d/e/f.py"]);
  assert.deepEqual(findFiles([`${cwd}/d/*.py`], "/"), [`${cwd}/d/c.py`]);
  assert.deepEqual(findFiles(["/../../nowhere-at-all"], cwd), []);
});

Deno.test("findFiles() follows a link to a folder where its name is written, and through no wildcard", () => {
  using home = tree();
  const cwd = join(home.path, "in");
  Deno.symlinkSync(".", join(cwd, "round"));
  assert.deepEqual(findFiles(["**/link/*.py"], cwd), ["link/r.py"]);
  assert.deepEqual(findFiles(["**/*"], cwd), [
    "a",
    "b.py",
    "d/c.py",
    "d/e/f.py",
    "lf.py",
    "real/r.py",
  ]);
  assert.deepEqual(findFiles(["**/round/**/a"], cwd), ["round/a"]);
});

Deno.test("findFiles() takes signs after a backslash as they are", () => {
  using home = tempDir();
  writeFiles(home.path, { "[x] (1).py": "", "{a,b}": "", "x": "" });
  assert.deepEqual(findFiles(["\\[x\\]*"], home.path), ["[x] (1).py"]);
  assert.deepEqual(findFiles(["\\{a,b\\}"], home.path), ["{a,b}"]);
});

Deno.test("findFiles() reads what only names open", () => {
  using home = tempDir();
  writeFiles(home.path, { "shut/in/a": "" });
  const path = join(home.path, "shut");
  Deno.chmodSync(path, 0o311);
  try {
    assert.deepEqual(findFiles(["shut/in/*", "nothing/*"], home.path), ["shut/in/a"]);
  } finally {
    Deno.chmodSync(path, 0o755);
  }
});

Deno.test("findFiles() names a pattern that it refuses, and says what to write", () => {
  using home = tempDir();
  const cases = { "{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}": /1000 patterns/ };
  for (
    const [pattern, why] of Object.entries({
      ...cases,
      "@(a|b).py": /@\(…\) means nothing/,
      "**/../x": /"\.\."/,
    })
  ) {
    assert.throws(() => findFiles(["*", pattern], home.path), (error) => {
      const { code, message, hint } = error as { code: string; message: string; hint: string };
      assert.equal(code, "step-failed");
      assert.ok(message.startsWith(`Cannot read the glob "${pattern}": `), message);
      assert.match(message, why);
      return hint.length > 0;
    });
  }
});

Deno.test("findFiles() is done in a moment with dozens of wildcards and a long name", () => {
  using home = tempDir();
  const long = "a".repeat(200);
  writeFiles(home.path, { [`${long}/${long}`]: "" });
  assert.deepEqual(findFiles([`${"*a".repeat(50)}*b`, `**/${"*[ab]".repeat(50)}b`], home.path), []);
  assert.deepEqual(findFiles([`${"**/".repeat(500)}${"*a".repeat(50)}`], home.path), [
    `${long}/${long}`,
  ]);
});

Deno.test("meantOf() tells of paths whose files are gone", () => {
  const paths = ["src/a.py", "src/.b.py", "src/x/c.py", "../beside/d.py"];
  assert.deepEqual(meantOf(["./src/**", "../*/*.py"], paths), [
    "src/a.py",
    "src/x/c.py",
    "../beside/d.py",
  ]);
  assert.deepEqual(meantOf(["src/{a,x/*}.py"], paths), ["src/a.py", "src/x/c.py"]);
  assert.deepEqual(meantOf(["src/"], paths), []);
});
