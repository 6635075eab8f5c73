import assert from "node:assert/strict";
import { join } from "node:path";
import { tempDir } from "../../support/temp_dir.ts";
import { testWith } from "../../support/requires.ts";

const EXAMPLE = new URL("../../../examples/train/", import.meta.url).pathname;

async function python(cwd: string, args: readonly string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command("python3", {
    args: [...args],
    cwd,
    env: { PYTHONDONTWRITEBYTECODE: "1", PYTHONPATH: EXAMPLE, ...env },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

testWith(["python3"], "examples/train learns to read digits, the same way every time", async () => {
  using first = tempDir();
  using second = tempDir();
  const train = [join(EXAMPLE, "train.py"), "--epochs", "4"];
  const text = await python(first.path, train);
  await python(second.path, train);
  const metrics = JSON.parse(Deno.readTextFileSync(join(first.path, "metrics.json")));
  assert.ok(metrics.accuracy >= 0.9, `accuracy ${metrics.accuracy}`);
  assert.equal(metrics.training_rows + metrics.held_out_rows, 1797);
  assert.match(text, new RegExp(`accuracy ${metrics.accuracy.toFixed(4)} on 359 held-out digits`));
  const model = (folder: string) => Deno.readTextFileSync(join(folder, "model.json"));
  assert.equal(model(first.path), model(second.path));
});

testWith(["python3"], "examples/train: shards together score what training measured", async () => {
  using folder = tempDir();
  await python(folder.path, [join(EXAMPLE, "train.py"), "--epochs", "2"]);
  const metrics = JSON.parse(Deno.readTextFileSync(join(folder.path, "metrics.json")));
  const program =
    "import json, tasks; print(json.dumps([tasks.score_shard(n) for n in range(10)]))";
  const shards: { rows: number; correct: number }[] = JSON.parse(
    await python(folder.path, ["-c", program]),
  );
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const rows = sum(shards.map((shard) => shard.rows));
  const correct = sum(shards.map((shard) => shard.correct));
  assert.equal(rows, metrics.held_out_rows);
  assert.equal((correct / rows).toFixed(4), metrics.accuracy.toFixed(4));
  const summary = await python(folder.path, [join(EXAMPLE, "summarise.py")], {
    SHARDS: JSON.stringify(shards),
    ACCURACY: String(metrics.accuracy),
  });
  assert.match(summary, new RegExp(`scored   ${metrics.accuracy.toFixed(4)} `));
});
