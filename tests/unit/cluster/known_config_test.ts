import assert from "node:assert/strict";
import { join } from "node:path";
import { keepConfig, knownConfig } from "../../../src/cluster/known_config.ts";
import { loadClusterConfig } from "../../../src/cluster/load_config.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { MemoryCache } from "./nodes.ts";

const env = { HOME: "/home/ada" };
const bytes = (text: string) => new TextEncoder().encode(text);

function rig(text: string) {
  const folder = tempDir();
  const cache = new MemoryCache();
  const write = (content: string) =>
    Deno.writeTextFileSync(join(folder.path, "cluster.yaml"), content);
  write(text);
  return {
    cache,
    write,
    load: () =>
      loadClusterConfig({
        file: "cluster.yaml",
        project: folder.path,
        env,
        rows: { cache, now: 1 },
      }),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

Deno.test("a config that was found well is the same the second time", async () => {
  using config = rig("nodes: [gpu1, { name: gpu2, host: 10.0.0.2, labels: [a100, 80] }]\n");
  const first = await config.load();
  assert.equal(config.cache.rows.size, 1);
  assert.deepEqual(await config.load(), first);
  assert.equal(config.cache.rows.size, 1);
});

Deno.test("one byte more is another config, with mistakes of its own", async () => {
  using config = rig("nodes: [gpu1]\n");
  await config.load();
  config.write("nodes: [gpu1, gpu1]\n");
  await assert.rejects(config.load(), /named twice/);
  config.write("nodes: [gpu1, gpu2]\n");
  assert.deepEqual((await config.load()).nodes.map(({ name }) => name), ["gpu1", "gpu2"]);
});

Deno.test("a config with mistakes is not known", async () => {
  using config = rig("nodes: [gpu1]\nhosts: [gpu2]\n");
  await assert.rejects(config.load());
  assert.equal(config.cache.rows.size, 0);
  await assert.rejects(config.load());
});

Deno.test("a damaged row is no config, and is replaced", async () => {
  using config = rig("nodes: [gpu1]\n");
  const first = await config.load();
  for (const json of ["", "{", "[]", '{"nodes": 3}', "null"]) {
    for (const key of config.cache.rows.keys()) config.cache.rows.set(key, { at: 1, json });
    assert.deepEqual(await config.load(), first, json);
    assert.ok([...config.cache.rows.values()].every((row) => row.json.includes("gpu1")));
  }
});

Deno.test("what JSON cannot say is read anew each time", async () => {
  const rows = { cache: new MemoryCache(), now: 1 };
  for (const timeout of [Number.POSITIVE_INFINITY, undefined]) {
    const value = { nodes: ["gpu1"], health_check: { timeout } };
    await keepConfig(rows, { content: bytes("x"), value: value as never });
    assert.equal(await knownConfig(rows, bytes("x")), undefined);
  }
});
