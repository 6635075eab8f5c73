import assert from "node:assert/strict";
import { StatusFilter } from "../../../../src/transport/openssh/status_filter.ts";
import type { ChannelExit } from "../../../../src/transport/transport.ts";

const WORD = "abcabd";

/** What passes of a text that comes in pieces of `size` bytes, and the news. */
function filtered(text: string, size: number) {
  const news: (ChannelExit | "start")[] = [];
  const filter = new StatusFilter(WORD, {
    onStart: () => news.push("start"),
    onExit: (exit) => news.push(exit),
  });
  const bytes = new TextEncoder().encode(text);
  const passed: number[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    passed.push(...filter.push(bytes.subarray(at, at + size)));
  }
  passed.push(...filter.end());
  return { text: new TextDecoder().decode(Uint8Array.from(passed)), news };
}

Deno.test("StatusFilter takes out its own lines and nothing else, however the bytes come", () => {
  const said = `junk\n${WORD} start\nabc abcab ü\nno end${WORD} code 255\nlate\nabcab`;
  for (let size = 1; size <= said.length; size++) {
    assert.deepEqual(filtered(said, size), {
      text: "abc abcab ü\nno endlate\nabcab",
      news: ["start", { kind: "code", code: 255 }],
    });
  }
});

Deno.test("StatusFilter tells a signal", () => {
  const { news } = filtered(`${WORD} start\n${WORD} signal TERM\n`, 5);
  assert.deepEqual(news, ["start", { kind: "signal", signal: "SIGTERM" }]);
});

Deno.test("StatusFilter drops everything where the command never starts", () => {
  assert.deepEqual(filtered("This account is currently not available.\n", 7), {
    text: "",
    news: [],
  });
});
