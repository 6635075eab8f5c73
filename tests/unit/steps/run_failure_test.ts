/** What is said of a command that was told to end. */
import assert from "node:assert/strict";
import { ownCode, survivorWords } from "../../../src/steps/run_failure.ts";

Deno.test("survivors are told with the grounds, and never none where nobody asked", () => {
  const none = { survivors: [], handedOver: [] };
  assert.equal(survivorWords(none), "0 survivors (processes)");
  assert.equal(
    survivorWords({ ...none, handedOver: ["podman"] }),
    "no process is left; a container may still run: podman",
  );
  assert.equal(
    survivorWords(none, { script: "docker run -d image\nsleep 1000" }),
    "no process is left; a container may still run: docker",
  );
  const survivors = [{ pid: 7, command: "train" }];
  assert.equal(survivorWords({ survivors, handedOver: [] }), "1 survivor: 7 (train)");
  assert.equal(
    survivorWords({ survivors, handedOver: ["docker"] }),
    "1 survivor: 7 (train); a container may still run: docker",
  );
});

Deno.test("how a command took it that it was told to end stays on record", () => {
  assert.deepEqual(ownCode({ kind: "code", code: 77 }), { exitCode: 77 });
  assert.deepEqual(ownCode({ kind: "signal", signal: "SIGTERM" }), {});
  assert.deepEqual(ownCode({ kind: "vanished" }), {});
  assert.deepEqual(ownCode(undefined), {});
});
