import assert from "node:assert/strict";
import { Handshakes, type Shaking } from "../../../src/transport/handshakes.ts";
import { LONGEST_MS, Pace } from "../../../src/transport/silence.ts";

/** Ends when it is told, or at the end of the test. */
class Peer {
  readonly #ending = Promise.withResolvers<void>();
  readonly done: Promise<void>;
  /** Undefined before its turn to knock. */
  shaking: Shaking | undefined;
  readonly states: string[] = [];

  constructor(handshakes: Handshakes, { isMute = false, knocks = false } = {}) {
    this.done = handshakes.run((shaking) => {
      this.shaking = shaking;
      // Patience with one that knocks is not the matter.
      const timer = knocks ? setInterval(() => shaking.heard(), 5) : undefined;
      return this.#ending.promise.finally(() => clearInterval(timer));
    }, { onState: (state) => this.states.push(state), isMute });
  }

  get isOn(): boolean {
    return this.shaking !== undefined;
  }

  async end(): Promise<void> {
    this.#ending.resolve();
    await this.done;
  }
}

async function until(what: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 30_000; !what();) {
    assert.ok(performance.now() < deadline, String(what));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("handshakes: some at once, and each end lets the next begin", async () => {
  const handshakes = new Handshakes(2);
  const peers = Array.from({ length: 4 }, () => new Peer(handshakes, { isMute: true }));
  await until(() => peers[1]?.isOn === true);
  assert.deepEqual(peers.map(({ isOn }) => isOn), [true, true, false, false]);
  assert.deepEqual(peers.map(({ states }) => states), [["working"], ["working"], [], []]);
  await peers[1]?.end();
  await until(() => peers[2]?.isOn === true);
  assert.equal(peers[3]?.isOn, false);
  for (const peer of peers) await peer.end();
});

Deno.test("handshakes: many that are silent keep nobody waiting who answers", async () => {
  const handshakes = new Handshakes(2);
  const silent = Array.from({ length: 40 }, () => new Peer(handshakes));
  const well = Array.from({ length: 10 }, () =>
    handshakes.run(async (shaking) => {
      await shaking.turn();
      return "well";
    }));
  assert.deepEqual(new Set(await Promise.all(well)), new Set(["well"]));
  assert.ok(silent.every(({ isOn }) => isOn), "they go on");
  for (const peer of silent) await peer.end();
});

Deno.test("handshakes: many may knock, few log in at once", async () => {
  const handshakes = new Handshakes(2);
  const peers = Array.from({ length: 8 }, () => new Peer(handshakes, { knocks: true }));
  await until(() => peers[5]?.isOn === true);
  assert.deepEqual(peers.map(({ isOn }) => isOn), [...Array(6).fill(true), false, false]);
  const turns = peers.slice(0, 6).map(({ shaking }) => shaking?.turn());
  await until(() => peers[7]?.isOn === true);
  const isIn = ({ states }: Peer) => states.join() === "working,queued,working";
  assert.deepEqual(peers.map(isIn), [true, true, ...Array(6).fill(false)]);
  await peers[0]?.end();
  await until(() => peers[2] !== undefined && isIn(peers[2]));
  // One that ends while it waits for its turn takes nobody's.
  await peers[3]?.end();
  await peers[1]?.end();
  await until(() => peers[4] !== undefined && isIn(peers[4]));
  assert.equal(peers[5] && isIn(peers[5]), false);
  for (const peer of peers) await peer.end();
  await Promise.all(turns);
});

Deno.test("handshakes: whoever falls silent and is heard again counts again, and ends like any other", async () => {
  const handshakes = new Handshakes(1);
  const slow = new Peer(handshakes);
  await until(() => slow.isOn);
  await slow.shaking?.turn();
  const second = new Peer(handshakes, { isMute: true });
  await until(() => second.isOn);
  slow.shaking?.heard();
  assert.deepEqual(slow.states, ["working", "queued", "working", "silent", "working"]);
  const third = new Peer(handshakes, { isMute: true });
  await second.end();
  assert.equal(third.isOn, false, "the slow one works");
  await slow.end();
  await until(() => third.isOn);
  await third.end();
});

Deno.test("handshakes: one that fails lets the next begin, and says why", async () => {
  const handshakes = new Handshakes(1);
  const failing = handshakes.run(() => Promise.reject(new Error("refused")));
  const next = new Peer(handshakes);
  await assert.rejects(failing, /refused/);
  await until(() => next.isOn);
  await next.end();
});

Deno.test("patience follows the slowest of those that have answered, within bounds", () => {
  const pace = new Pace();
  const first = pace.patienceMs;
  assert.ok(first > 0 && first < LONGEST_MS);
  pace.add(1);
  const quick = pace.patienceMs;
  assert.ok(quick <= first);
  pace.add(100);
  assert.equal(pace.patienceMs, 300);
  pace.add(10_000);
  assert.equal(pace.patienceMs, LONGEST_MS);
  for (let n = 0; n < 100; n++) pace.add(1);
  assert.equal(pace.patienceMs, quick, "what was long ago does not count");
});
