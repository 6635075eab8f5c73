import assert from "node:assert/strict";
import { hopsOf } from "../../../../src/transport/ssh/proxy_jump.ts";
import { isGridError } from "../../../support/transport_contract.ts";

Deno.test("hopsOf() reads hosts, users, ports, URIs and IPv6 addresses", () => {
  const jumps = ["bastion", "ml@bastion:2222", "ssh://ml@bastion:2222/", "[::1]:2222"];
  assert.deepEqual(hopsOf({ node: "gpu1", jumps }), [
    { user: undefined, host: "bastion", port: undefined },
    { user: "ml", host: "bastion", port: 2222 },
    { user: "ml", host: "bastion", port: 2222 },
    { user: undefined, host: "::1", port: 2222 },
  ]);
});

Deno.test("hopsOf() refuses what is no host", () => {
  for (const jump of ["bastion:99999", "bastion:ssh", "a@b@c:1:2", "bastion:0"]) {
    assert.throws(() => hopsOf({ node: "gpu1", jumps: [jump] }), isGridError("usage"), jump);
  }
});
