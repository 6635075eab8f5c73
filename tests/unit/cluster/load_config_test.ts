import assert from "node:assert/strict";
import { join } from "node:path";
import { environmentsDigest, type Whereabouts } from "../../../src/cluster/environments_digest.ts";
import { loadClusterConfig } from "../../../src/cluster/load_config.ts";
import { GridError } from "../../../src/core/errors.ts";
import { DiagnosticsError } from "../../../src/document/diagnostic.ts";
import { REPOSITORY } from "../../support/cli.ts";
import { tempDir } from "../../support/temp_dir.ts";

const env = { HOME: "/home/ada" };

/** Loads a file with this text, from a project of its own. */
async function load(text: string) {
  using folder = tempDir();
  Deno.writeTextFileSync(join(folder.path, "cluster.yaml"), text);
  return await loadClusterConfig({ file: "cluster.yaml", project: folder.path, env });
}

/** `line:column rule message | hint` per mistake. */
async function mistakes(text: string): Promise<string[]> {
  const error = await load(text).then(() => undefined, (thrown) => thrown);
  assert.ok(error instanceof DiagnosticsError, String(error));
  assert.equal(error.code, "cluster-invalid");
  assert.equal(error.exitCode, 2);
  return error.diagnostics.map(({ place, rule, message, hint }) =>
    `${place.line}:${place.column} ${rule} ${message}${hint ? ` | ${hint}` : ""}`
  );
}

Deno.test("loadClusterConfig() without a file gives two local nodes and embedded Ray", async () => {
  const config = await loadClusterConfig({ project: "/nowhere", env });
  assert.equal(config.file, undefined);
  assert.equal(config.ray.mode, "embedded");
  assert.deepEqual(config.nodes.map((node) => [node.name, node.endpoint.transport]), [
    ["local1", "local"],
    ["local2", "local"],
  ]);
  assert.deepEqual(config.nodes.map((node) => node.remoteRoot), [
    "/nowhere/.grid/nodes/local1",
    "/nowhere/.grid/nodes/local2",
  ]);
});

Deno.test("the config that is checked in says what the built-in default says", async () => {
  const { file: _, ...builtIn } = await loadClusterConfig({ project: "/nowhere", env });
  const { file, ...checkedIn } = await loadClusterConfig({
    file: join(REPOSITORY, "config", "cluster_config.yaml"),
    project: "/nowhere",
    env,
  });
  assert.ok(file?.endsWith("cluster_config.yaml"));
  assert.deepEqual(checkedIn, builtIn);
});

Deno.test("loadClusterConfig() finds config/cluster_config.yaml of the project", async () => {
  using folder = tempDir();
  Deno.mkdirSync(join(folder.path, "config"));
  Deno.writeTextFileSync(join(folder.path, "config", "cluster_config.yaml"), "nodes: [a]\n");
  const config = await loadClusterConfig({ project: folder.path, env });
  assert.deepEqual(config.nodes.map(({ name }) => name), ["a"]);
});

Deno.test("the example's values are the defaults of the code", async () => {
  const example = await loadClusterConfig({
    file: join(REPOSITORY, "config", "cluster_config.example.yaml"),
    project: "/project",
    env,
  });
  const bare = await load("nodes: [gpu1, gpu2]\n");
  assert.deepEqual(example.nodes.slice(0, 2), bare.nodes);
  for (const section of ["ssh", "health", "jobs", "sync"] as const) {
    assert.deepEqual(example[section], bare[section], section);
  }
  assert.deepEqual({ ...example.ray, isAsked: false }, bare.ray);
});

Deno.test("the example shows every key that the schema knows", async () => {
  const { clusterSchema } = await import("../../../src/cluster/schema.ts");
  const { keysAt } = await import("../../../src/document/shape/shape.ts");
  const text = Deno.readTextFileSync(join(REPOSITORY, "config", "cluster_config.example.yaml"));
  const sections = [[], ["nodes", 0], ["ssh"], ["health_check"], ["jobs"], ["sync"], ["ray"]];
  const keys = sections.flatMap((path) => keysAt(clusterSchema, path));
  assert.ok(keys.length > 35, `${keys.length} keys`);
  for (const key of keys) assert.match(text, new RegExp(`^[\\s#-]*${key}:`, "m"), key);
});

