import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Mirror } from "../../../../src/cli/submitted/mirror.ts";
import { GridError } from "../../../../src/core/errors.ts";
import { newRunId } from "../../../../src/core/ids.ts";
import { openGround } from "../../../../src/store/ground.ts";
import { openStore } from "../../../../src/store/open.ts";
import type { Conversation } from "../../../../src/sync/conversation.ts";
import { runStarted } from "../../../support/events.ts";
import { tempDir } from "../../../support/temp_dir.ts";

const NODE = {
  node: "far",
  folder: "/far/.grid/submitted/x",
  project: "/far/.grid/submitted/x/me",
};
const [RUN, OTHER] = [newRunId(Date.UTC(2026, 1, 1)), newRunId(Date.UTC(2026, 1, 2))];

/** A node that says these lines; a pair is a line and what follows it. */
function told(...lines: (string | readonly [string, string])[]): Conversation {
  const rest: string[] = [];
  const left = lines.flatMap((line) => {
    if (typeof line === "string") return [line];
    rest.push(line[1]);
    return [`${line[0]}`];
  });
  const talk = {
    line: () => Promise.resolve(left.shift() ?? "told"),
    bytes: () => Promise.resolve(new TextEncoder().encode(rest.shift())),
  };
  return talk as unknown as Conversation;
}

function rig() {
  const dir = tempDir();
  const store = openStore(openGround(dir.path));
  store.nodeRunners.put({ ...NODE, run: RUN, isAlive: true, seenAt: 0 });
  const folder = (run: string) => join(dir.path, "runs", run);
  mkdirSync(folder(RUN), { recursive: true });
  const mirror = new Mirror({ store, folder, place: NODE });
  return {
    store,
    folder,
    mirror,
    [Symbol.dispose]: () => (store[Symbol.dispose](), dir[Symbol.dispose]()),
  };
}

const event = (run: string, more = {}) => JSON.stringify({ ...runStarted(run), ...more });

Deno.test("what a node tells of its runs comes home once, however often it is told", async () => {
  using it = rig();
  for (let time = 0; time < 2; time++) {
    const talk = told(
      [`event ${RUN} 1 9`, event(RUN)],
      [`file ${RUN} 0 3 logs/a b.log`, "abc"],
      [`file ${RUN} 3 3 logs/a b.log`, "def"],
      "told",
    );
    assert.equal(await it.mirror.take(talk), true);
  }
  assert.equal(it.store.events(RUN).length, 1);
  assert.equal(readFileSync(join(it.folder(RUN), "logs/a b.log"), "utf8"), "abcdef");
  assert.deepEqual(it.mirror.known(), { [RUN]: { seq: 1, files: { "logs/a b.log": 6 } } });
});

Deno.test("what a clock that goes wrong told comes home as this machine's would have", async () => {
  using it = rig();
  const before = Date.now();
  const aheadMs = 7_200_000;
  await it.mirror.take(
    told(
      `clock ${before + aheadMs}`,
      [`event ${RUN} 1 9`, event(RUN, { at: before + aheadMs - 5000 })],
      "told",
    ),
  );
  const [{ at } = { at: 0 }] = it.store.events(RUN);
  assert.ok(Math.abs(at - (before - 5000)) <= 2000, `${at - before} ms`);
});

const LIES: Record<string, readonly (string | readonly [string, string])[]> = {
  "a run of nobody": [[`event ${OTHER} 1 9`, event(OTHER)]],
  "another run's event": [[`event ${RUN} 1 9`, event(OTHER)]],
  "a run that goes on from none of there": [
    [`event ${OTHER} 1 9`, event(OTHER, { resumes: "20250101-000000-aaaaaa" })],
  ],
  "an event whose number is none": [[`event ${RUN} x 9`, event(RUN)]],
  "an event after a gap": [[`event ${RUN} 7 9`, event(RUN)]],
  "no event": [[`event ${RUN} 1 9`, "{}"]],
  "a file elsewhere": [[`file ${RUN} 0 3 ../../x`, "abc"]],
  "a file above": [[`file ${RUN} 0 3 logs/..`, "abc"]],
  "a report of its own": [[`file ${RUN} 0 3 report.html`, "abc"]],
  "a file with a hole": [[`file ${RUN} 999999999999999 3 logs/a.log`, "abc"]],
  "a file from nowhere": [[`file ${RUN} -1 3 logs/a.log`, "abc"]],
  "a folder for a run": [`runner ../x alive`],
  "a time that is none": ["clock yesterday"],
  "a word of its own": [`run ${RUN} alive`],
};

for (const [what, lines] of Object.entries(LIES)) {
  Deno.test(`a node's word is not believed: ${what}`, async () => {
    using it = rig();
    await assert.rejects(
      () => it.mirror.take(told(...lines, "told")),
      (error) => error instanceof GridError,
    );
    assert.equal(it.store.row(RUN), undefined);
    assert.equal(it.store.row(OTHER), undefined);
    assert.deepEqual(
      Object.values(it.mirror.known()[RUN]?.files ?? {}).filter((size) => size > 0),
      [],
    );
  });
}
