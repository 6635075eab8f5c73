import assert from "node:assert/strict";
import { foldReasons } from "../../../src/cluster/gpu_reasons.ts";

Deno.test("foldReasons() says of many GPUs with one reason what it is, once", () => {
  const held = [0, 1, 2, 5].map((index) => `GPU ${index} is held by a job of ada (for 3h)`);
  assert.equal(foldReasons(held), "GPUs 0-2,5 are held by a job of ada (for 3h)");
  assert.equal(
    foldReasons([...held.slice(0, 1), "GPU 1 is held by a job of ben", "1 waits in line"]),
    "GPU 0 is held by a job of ada (for 3h), GPU 1 is held by a job of ben, 1 waits in line",
  );
  assert.equal(
    foldReasons(["GPU 3 has 2.0 GiB free", "GPU 7 has 2.0 GiB free"]),
    "GPUs 3,7 have 2.0 GiB free",
  );
  assert.equal(foldReasons(["GPU 1: odd", "GPU 2: odd"]), "GPU 1: odd, GPU 2: odd");
  assert.equal(foldReasons([]), "");
});
