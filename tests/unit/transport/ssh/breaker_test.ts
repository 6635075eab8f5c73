import assert from "node:assert/strict";
import { Breaker } from "../../../../src/transport/ssh/breaker.ts";

Deno.test("Breaker: after a failure the next attempts fail with the same reason, untried", async () => {
  let now = 0;
  let attempts = 0;
  const breaker = new Breaker({ now: () => now });
  const fail = () => {
    attempts++;
    return Promise.reject(new Error(`failure ${attempts}`));
  };
  await assert.rejects(breaker.attempt(fail), /failure 1/);
  now = 999;
  await assert.rejects(breaker.attempt(fail), /failure 1/);
  assert.equal(attempts, 1);
  now = 1000;
  await assert.rejects(breaker.attempt(fail), /failure 2/);
  now = 2999;
  await assert.rejects(breaker.attempt(fail), /failure 2/);
  assert.equal(attempts, 2);
});

Deno.test("Breaker: the pause doubles up to 30 seconds, and a success closes it", async () => {
  let now = 0;
  const breaker = new Breaker({ now: () => now });
  const fail = () => Promise.reject(new Error("down"));
  for (let failure = 0; failure < 12; failure++) {
    await assert.rejects(breaker.attempt(fail), /down/);
    now += 30_000;
  }
  assert.equal(await breaker.attempt(() => Promise.resolve("up")), "up");
  assert.equal(await breaker.attempt(() => Promise.resolve("up")), "up");
  await assert.rejects(breaker.attempt(fail), /down/);
  now += 1000;
  assert.equal(await breaker.attempt(() => Promise.resolve("up")), "up");
});
