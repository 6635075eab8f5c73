import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { sendWholePackets } from "../../../../src/transport/ssh/ssh2_internals.ts";
import type { Client } from "../../../../src/transport/ssh/ssh2_library.ts";

Deno.test("sendWholePackets(): the parts of a packet go to the kernel together", async () => {
  const sent: string[][] = [];
  const socket = new Duplex({
    writev: (chunks, done) => {
      sent.push(chunks.map(({ chunk }) => String(chunk)));
      done();
    },
  });
  const protocol = { _onWrite: (data: Uint8Array) => void socket.write(data) };
  sendWholePackets({ _protocol: protocol } as unknown as Client, socket);
  const bytes = (text: string) => new TextEncoder().encode(text);
  for (const packet of ["1", "2"]) {
    for (const part of ["length", "payload", "check"]) {
      protocol._onWrite(bytes(`${part} ${packet}`));
      assert.equal(sent.flat().includes(`length ${packet}`), false);
    }
    await Promise.resolve();
    assert.deepEqual(sent.pop(), [`length ${packet}`, `payload ${packet}`, `check ${packet}`]);
    assert.deepEqual(sent, []);
  }
});
