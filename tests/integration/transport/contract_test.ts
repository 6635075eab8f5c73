/** One suite, every way to a node. */
import { createLocalTransport } from "../../../src/transport/local.ts";
import { createPool } from "../../../src/transport/pool.ts";
import type { Endpoint } from "../../../src/transport/transport.ts";
import { startOpenSsh } from "../../support/openssh.ts";
import { startSshServer } from "../../support/ssh_server.ts";
import { transportContract, type TransportRig } from "../../support/transport_contract.ts";
import { localEndpoint } from "../../support/local_node.ts";

const HERE = localEndpoint({ name: "local", maxRetries: 3 });

transportContract("local", {
  make: () => {
    const transport = createLocalTransport(HERE);
    return Promise.resolve({
      transport,
      [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
    });
  },
});

transportContract("in-process SSH", {
  make: async () => {
    const server = await startSshServer();
    return overSsh(server.endpoint, server);
  },
});

for (const transport of ["ssh", "openssh"] as const) {
  transportContract(`OpenSSH by ${transport}`, {
    parts: ["sshd"],
    make: async () => {
      const lab = await startOpenSsh({ nodes: 1 });
      const [node] = lab.nodes;
      if (!node) throw new Error("a lab of one node has one");
      return overSsh({ ...node.endpoint, transport }, lab);
    },
  });
}

function overSsh(endpoint: Endpoint, rest: AsyncDisposable): TransportRig {
  const pool = createPool({ handshakes: 10 });
  return {
    transport: pool.transport(endpoint),
    [Symbol.asyncDispose]: async () => {
      await pool[Symbol.asyncDispose]();
      await rest[Symbol.asyncDispose]();
    },
  };
}