Deno.test("every key of the design's reference is read", async () => {
  const config = await load(`
nodes: [gpu1, { name: gpu3, host: 10.0.0.7, port: 2222, user: ml, labels: [a100, 3090], transport: ssh, gpus: 4, remote_root: /data, key_file: ~/k3, known_hosts: kh, proxy_jump: bastion }]
remote_root: ~/work
ssh: { timeout: 11, connect_timeout: 6, max_retries: 4, pool_size: 12, key_file: ~/.ssh/k, known_hosts: /etc/kh, proxy_jump: hop, keepalive: 7.5 }
health_check: { timeout: 4, max_workers: 21, cpu_weight: 2.0, gpu_weight: 5.0, refresh_interval: 61 }
jobs: { lease: 90 }
sync: { exclude_patterns: [a], use_checksums: false, follow_symlinks: true, max_parallel_transfers: 6 }
ray: { dashboard_port: 8266, redis_port: 6380, head_bind_all: false, namespace: mine, log_level: debug, object_store_memory: 100000000, gpus: 3, temp_dir: ~/ray, spill_dir: /scratch, mode: existing, address: "http://h:1", head: gpu1, version: "2.58.0", dashboard_host: 0.0.0.0 }
`);
  const [first, second] = config.nodes;
  assert.ok(first && second);
  assert.deepEqual(first, {
    name: "gpu1",
    endpoint: {
      name: "gpu1",
      transport: "ssh",
      host: undefined,
      port: undefined,
      user: undefined,
      keyFile: "/home/ada/.ssh/k",
      knownHosts: "/etc/kh",
      proxyJump: "hop",
      connectTimeoutMs: 6000,
      commandTimeoutMs: 11_000,
      keepaliveMs: 7500,
      maxRetries: 4,
    },
    labels: [],
    gpus: undefined,
    remoteRoot: "~/work",
  });
  assert.deepEqual(second.labels, ["a100", "3090"]);
  assert.equal(second.gpus, 4);
  assert.equal(second.remoteRoot, "/data");
  const { host, port, user, keyFile, knownHosts, proxyJump } = second.endpoint;
  assert.deepEqual([host, port, user, keyFile, proxyJump], [
    "10.0.0.7",
    2222,
    "ml",
    "/home/ada/k3",
    "bastion",
  ]);
  assert.match(knownHosts ?? "", /^\/.*\/kh$/, "relative to the project");
  assert.deepEqual(config.ssh, { poolSize: 12 });
  assert.deepEqual(config.health, {
    timeoutMs: 4000,
    maxWorkers: 21,
    cpuWeight: 2,
    gpuWeight: 5,
    refreshIntervalMs: 61_000,
  });
  assert.deepEqual(config.jobs, { leaseMs: 90_000 });
  assert.deepEqual(config.sync, {
    excludePatterns: ["a"],
    useChecksums: false,
    followSymlinks: true,
    maxParallelTransfers: 6,
  });
  assert.deepEqual(config.ray, {
    mode: "existing",
    isAsked: true,
    address: "http://h:1",
    head: "gpu1",
    version: "2.58.0",
    dashboardHost: "0.0.0.0",
    dashboardPort: 8266,
    gcsPort: 6380,
    headBindAll: false,
    namespace: "mine",
    logLevel: "debug",
    objectStoreMemory: 100_000_000,
    gpus: 3,
    tempDir: "~/ray",
    spillDir: "/scratch",
  });
});

Deno.test("an empty section has its defaults", async () => {
  const config = await load("nodes: [a]\nssh:\nhealth_check:\nsync:\nray:\n");
  assert.deepEqual({ ...config, file: undefined }, {
    ...await load("nodes: [a]\n"),
    file: undefined,
  });
});

Deno.test("ray.address alone means an existing cluster", async () => {
  assert.equal((await load("nodes: [a]\nray: {address: 'http://h:1'}\n")).ray.mode, "existing");
});

Deno.test("unknown keys are named with what was meant", async () => {
  assert.deepEqual(
    await mistakes(`nodes:
  - { name: a, hots: b }
ssh: { conect_timeout: 3 }
healthcheck: { timeout: 3 }
`),
    [
      '2:16 unknown-key unknown key "hots" | did you mean "host"?',
      '3:8 unknown-key unknown key "conect_timeout" | did you mean "connect_timeout"?',
      '4:1 unknown-key unknown key "healthcheck" | did you mean "health_check"?',
    ],
  );
});

