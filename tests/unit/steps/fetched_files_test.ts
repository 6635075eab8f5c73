import assert from "node:assert/strict";
import { FetchedFiles } from "../../../src/steps/fetched_files.ts";

Deno.test("FetchedFiles refuses what another cell of the same matrix has brought, before it is replaced", () => {
  const fetched = new FetchedFiles();
  fetched.claim(["a", "b"], { step: "get[seed=1]", to: "/r" });
  fetched.claim(["a", "b"], { step: "get[seed=1]", to: "/r" }); // a retry
  fetched.claim(["a"], { step: "get[seed=2]", to: "/r/2" });
  fetched.claim(["a"], { step: "later", to: "/r" }); // another step was told to
  fetched.claim(["c"], { step: "t[x=1]/get", to: "/r" });
  assert.throws(
    () => fetched.claim(["c"], { step: "t[x=2]/get", to: "/r" }),
    {
      code: "sync",
      message: 'Cannot fetch "c" to /r: t[x=1]/get has brought another file of that name',
    },
  );
  assert.throws(() => fetched.claim(["b"], { step: "get[seed=2]", to: "/r/../r" }), {
    code: "sync",
  });
});
