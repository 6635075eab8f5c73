import assert from "node:assert/strict";
import { connectTcp } from "../../../../src/transport/ssh/dial.ts";
import { isGridError } from "../../../support/transport_contract.ts";

/** `localhost` has two addresses; somebody listens on one of them. */
function listen() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const target = { node: "gpu1", host: "localhost", port: listener.addr.port };
  return { target, [Symbol.dispose]: () => listener.close() };
}

const never = new AbortController().signal;

Deno.test("connectTcp() takes whichever address answers", async () => {
  using here = listen();
  const socket = await connectTcp(here.target, never);
  assert.equal(socket.remoteAddress, "127.0.0.1");
  socket.destroy();
  const again = await connectTcp({ ...here.target, family: 4 }, never);
  again.destroy();
});

Deno.test("connectTcp() keeps to the addresses that AddressFamily allows", async () => {
  using here = listen();
  const six = { ...here.target, family: 6 as const };
  await assert.rejects(connectTcp(six, never), (error) => {
    // A machine without IPv6 has no such address at all.
    const { code } = error as { code: string };
    assert.ok(code === "tcp" || code === "dns", String(error));
    return true;
  });
});

Deno.test("connectTcp() tells a name, a port and an address that lead nowhere", async () => {
  const target = { node: "gpu1", host: "127.0.0.1", port: 1 };
  await assert.rejects(connectTcp(target, never), isGridError("tcp"));
  const nowhere = { ...target, host: "no-such-host.invalid" };
  await assert.rejects(connectTcp(nowhere, never), isGridError("dns"));
  await assert.rejects(connectTcp({ ...target, host: "fe80::1%eth0" }, never), /one interface/);
});

Deno.test("connectTcp() ends when it is told to", async () => {
  const stop = AbortSignal.abort(new Error("enough"));
  await assert.rejects(connectTcp({ node: "n", host: "127.0.0.1", port: 1 }, stop), /enough/);
});