const WRONG: readonly (readonly [name: string, text: string, expected: RegExp])[] = [
  ["an empty file", "# nothing yet\n", /^1:1 empty-file .*\| write the nodes/],
  ["nodes that are no list", "nodes: gpu1\n", /^1:8 .*found text "gpu1" \| write \[gpu1\]/],
  ["a word of the ssh config", "nodes: [{ name: a, hostname: b }]\n", /^1:20 .*\| write host:/],
  ["a mode with a slip", "nodes: [a]\nray: { mode: manged }\n", /^2:14 .*mean "managed"\?/],
  ["no nodes at all", "ssh: {}\n", /missing key "nodes"/],
  ["an empty list of nodes", "nodes: []\n", /^1:8 .*at least one node/],
  [
    "a duration with a unit",
    "nodes: [a]\nssh: { timeout: 10s }\n",
    /^2:17 .*number of seconds.*"10s"/,
  ],
  ["a time of zero", "nodes: [a]\nssh: { timeout: 0 }\n", /^2:17 /],
  ["a port out of range", "nodes: [{ name: a, port: 70000 }]\n", /^1:26 .*at most 65535/],
  ["no workers", "nodes: [a]\nhealth_check: { max_workers: 0 }\n", /^2:30 .*at least 1/],
  ["a negative weight", "nodes: [a]\nhealth_check: { cpu_weight: -1 }\n", /^2:29 /],
  [
    "an unknown transport",
    "nodes: [{ name: a, transport: telnet }]\n",
    /^1:31 .*write ssh, openssh or local/,
  ],
  ["user@host as a name", "nodes: [ml@gpu1]\n", /^1:9 .*ml@gpu1.*\| write a map/],
  ["a name that is an option", "nodes: [-oProxyCommand=x]\n", /^1:9 .*not usable/],
  ["a host that is an option", "nodes: [{ name: a, host: -x }]\n", /^1:26 .*not a host/],
  ["the same name twice", "nodes:\n  - a\n  - { name: a }\n", /^3:13 duplicate-node/],
  ["the reserved name", "nodes: [local]\n", /^1:9 reserved-name/],
  [
    "a variable in it",
    "nodes: [a]\nremote_root: /scratch/$USER/ws\n",
    /^2:14 root-variable.*\$USER/,
  ],
  ["the home in it", 'nodes: [a]\nremote_root: "${HOME}/ws"\n', /^2:14 root-variable.*~\/ws/],
  [
    "a variable of a node",
    "nodes: [{ name: a, transport: local, remote_root: $HOME }]\n",
    /root-variable/,
  ],
  ["a relative remote root", "nodes: [a]\nremote_root: work\n", /^2:14 relative-root.*~\/work/],
  ["a host for a local node", "nodes: [{ name: a, transport: local, host: b }]\n", /^1:44 useless/],
  ["a head that is no node", "nodes: [gpu1]\nray: { head: gpu2 }\n", /^2:14 unknown-node.*gpu1/],
  ["existing without address", "nodes: [a]\nray: { mode: existing }\n", /^2:14 missing-key/],
  ["a version that is a number", "nodes: [a]\nray: { version: 2.5 }\n", /^2:17 wrong-type/],
  ["broken YAML", "nodes: [a\nssh: {}\n", /^\d+:\d+ yaml-syntax/],
  [
    "two local nodes in one folder",
    "nodes: [{ name: a, transport: local }, { name: b, transport: local }]\n",
    /^1:48 shared-root/,
  ],
];

for (const [name, text, expected] of WRONG) {
  Deno.test(`loadClusterConfig() refuses ${name}`, async () => {
    const found = await mistakes(text);
    assert.ok(found.some((line) => expected.test(line)), found.join("\n"));
  });
}

