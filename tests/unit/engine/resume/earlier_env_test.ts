import assert from "node:assert/strict";
import { envSeen, withEarlierEnv } from "../../../../src/engine/resume/earlier_env.ts";

Deno.test("withEarlierEnv() fills in what is not set, and no secret", () => {
  const earlier = { env: { LR: "0.1", SEED: "1", KEY: "***" } };
  assert.deepEqual(withEarlierEnv({ SEED: "2" }, earlier), {
    env: { SEED: "2", LR: "0.1" },
    taken: ["LR"],
  });
  const env = { LR: "" };
  assert.deepEqual(withEarlierEnv(env, { env: { LR: "0.1" } }), { env, taken: [] });
  assert.deepEqual(withEarlierEnv(env, undefined), { env, taken: [] });
  assert.deepEqual(envSeen(["A", "LR"], env), { LR: "" });
});
