import assert from "node:assert/strict";
import { reachable, type Standing } from "../../../src/cluster/gang_address.ts";
import { parseGround } from "../../../src/cluster/gang_ground.ts";

const BOOT = "3b7d2ba8-f9f1-4c20-b648-256b4ddc11d2";

function standing(
  node: string,
  lines: readonly string[],
  changes: Partial<Standing> = {},
): Standing {
  const boot = `@boot ${BOOT.slice(0, -2)}${node.charCodeAt(1).toString(16)}`;
  const ground = parseGround([boot, `@name ${node} 127.0.1.1`, ...lines, "@end"]);
  return { node, ground, configured: undefined, host: undefined, ...changes };
}

const of = (standings: readonly Standing[]) =>
  reachable(standings).reaches.map(({ address, iface }) => `${address} ${iface}`);

Deno.test("the first network that all share, and never a container's", () => {
  const a = [
    "@address docker0 172.17.0.1/16",
    "@address eth0 10.0.0.1/24",
    "@address ib0 192.168.1.1/24",
  ];
  const b = [
    "@address docker0 172.17.0.1/16",
    "@address eth1 10.9.0.2/24",
    "@address ib0 192.168.1.2/24",
  ];
  assert.deepEqual(of([standing("n1", a), standing("n2", b)]), [
    "192.168.1.1 ib0",
    "192.168.1.2 ib0",
  ]);
});

Deno.test("IPv4 goes before IPv6, which is taken where nothing else is shared", () => {
  const a = ["@address eth0 fd00::1/64", "@address eth0 10.0.0.1/24"];
  const b = ["@address eth0 fd00::2/64", "@address eth0 10.0.0.2/24"];
  const c = ["@address eth0 fd00:0:0::3/64"];
  assert.deepEqual(of([standing("n1", a), standing("n2", b)]), ["10.0.0.1 eth0", "10.0.0.2 eth0"]);
  assert.deepEqual(of([standing("n1", a), standing("n3", c)]), [
    "fd00::1 eth0",
    "fd00:0:0::3 eth0",
  ]);
});

Deno.test("what the config says wins; addresses that stand alone are taken as they are", () => {
  const a = ["@address eth0 10.0.0.1/32"];
  const b = ["@address eth0 10.0.0.2/32", "@address eth1 172.20.0.2/32"];
  assert.deepEqual(of([standing("n1", a), standing("n2", b, { host: "172.20.0.2" })]), [
    "10.0.0.1 eth0",
    "172.20.0.2 eth1",
  ]);
  assert.deepEqual(
    of([
      standing("n1", a, { configured: "10.0.0.1" }),
      standing("n2", b, { configured: "1.2.3.4" }),
    ]),
    [
      "10.0.0.1 eth0",
      "1.2.3.4 undefined",
    ],
  );
});

Deno.test("nodes of one machine without a network meet on its loopback", () => {
  assert.deepEqual(of([standing("n1", []), standing("n1", [])]), ["127.0.0.1 lo", "127.0.0.1 lo"]);
});

Deno.test("without ip the kernel's own tables are read", () => {
  const { addresses, selfishName } = parseGround([
    "@name box 127.0.1.1",
    "@local 127.0.0.1",
    "@local 192.0.2.2",
    "@route eth0 00000000 00000000",
    "@route eth0 000200C0 00FFFFFF",
    "@end",
  ]);
  assert.deepEqual(addresses, [{ iface: "eth0", address: "192.0.2.2", prefix: 24 }]);
  assert.equal(selfishName, "box");
});

Deno.test("what a node makes up is not believed", () => {
  const { addresses, boot, selfishName } = parseGround([
    "@boot $(id)",
    "@name a;b 127.0.0.1",
    "@address eth0;x 10.0.0.1/24",
    "@address eth0 10.0.0.1/999",
    "@address eth0 $(id)/24",
    "@address eth0",
    "@end",
  ]);
  assert.deepEqual([addresses, boot, selfishName], [[], undefined, undefined]);
});
