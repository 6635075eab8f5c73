import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import type { Event } from "../../../../src/engine/event.ts";
import { Outbox } from "../../../../src/engine/ledger/outbox.ts";
import { warned } from "../../../support/events.ts";

interface Rig {
  readonly outbox: Outbox;
  /** `journal a,b` and `publish a`, in order. */
  readonly log: string[];
}

function rig(append: (events: readonly Event[]) => void = () => {}): Rig {
  const log: string[] = [];
  const outbox = new Outbox({
    run: "r1",
    journal: {
      append: (_, events) => {
        append(events);
        log.push(`journal ${events.map(words).join()}`);
      },
    },
    publish: (event) => log.push(`publish ${words(event)}`),
  });
  return { outbox, log };
}

function words(event: Event): string {
  return event.type === "warned" ? event.message : event.type;
}

function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

Deno.test("Outbox journals the events of one turn together, then publishes them in order", async () => {
  const { outbox, log } = rig();
  outbox.put(warned("a"));
  await Promise.resolve();
  outbox.put(warned("b"));
  assert.deepEqual(log, []);
  await endOfTurn();
  outbox.put(warned("c"));
  await endOfTurn();
  assert.deepEqual(log, ["journal a,b", "publish a", "publish b", "journal c", "publish c"]);
});

Deno.test("Outbox.flush() does not wait for the end of the turn, and does nothing twice", async () => {
  const { outbox, log } = rig();
  outbox.put(warned("a"));
  outbox.flush();
  outbox.flush();
  assert.deepEqual(log, ["journal a", "publish a"]);
  await endOfTurn();
  assert.equal(log.length, 2);
});

Deno.test("Outbox publishes nothing that could not be journaled, and takes no more", async () => {
  const full = new Error("disk full");
  const { outbox, log } = rig(() => {
    throw full;
  });
  let told: unknown;
  outbox.broken.addEventListener("abort", () => told = outbox.broken.reason);
  outbox.put(warned("a"));
  await endOfTurn();
  assert.equal(told, full);
  assert.throws(() => outbox.put(warned("b")), full);
  assert.throws(() => outbox.flush(), full);
  assert.deepEqual(log, []);
});
