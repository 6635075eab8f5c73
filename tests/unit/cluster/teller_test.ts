import assert from "node:assert/strict";
import { Teller } from "../../../src/cluster/teller.ts";
import { FakeClock } from "../../support/fake_clock.ts";

Deno.test("a teller tells at once, then what came meanwhile, and nothing after its end", async () => {
  const clock = new FakeClock();
  let news = 0;
  const told: number[] = [];
  const teller = new Teller(clock, () => told.push(news));
  const more = () => (news++, teller.tell());
  more();
  more();
  more();
  assert.deepEqual(told, [1]);
  await clock.advance(100);
  assert.deepEqual(told, [1, 3]);
  await clock.advance(500);
  assert.deepEqual(told, [1, 3]);
  more();
  more();
  teller[Symbol.dispose]();
  await clock.advance(500);
  assert.deepEqual(told, [1, 3, 4]);
});
