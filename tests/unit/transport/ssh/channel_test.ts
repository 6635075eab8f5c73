import assert from "node:assert/strict";
import { Duplex, Readable } from "node:stream";
import type { ClientChannel } from "ssh2";
import { SshChannel } from "../../../../src/transport/ssh/channel.ts";

/** A stream like those of ssh2, whose writes wait until they are told to go on. */
function openFake() {
  const goOn: (() => void)[] = [];
  const stream = Object.assign(
    new Duplex({
      allowHalfOpen: true,
      read() {},
      write: (_chunk, _encoding, done) => goOn.push(() => done()),
    }),
    { stderr: new Readable({ read() {} }), close() {} },
  );
  // As ssh2 does: somebody listens to whatever goes wrong.
  stream.on("error", () => {});
  const channel = new SshChannel(stream as unknown as ClientChannel, {
    onBytes: () => {},
    onClosed: () => {},
    onAbandoned: () => {},
    lostError: () => new Error("lost") as never,
  });
  return { stream, channel, goOn };
}

Deno.test("what is large is handed on bit by bit, and no more of it once the command has ended", async () => {
  const { stream, channel, goOn } = openFake();
  const waiting = assert.rejects(
    channel.stdin.getWriter().write(new Uint8Array(1_000_000)),
    /the command has ended/,
  );
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(goOn.length, 1);
  stream.end();
  for (const done of goOn) done();
  await waiting;
  assert.equal(goOn.length, 1);
  stream.destroy();
  stream.stderr.destroy();
});

Deno.test("nobody can write to a channel that the server has closed, told or not", async () => {
  const { stream, channel, goOn } = openFake();
  const writer = channel.stdin.getWriter();
  const waiting = writer.write(new Uint8Array(100_000));
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(goOn.length, 1);
  // What ssh2 does first when the server closes the channel; "close" follows later.
  stream.end();
  for (const done of goOn) done();
  await waiting;
  await assert.rejects(writer.write(new Uint8Array(1)), /the command has ended/);
  stream.destroy();
  stream.stderr.destroy();
});
