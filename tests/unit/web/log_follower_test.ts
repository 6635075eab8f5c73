import assert from "node:assert/strict";
import { CHUNK_BYTES, LogFollower, MOST_LINES } from "../../../src/web/log_follower.ts";
import { tempDir } from "../../support/temp_dir.ts";

async function all(follower: LogFollower): Promise<string> {
  let text = "";
  for (let part = await follower.next(); part !== undefined; part = await follower.next()) {
    if (part.note !== undefined) text += `[${part.note}]`;
    text += part.lines.text.replaceAll(/<div>(.*?)<\/div>/g, "$1\n");
  }
  return text;
}

Deno.test("a log that is not there yet, or grows, or is cut short, is read as it stands", async () => {
  using dir = tempDir();
  const path = `${dir.path}/log`;
  const follower = new LogFollower(path, 0);
  assert.equal(await follower.next(), undefined);
  Deno.writeTextFileSync(path, "one\ntw");
  const part = await follower.next();
  assert.deepEqual([part?.lines.text, part?.open.text, part?.at], ["<div>one</div>", "tw", 4]);
  assert.equal(await follower.next(), undefined);
  Deno.writeTextFileSync(path, "o ünï\n", { append: true });
  assert.equal((await follower.next())?.lines.text, "<div>two ünï</div>");
  Deno.writeTextFileSync(path, "new\n");
  assert.equal((await follower.next())?.lines.text, "<div>new</div>");
});

Deno.test("of a long log the end is shown, and that something is left out", async () => {
  using dir = tempDir();
  const path = `${dir.path}/log`;
  const lines = Array.from({ length: 50_000 }, (_, at) => `the line ${at}`);
  Deno.writeTextFileSync(path, `${lines.join("\n")}\n`);
  const text = await all(new LogFollower(path));
  assert.match(text, /^\[… .* left out\]the line \d+\n/);
  assert.ok(text.endsWith("the line 49998\nthe line 49999\n"));
  assert.ok(text.length <= CHUNK_BYTES + 100);
  // Whoever is a little behind is shown all of it.
  const size = Deno.statSync(path).size;
  const rest = await all(new LogFollower(path, size - 2 * CHUNK_BYTES));
  assert.ok(rest.length >= 2 * CHUNK_BYTES - 100 && !rest.includes("left out"));
});

Deno.test("a line without an end is shown in parts", async () => {
  using dir = tempDir();
  const path = `${dir.path}/log`;
  Deno.writeTextFileSync(path, "x".repeat(3 * CHUNK_BYTES));
  const follower = new LogFollower(path, 0);
  let parts = 0;
  while (await follower.next() !== undefined) parts++;
  assert.ok(parts >= 3 && parts < 6);
});

Deno.test("of very many short lines the last are shown: a page of all of them stops a browser", async () => {
  using dir = tempDir();
  const path = `${dir.path}/log`;
  const all = CHUNK_BYTES / 2;
  Deno.writeTextFileSync(path, "\n".repeat(all - 1) + "last\nopen");
  const part = await new LogFollower(path, 0).next();
  assert.equal(part?.lines.text.match(/<div>/g)?.length, MOST_LINES);
  assert.ok(part?.lines.text.endsWith("<div>last</div>"));
  assert.equal(part?.open.text, "open");
  assert.equal(part?.note, `… ${all - MOST_LINES} lines left out`);
  // What is left out of bytes is told, too.
  Deno.writeTextFileSync(path, "\n".repeat(3 * CHUNK_BYTES));
  const end = await new LogFollower(path).next();
  assert.equal(end?.lines.text.match(/<div>/g)?.length, MOST_LINES);
  assert.match(end?.note ?? "", /^… 512.0 KiB and \d+ lines left out$/);
});

Deno.test("a character at the end of what is read at once stays whole", async () => {
  using dir = tempDir();
  const path = `${dir.path}/log`;
  Deno.writeTextFileSync(path, `x${"€".repeat(CHUNK_BYTES / 2)}\n`);
  const text = await all(new LogFollower(path, 0));
  assert.ok(!text.includes("\ufffd"));
});
