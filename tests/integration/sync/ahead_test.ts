/** What is begun before a node has said what it has. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { prepareNodeSync } from "../../../src/sync/node_state.ts";
import { syncFolders } from "../../../src/sync/folders.ts";
import { createLocalTransport } from "../../../src/transport/local.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { until } from "../../support/cli.ts";
import { localEndpoint, readTree, startSyncRig } from "../../support/sync_rig.ts";

/** This machine, with some of its ways changed. */
function changed(how: (inner: Transport) => Partial<Transport>): Transport {
  const inner = createLocalTransport(localEndpoint("n2"));
  return {
    endpoint: inner.endpoint,
    exec: (command, options) => inner.exec(command, options),
    wait: (command, options) => inner.wait(command, options),
    open: (command, options) => inner.open(command, options),
    terminal: (screen, options) => inner.terminal(screen, options),
    dial: (target, options) => inner.dial(target, options),
    get stats() {
      return inner.stats;
    },
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
    ...how(inner),
  };
}

Deno.test("a program that never gets its words does nothing on the node", async () => {
  await using rig = startSyncRig();
  {
    await using ahead = prepareNodeSync(rig.target, rig.options.signal);
    assert.equal(ahead.isFresh, true);
  }
  assert.deepEqual([...Deno.readDirSync(rig.root)], []);
});

Deno.test("a program whose link broke while it waited is started anew", async () => {
  let opened = 0;
  let breaking = 0;
  const transport = changed((inner) => ({
    async open(command, options) {
      const channel = await inner.open(command, options);
      opened++;
      if (breaking-- > 0) await channel[Symbol.asyncDispose]();
      return channel;
    },
  }));
  await using rig = startSyncRig({ transport });
  rig.write({ a: "1", b: "1" });
  await rig.sync({ worthKnowing: 0 });
  rig.write({ a: "2" });
  breaking = 1;
  assert.equal((await rig.sync({ worthKnowing: 0 })).sent, 1);
  assert.equal(opened, 3);
  assert.deepEqual(readTree(rig.there), readTree(rig.source));
});

Deno.test("no node waits for what another one says", async () => {
  const silence = Promise.withResolvers<void>();
  await using slow = changed((inner) => ({
    async exec(command, options) {
      await silence.promise;
      return await inner.exec(command, options);
    },
  }));
  await using rig = startSyncRig();
  rig.write({ a: "1" });
  const root = join(rig.folder, "other");
  Deno.mkdirSync(root);
  const targets = [{ node: "n2", transport: slow, root }, rig.target];
  const syncing = syncFolders(targets, rig.options);
  await until(() => existsSync(join(rig.there, "a")), { what: "the file on the other node" });
  assert.equal(existsSync(join(root, "app")), false);
  silence.resolve();
  assert.deepEqual((await syncing).map(({ ok }) => ok), [true, true]);
  assert.deepEqual(readTree(join(root, "app")), readTree(rig.source));
});
