import assert from "node:assert/strict";
import { hasLogin, loginSocket } from "../../../../src/transport/openssh/login_place.ts";
import { localEndpoint } from "../../../support/local_node.ts";

const PLACE = { env: { HOME: "/home/ml" } };
const NODE = { ...localEndpoint({ name: "gpu1" }), user: "ml" };

Deno.test("loginSocket() is short enough for a socket, and one for each machine and account", () => {
  const sockets = [
    loginSocket(NODE, PLACE),
    loginSocket({ ...NODE, name: "gpu2" }, PLACE),
    loginSocket({ ...NODE, host: "10.0.0.7" }, PLACE),
    loginSocket({ ...NODE, port: 2222 }, PLACE),
    loginSocket({ ...NODE, user: "ops" }, PLACE),
    loginSocket({ ...NODE, proxyJump: "bastion" }, PLACE),
    loginSocket(NODE, { env: { HOME: "/home/other" } }),
  ];
  assert.equal(new Set(sockets).size, sockets.length);
  // 104 bytes on macOS, and ssh first adds a dot and 16 letters.
  for (const socket of sockets) assert.ok(socket.length + 17 < 104, socket);
});

Deno.test("loginSocket() is the same however the node is reached", () => {
  const own = loginSocket({ ...NODE, transport: "ssh" }, PLACE);
  assert.equal(loginSocket({ ...NODE, transport: "openssh", keepaliveMs: 1 }, PLACE), own);
  assert.equal(hasLogin({ ...NODE, name: "nobody-logged-in-here" }, PLACE), false);
});
