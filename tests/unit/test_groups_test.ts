import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { SLOW, testGroups } from "../support/test_groups.ts";
import { tempDir } from "../support/temp_dir.ts";

const TESTS = fileURLToPath(new URL("..", import.meta.url));

Deno.test("every test file is run once, by a file whose name says what it loads; slow ones alone, and first", () => {
  using folder = tempDir();
  const groups = testGroups(TESTS, folder.path);
  const loaded = groups.map((group) =>
    [...Deno.readTextFileSync(group).matchAll(/^import "file:\/\/(.*)";$/gm)].map(([, path = ""]) =>
      path.slice(TESTS.length)
    )
  );
  assert.deepEqual(loaded.flat().toSorted(), filesBelow(TESTS).toSorted());
  assert.equal(new Set(groups).size, groups.length);
  const named = groups.map((group) => group.slice(folder.path.length + 1));
  assert.ok(named.includes("unit_cli_test.ts") && named.includes("e2e_install_test.ts"));
  SLOW.forEach((slow, at) => {
    if (slow.endsWith(".ts")) assert.deepEqual(loaded[at], [slow]);
    else assert.ok(loaded[at]?.every((file) => file.startsWith(`${slow}/`)), slow);
  });
});

function filesBelow(folder: string, inside = ""): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return filesBelow(`${folder}/${name}`, `${inside}${name}/`);
    return name.endsWith("_test.ts") ? [inside + name] : [];
  });
}
