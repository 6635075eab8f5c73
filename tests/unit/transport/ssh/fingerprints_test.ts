import assert from "node:assert/strict";
import {
  checkFingerprints,
  parseFingerprints,
} from "../../../../src/transport/ssh/fingerprints.ts";
import type { HostKeyScan, ScannedKey } from "../../../../src/transport/ssh/trust.ts";
import { isGridError } from "../../../support/transport_contract.ts";

const ONE = `SHA256:${"a".repeat(43)}`;
const TWO = `SHA256:${"b".repeat(43)}`;

function key(fingerprint: string, state: ScannedKey["state"] = "unknown"): ScannedKey {
  return { kind: "ED25519", fingerprint, state, expected: undefined, forget: undefined, line: "" };
}

function scan(node: string, keys: readonly ScannedKey[]): HostKeyScan {
  return { node, host: "10.0.0.7", port: 2222, knownHosts: "kh", keys, problem: undefined };
}

Deno.test("parseFingerprints() reads ssh-keygen's lines and plain ones", () => {
  const { names } = parseFingerprints(
    `# the fleet\n256 ${ONE} gpu1,10.0.0.7 (ED25519)\n\nGPU2 ${TWO} # checked by hand\n`,
    "list",
  );
  assert.deepEqual([...names.get(ONE) ?? []], ["gpu1", "10.0.0.7"]);
  assert.deepEqual([...names.get(TWO) ?? []], ["gpu2"]);
});

Deno.test("parseFingerprints() names the line that says nothing", () => {
  for (const text of [`gpu1 ${ONE}\n${TWO}\n`, `gpu1 ${ONE}\ngpu2 MD5:aa:bb\n`]) {
    assert.throws(() => parseFingerprints(text, "list"), (error) => {
      isGridError("usage")(error);
      assert.match(String(error), /list:2/);
      return true;
    });
  }
});

Deno.test("checkFingerprints() keeps a key only for the machine named with it", () => {
  const list = parseFingerprints(`gpu1 ${ONE}\n[10.0.0.7]:2222 ${TWO}\n`, "list");
  const [first, second] = checkFingerprints([
    scan("gpu1", [key(ONE), key(TWO)]),
    scan("gpu2", [key(ONE)]),
  ], list);
  assert.deepEqual(first?.scan.keys.map(({ fingerprint }) => fingerprint), [ONE, TWO]);
  assert.deepEqual(second?.scan.keys, []);
  assert.deepEqual(second?.refused.map(({ fingerprint }) => fingerprint), [ONE]);
});

Deno.test("checkFingerprints() leaves keys alone that are trusted already", () => {
  const [checked] = checkFingerprints([scan("gpu1", [key(ONE, "trusted")])], { names: new Map() });
  assert.deepEqual(checked?.refused, []);
});
