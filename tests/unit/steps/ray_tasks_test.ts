import assert from "node:assert/strict";
import { join } from "node:path";
import { parseTaskFile, readTasks } from "../../../src/steps/ray_tasks.ts";
import { tempDir } from "../../support/temp_dir.ts";

Deno.test("readTasks() counts a range from 0", async () => {
  assert.deepEqual(await readTasks({ range: 3 }, "/"), ["0", "1", "2"]);
  assert.deepEqual(await readTasks({ range: 0 }, "/"), []);
});

Deno.test("readTasks() takes a list as it is and an expression as JSON", async () => {
  assert.deepEqual(await readTasks({ list: ["a", 1] }, "/"), ['"a"', "1"]);
  assert.deepEqual(await readTasks({ expression: '[{"shard": 1}, 2]' }, "/"), ['{"shard":1}', "2"]);
});

Deno.test("readTasks() refuses an expression that is no list", async () => {
  await assert.rejects(readTasks({ expression: "12" }, "/"), {
    code: "ray",
    message: "Cannot read the tasks: the expression under `tasks` is not a list",
  });
});

Deno.test("readTasks() finds a file in the project folder", async () => {
  using folder = tempDir();
  Deno.writeTextFileSync(join(folder.path, "shards.jsonl"), '{"shard": 1}\n\n2\n"three"');
  assert.deepEqual(await readTasks({ file: "shards.jsonl" }, folder.path), [
    '{"shard": 1}',
    "2",
    '"three"',
  ]);
  await assert.rejects(readTasks({ file: "gone.jsonl" }, folder.path), {
    code: "ray",
    message: `Cannot read the tasks: file "${folder.path}/gone.jsonl" cannot be read`,
  });
});

Deno.test("readTasks() changes no byte of a file that is not UTF-8: it names the line", async () => {
  using folder = tempDir();
  Deno.writeFileSync(join(folder.path, "names.txt"), Uint8Array.of(97, 10, 98, 0xff, 10, 99));
  await assert.rejects(readTasks({ file: "names.txt" }, folder.path), {
    code: "ray",
    message: "Cannot read the tasks: names.txt:2 is not UTF-8 text",
  });
  Deno.writeFileSync(join(folder.path, "marked.txt"), Uint8Array.of(0xef, 0xbb, 0xbf, 97, 10));
  assert.deepEqual(await readTasks({ file: "marked.txt" }, folder.path), ['"a"']);
});

Deno.test("parseTaskFile() reads plain lines, whatever they hold", () => {
  assert.deepEqual(parseTaskFile("a b\r\n7\n\n{x\n", "files.txt"), ['"a b"', '"7"', '"{x"']);
});

Deno.test("parseTaskFile() keeps the spelling of every line of JSON", () => {
  const lines = ["1.0", "-0.0", "1e400", "NaN", '{"b": 2 , "a":[ ]}', "18446744073709551616"];
  assert.deepEqual(parseTaskFile(lines.join("\r\n"), "t.jsonl"), lines);
  assert.throws(() => parseTaskFile(`${"[".repeat(600)}${"]".repeat(600)}`, "t.jsonl"), {
    message: /nested more than/,
  });
});

Deno.test("parseTaskFile() names the line that is not JSON", () => {
  assert.throws(() => parseTaskFile('1\n\n{"a": }\n', "t.jsonl"), {
    code: "ray",
    message: /^Cannot read the tasks: t\.jsonl:3 is not JSON/,
  });
});

Deno.test("parseTaskFile() wants a list in a .json file", () => {
  assert.deepEqual(parseTaskFile("[1, [2]]", "t.json"), ["1", "[2]"]);
  assert.throws(() => parseTaskFile('{"a": 1}', "t.json"), /t\.json is not a list/);
});
