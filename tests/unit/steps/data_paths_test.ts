import assert from "node:assert/strict";
import { join } from "node:path";
import { commonDataEnv, dataEnv, dataPrelude, dataSource } from "../../../src/steps/data_paths.ts";
import { tempDir } from "../../support/temp_dir.ts";

const node = { node: { name: "n1" } } as Parameters<typeof dataEnv>[1];

Deno.test("a command finds the path on its own node, a batch only what is the same on all", () => {
  const data = { GRID_DATA_A: { n1: "/x", n2: "/y", local: "/z" }, GRID_DATA_B: { n2: "/b" } };
  assert.deepEqual(dataEnv({ data }, node), { GRID_DATA_A: "/x" });
  assert.deepEqual(dataEnv({}, node), {});
  assert.deepEqual(commonDataEnv(data), { GRID_DATA_B: "/b" });
});

Deno.test("a command starts only while its data set is whole there, and says that it uses it", async () => {
  using temp = tempDir();
  const set = join(temp.path, "it's", ".grid/data", "a".repeat(64));
  const data = { GRID_DATA_A: { n1: `${set}/tree` } };
  Deno.mkdirSync(`${set}/tree`, { recursive: true });
  Deno.mkdirSync(`${set}/jobs`);
  const prelude = dataPrelude({ data }, { node, trees: undefined });
  const run = async () => {
    const { code, stderr, stdout } = await new Deno.Command("sh", {
      args: ["-ec", `${prelude}echo began`],
      env: { GRID_JOB: "job1" },
    }).output();
    return [code, new TextDecoder().decode(stdout), new TextDecoder().decode(stderr)];
  };
  const [code, , said] = await run();
  assert.equal(code, 1);
  assert.match(String(said), /the data set of GRID_DATA_A is not on n1 any more/);
  Deno.writeTextFileSync(`${set}/seal`, "1\n");
  assert.deepEqual(await run(), [0, "began\n", ""]);
  assert.match(Deno.readTextFileSync(`${set}/jobs/job1`), /^\d+ \S+\n$/);
});

Deno.test("data lies with the code, or else with the project", () => {
  using temp = tempDir();
  const [code, project] = [join(temp.path, "code"), join(temp.path, "project")];
  Deno.mkdirSync(join(code, "small"), { recursive: true });
  assert.equal(dataSource("small", { code, project }), join(code, "small"));
  assert.equal(dataSource("large", { code, project }), join(project, "large"));
});