Deno.test("a named file that is missing is an error that names it", async () => {
  await assert.rejects(
    () => loadClusterConfig({ file: "no.yaml", project: "/nowhere", env }),
    (error) => {
      assert.ok(error instanceof GridError);
      assert.equal(error.exitCode, 2);
      assert.match(error.message, /no\.yaml": there is no such file/);
      return true;
    },
  );
});

Deno.test("loadClusterConfig() takes a node by the system's own ssh, with a place of its own", async () => {
  const { nodes } = await load(
    "nodes: [{ name: a, transport: openssh, host: h, proxy_jump: b, key_file: /k }]\n",
  );
  const [endpoint] = nodes.map((node) => node.endpoint);
  assert.ok(endpoint);
  const { transport, host, proxyJump, keyFile } = endpoint;
  assert.deepEqual([transport, host, proxyJump, keyFile], ["openssh", "h", "b", "/k"]);
});

Deno.test("a node finds its own environment, and what it leaves out that of defaults", async () => {
  const config = await load(`
nodes:
  - gpu1
  - { name: gpu2, before: [], env: { B: 1.10 }, vars: { scratch: 0x1F, big: 1e400 } }
defaults: { before: module load cuda, env: { A: yes, B: all }, vars: { scratch: /tmp } }
local: { vars: { scratch: "~/x" } }
`);
  assert.deepEqual(config.nodes.map(({ environment }) => environment), [
    { before: ["module load cuda"], env: { A: "yes", B: "all" }, vars: { scratch: "/tmp" } },
    { before: [], env: { A: "yes", B: "1.10" }, vars: { scratch: "0x1F", big: "1e400" } },
  ]);
  assert.deepEqual(config.local, { before: [], env: {}, vars: { scratch: "~/x" } });
  assert.equal((await load("nodes: [gpu1]\n")).nodes[0]?.environment, undefined);
});

Deno.test("what a node finds is said in names and plain values", async () => {
  const text = "nodes: [{ name: a, env: { 1A: x } }]\n" +
    "defaults: { before: ['echo ${{ inputs.x }}'], vars: { s: '${{ node.t }}' }, envs: {} }\n";
  await assert.rejects(load(text), (error) => {
    assert.ok(error instanceof DiagnosticsError);
    const rules = error.diagnostics.map(({ rule, place }) => `${place.line}:${rule}`);
    assert.deepEqual(rules.toSorted(), ["1:invalid-key", "2:unknown-key"], rules.join());
    return true;
  });
  const sound = text.replace("1A", "A").replace(", envs: {}", "");
  await assert.rejects(load(sound), (error) => {
    assert.ok(error instanceof DiagnosticsError);
    const places = error.diagnostics.map(({ rule, place }) =>
      `${place.line}:${place.column} ${rule}`
    );
    assert.deepEqual(places, ["2:22 plain-place", "2:58 plain-place"]);
    return true;
  });
});

Deno.test("what a step depends on changes with the nodes that it may run on, and with nothing else", async () => {
  const words = async (nodes: string, where: Whereabouts, reads: readonly string[] | "all" = []) =>
    environmentsDigest(await load(nodes), where, reads);
  const named = { kind: "named", name: "a" } as const;
  const best = { kind: "best" } as const;
  const plain = "nodes: [a, b]\n";
  assert.equal(await words(plain, best), undefined);
  const one = "nodes: [a, { name: b, labels: [x], env: { K: v }, vars: { s: /b } }]\n";
  assert.equal(await words(one, named), undefined);
  const before = await words(one, best);
  assert.match(before ?? "", /^\w{32}$/);
  // Another node that gives the same, values that nobody reads, the order of names.
  const same =
    "nodes: [a, c, { name: b, labels: [x], vars: { t: 1, s: /other }, env: { K: v } }]\n";
  assert.equal(await words(same, best), before);
  assert.notEqual(await words(same, best, ["s"]), before);
  assert.notEqual(await words(one.replace("K: v", "K: w"), best), before);
  assert.notEqual(await words(one, best, "all"), before);
  const labelled = { kind: "selector", selector: { labels: ["x"], among: [] } } as const;
  assert.notEqual(await words(one, labelled), undefined);
  const away = { kind: "selector", selector: { labels: [], among: [], exclude: ["b"] } } as const;
  assert.equal(await words(one, away), undefined);
  const here = `${plain}local: { before: ls }\n`;
  assert.equal(await words(here, best), undefined);
  assert.notEqual(await words(here, { kind: "named", name: "local" }), undefined);
});
