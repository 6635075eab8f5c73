import assert from "node:assert/strict";
import { parseSession } from "../../../src/ray/session.ts";

const RECORD = [
  "cluster=34ba4071",
  "role=head",
  "address=127.0.0.2:16379",
  "ip=127.0.0.2",
  "dashboard=",
  "temp=/tmp/grid-ray-JPUYde",
  "boot=99b1243d",
  "sid=18294",
  "started=246381",
  "alive=6",
  "raylets=1",
  "gcs=1",
  "memory=8192 kB",
  "free=6144 kB",
  "",
].join("\n");

Deno.test("parseSession() reads the record of a node", () => {
  assert.deepEqual(parseSession(RECORD), {
    cluster: "34ba4071",
    role: "head",
    address: "127.0.0.2:16379",
    ip: "127.0.0.2",
    dashboard: undefined,
    processes: 6,
    lives: true,
    memory: { totalBytes: 8192 * 1024, usedBytes: 2048 * 1024 },
  });
});

Deno.test("parseSession() tells a node without Ray from one whose Ray died", () => {
  assert.equal(parseSession(""), undefined);
  assert.equal(parseSession(RECORD.replace("alive=6", "alive=0"))?.processes, 0);
  assert.equal(parseSession(RECORD.replace("raylets=1", "raylets=0"))?.lives, false);
  assert.equal(parseSession(RECORD.replace("gcs=1", "gcs=0"))?.lives, false);
  assert.equal(parseSession(RECORD.replace("memory=8192 kB", "memory=?"))?.memory, undefined);
  const worker = RECORD.replace("role=head", "role=worker").replace("gcs=1", "gcs=0");
  assert.equal(parseSession(worker)?.lives, true);
});
