import assert from "node:assert/strict";
import fc from "fast-check";
import { readEvent } from "../../../src/store/read_event.ts";
import { failedRun, succeededRun } from "../../support/sample_runs.ts";
import { replay } from "../../../src/engine/reduce.ts";
import type { Event } from "../../../src/engine/event.ts";

const ALL = [...succeededRun(), ...failedRun()];

Deno.test("readEvent() reads back every event that Grid writes", () => {
  for (const event of ALL) assert.deepEqual(readEvent(JSON.stringify(event)), event);
});

Deno.test("readEvent() says of text that is no event that it is damaged", () => {
  const texts = ["", "{bad", "null", "[]", "7", "{}", '{"type":7}', '{"type":"warned"}'];
  for (const text of texts) assert.equal(readEvent(text), "is damaged", text);
});

Deno.test("readEvent() names a kind that a newer Grid made up, and a newer form", () => {
  assert.equal(
    readEvent('{"type":"step.paused","at":1,"step":"a"}'),
    "is of a kind that this Grid does not know (step.paused)",
  );
  assert.equal(
    readEvent('{"type":"toString"}'),
    "is of a kind that this Grid does not know (toString)",
  );
  const [started] = ALL;
  assert.equal(
    readEvent(JSON.stringify({ ...started, form: 2 })),
    "was written by a newer Grid",
  );
});

Deno.test("readEvent() and replay() end in an event or a clause for whatever stands there", () => {
  const run = succeededRun();
  const part = fc.nat(run.length - 1);
  const key = fc.constantFrom("type", "at", "step", "attempt", "steps", "outputs", "inputs");
  fc.assert(fc.property(part, key, fc.jsonValue(), (at, name, value) => {
    const events: Event[] = [];
    for (const [index, event] of run.entries()) {
      const json = JSON.stringify(index === at ? { ...event, [name]: value } : event);
      const read = readEvent(json);
      if (typeof read !== "string") events.push(read);
    }
    try {
      replay(events);
    } catch (error) {
      assert.match(String(error), /Cannot read the journal of run/);
    }
  }));
});
