import assert from "node:assert/strict";
import { testWith } from "../../support/requires.ts";

/** As a node gets them. */
const PROBE = ["ray_reach.py", "ray_probe.py"]
  .map((file) => Deno.readTextFileSync(new URL(`../../../src/ray/${file}`, import.meta.url)))
  .join("\n");

/** Nodes answer after so many seconds, or never; the clock goes on only while somebody waits. */
const PROGRAM = `
import json, sys, time
source = sys.argv[1]
now = 0.0
time.monotonic = lambda: now

class Ray:
    def wait(self, answers, num_returns, timeout):
        global now
        at = min((delays[answer], answer) for answer in answers)
        if at[0] > now + timeout:
            now += timeout
            return [], answers
        now = max(now, at[0])
        return [at[1]], answers

    def get(self, answer, timeout):
        if answer.startswith("dead"):
            raise RuntimeError("its node has died")
        return 3

scope = {"__name__": "probe"}
exec(source, scope)
for delays in json.loads(sys.argv[2]):
    now = 0.0
    delays = {name: 1e9 if delay is None else delay for name, delay in delays.items()}
    nodes = [{"NodeID": name, "Labels": {"grid-host": name.removeprefix("dead ")}} for name in delays]
    scope["wait_for_names"](Ray(), nodes, {name: name for name in delays}, 30)
    print(now)
`;

testWith(["python3"], "the probe waits for nodes as long as others let it expect", async () => {
  const cases = [
    { head: 1, worker: 3 },
    { head: 1, worker: null },
    { head: 20, worker: 75 },
    { head: 100, worker: 110 },
    { head: null, worker: null },
    // The one in its place is waited for, and a dead one that is silent is not.
    { head: 1, "dead worker": 2, worker: 5 },
    { head: 1, "dead worker": null, worker: 5 },
  ];
  const { stdout, stderr } = await new Deno.Command("python3", {
    args: ["-c", PROGRAM, PROBE, JSON.stringify(cases)],
  }).output();
  assert.deepEqual(
    new TextDecoder().decode(stdout).trim().split("\n").map(Number),
    [3, 30, 75, 110, 120, 5, 5],
    new TextDecoder().decode(stderr),
  );
});
