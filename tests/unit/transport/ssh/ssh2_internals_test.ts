import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import {
  ignoreOtherHostKeys,
  sendWholePackets,
} from "../../../../src/transport/ssh/ssh2_internals.ts";
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

function protocolOf(changes: { readonly _kexinit?: Uint8Array } = {}) {
  const sent: string[] = [];
  const asked: string[] = [];
  const protocol = {
    _kexinit: undefined,
    _cipher: { encrypt: (packet: Buffer) => void sent.push(packet.toString("hex")) },
    _packetRW: {
      write: {
        allocStart: 3,
        alloc: (size: number) => Buffer.alloc(3 + size, 0xff),
        finalize: (packet: Buffer) => packet,
      },
    },
    _handlers: { GLOBAL_REQUEST: (_: unknown, name: string) => void asked.push(name) },
    ...changes,
  };
  ignoreOtherHostKeys({ _protocol: protocol } as unknown as Client);
  const ask = (name: string, wantsReply: boolean) =>
    (protocol._handlers.GLOBAL_REQUEST as (...all: unknown[]) => void)(
      protocol,
      name,
      wantsReply,
      undefined,
    );
  return { sent, asked, ask };
}

Deno.test("ignoreOtherHostKeys(): an offer of keys is answered with an empty packet, all else as ever", () => {
  const { sent, asked, ask } = protocolOf();
  ask("hostkeys-00@openssh.com", false);
  assert.deepEqual([sent, asked], [["ffffff0200000000"], []]);
  ask("hostkeys-00@openssh.com", true);
  ask("keepalive@openssh.com", true);
  assert.deepEqual(asked, ["hostkeys-00@openssh.com", "keepalive@openssh.com"]);
  assert.equal(sent.length, 1);
});

Deno.test("ignoreOtherHostKeys(): nothing is sent while keys are made anew", () => {
  const { sent, asked, ask } = protocolOf({ _kexinit: new Uint8Array(1) });
  ask("hostkeys-00@openssh.com", false);
  assert.deepEqual([sent, asked], [[], []]);
});
