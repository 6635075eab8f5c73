import assert from "node:assert/strict";
import fc from "fast-check";
import type { RayConfig } from "../../../src/cluster/config.ts";
import {
  labelOf,
  type NodePreflight,
  startArguments,
  type StartPlan,
  versionProblem,
} from "../../../src/ray/start_command.ts";

const config: RayConfig = {
  mode: "managed",
  address: undefined,
  head: undefined,
  version: undefined,
  dashboardHost: "127.0.0.1",
  dashboardPort: 8265,
  gcsPort: 6379,
  headBindAll: true,
  namespace: "default",
  logLevel: "info",
};
const preflight: NodePreflight = {
  ray: "2.58.0",
  python: "3.11.7",
  dashboard: false,
  ip: "10.0.0.1",
  client: false,
  ports: [1001, 1002, 1003, 1004, 1005, 1006, 1007],
};
const head: StartPlan = {
  node: "gpu1",
  role: "head",
  ip: "10.0.0.1",
  address: "10.0.0.1:6379",
  preflight,
  gpus: undefined,
  config,
};

function valueOf(words: readonly string[], option: string): string | undefined {
  const at = words.indexOf(option);
  return at < 0 ? undefined : words[at + 1];
}

Deno.test("startArguments() opens a head on the configured port without a dashboard it has not", () => {
  const words = startArguments(head);
  assert.equal(words[0], "--head");
  assert.equal(valueOf(words, "--port"), "6379");
  assert.equal(valueOf(words, "--include-dashboard"), "false");
  assert.equal(valueOf(words, "--node-ip-address"), "10.0.0.1");
  assert.equal(valueOf(words, "--labels"), "grid-host=gpu1");
  assert.equal(valueOf(words, "--address"), undefined);
});

Deno.test("startArguments() asks for the dashboard where ray[default] is installed", () => {
  const words = startArguments({ ...head, preflight: { ...preflight, dashboard: true } });
  assert.ok(!words.includes("--ray-client-server-port"));
  const withClient = startArguments({ ...head, preflight: { ...preflight, client: true } });
  assert.equal(withClient[withClient.indexOf("--ray-client-server-port") + 1], "1005");
  assert.equal(valueOf(words, "--include-dashboard"), "true");
  assert.equal(valueOf(words, "--dashboard-host"), "127.0.0.1");
  assert.equal(valueOf(words, "--dashboard-port"), "8265");
});

Deno.test("startArguments() joins a worker to the head and opens nothing of its own", () => {
  const words = startArguments({ ...head, node: "gpu2", role: "worker", ip: "10.0.0.2", gpus: 4 });
  assert.equal(valueOf(words, "--address"), "10.0.0.1:6379");
  assert.equal(valueOf(words, "--num-gpus"), "4");
  assert.ok(!words.includes("--head") && !words.includes("--include-dashboard"));
});

Deno.test("startArguments() leaves GPUs and memory to Ray unless the owner says otherwise", () => {
  assert.ok(!startArguments(head).includes("--num-gpus"));
  assert.ok(!startArguments(head).includes("--object-store-memory"));
  const own = startArguments({ ...head, gpus: 0, config: { ...config, objectStoreMemory: 1e8 } });
  assert.equal(valueOf(own, "--num-gpus"), "0");
  assert.equal(valueOf(own, "--object-store-memory"), "100000000");
});

Deno.test("labelOf() makes a valid Ray label of any name", () => {
  assert.equal(labelOf("gpu1"), "gpu1");
  assert.match(labelOf("me@host"), /^me_host-[0-9a-f]{16}$/);
  assert.notEqual(labelOf(`${"x".repeat(99)}1`), labelOf(`${"x".repeat(99)}2`));
  assert.notEqual(labelOf("me@host"), labelOf("me_host"));
  fc.assert(fc.property(fc.string({ minLength: 1 }), (name) => {
    assert.match(labelOf(name), /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/);
  }));
});

Deno.test("versionProblem() refuses Ray without token auth", () => {
  const old = { ...preflight, ray: "2.51.1" };
  assert.match(versionProblem(old, old) ?? "", /2\.51\.1 is older than 2\.52/);
});

Deno.test("versionProblem() wants one Ray and one Python everywhere, to the last digit", () => {
  assert.equal(versionProblem(preflight, preflight), undefined);
  assert.equal(
    versionProblem({ ...preflight, ray: "2.57.0" }, preflight),
    "it has Ray 2.57.0, the head 2.58.0",
  );
  assert.equal(
    versionProblem({ ...preflight, python: "3.11.8" }, preflight),
    "it has Python 3.11.8, the head 3.11.7",
  );
});
