import assert from "node:assert/strict";
import type { Event } from "../../../../src/engine/event.ts";
import { Folders } from "../../../../src/engine/ledger/folders.ts";
import type { Step } from "../../../../src/pipeline/pipeline.ts";
import { group, step } from "../../../support/pipelines.ts";

function synced(step: string, node: string, folder: string): Extract<
  Event,
  { type: "sync.finished" }
> {
  return {
    type: "sync.finished",
    at: 0,
    step,
    attempt: 1,
    node,
    folder,
    sent: 0,
    deleted: 0,
    total: 0,
    bytes: 0,
    durationMs: 0,
  };
}

/** Ends the steps in order, with the syncs that each does. */
function foldersOf(steps: readonly Step[], syncs: Readonly<Record<string, [string, string][]>>) {
  const folders = new Folders(steps);
  const seen: Record<string, Readonly<Record<string, string>>> = {};
  for (const one of steps) {
    seen[one.id] = folders.before(one);
    for (const [node, folder] of syncs[one.id] ?? []) folders.add(synced(one.id, node, folder));
    folders.end(one);
  }
  return seen;
}

Deno.test("Folders shows a step the syncs of the steps before it, and of no others", () => {
  const steps = [
    step("code"),
    step("other"),
    step("a", { needs: ["code"] }),
    step("b", { after: ["a"] }),
    step("alone"),
  ];
  const seen = foldersOf(steps, {
    code: [["n1", "/w/code"], ["n2", "/w/code"]],
    other: [["n1", "/x"]],
  });
  assert.deepEqual(seen["a"], { n1: "/w/code", n2: "/w/code" });
  assert.deepEqual(seen["b"], { n1: "/w/code", n2: "/w/code" });
  assert.deepEqual(seen["alone"], {});
});

Deno.test("Folders lets the later of two syncs to a node win", () => {
  const steps = [
    step("one"),
    step("two", { needs: ["one"] }),
    step("three"),
    step("end", { needs: ["three", "one", "two"] }),
  ];
  const seen = foldersOf(steps, {
    one: [["n1", "/one"], ["n2", "/one"]],
    two: [["n1", "/two"]],
    three: [["n3", "/three"]],
  });
  assert.deepEqual(seen["end"], { n1: "/two", n2: "/one", n3: "/three" });
});

Deno.test("Folders reach into a group, out of it, and no further", () => {
  const inner = [step("t/sync"), step("t/run", { needs: ["t/sync"] })];
  const steps = [
    step("code"),
    ...group("t", inner, { of: "template", needs: ["code"] }),
    step("end", { needs: ["t"] }),
  ];
  const seen = foldersOf(steps, { code: [["n1", "/code"]], "t/sync": [["n1", "/inner"]] });
  assert.deepEqual(seen["t/sync"], { n1: "/code" });
  assert.deepEqual(seen["t/run"], { n1: "/inner" });
  assert.deepEqual(seen["end"], { n1: "/inner" });
});

Deno.test("Folders tell what each sync before a step brought, wherever it went", () => {
  const steps = [
    step("code"),
    step("data", { after: ["code"] }),
    step("a", { needs: ["code"] }),
    step("b", { needs: ["a", "data"] }),
    step("alone"),
  ];
  const folders = new Folders(steps);
  const digests: Readonly<Record<string, string>> = { code: "c1", data: "d1" };
  for (const one of steps) {
    const digest = digests[one.id];
    for (const node of digest === undefined ? [] : ["n1", "n2"]) {
      folders.add({ ...synced(one.id, node, `/w/${one.id}`), ...(digest && { digest }) });
    }
    folders.end(one);
  }
  const seen = Object.fromEntries(steps.map((one) => [one.id, folders.broughtBefore(one)]));
  assert.deepEqual(seen["a"], { code: "c1" });
  assert.deepEqual(seen["b"], { code: "c1", data: "d1" });
  assert.deepEqual(seen["alone"], {});
});

Deno.test("Folders shows a step the data sets before it by variable, and none that two steps call the same", () => {
  const steps = [
    step("images"),
    step("a"),
    step("b"),
    step("uses", { needs: ["images"] }),
    step("both", { needs: ["images", "a", "b"] }),
  ];
  const folders = new Folders(steps);
  const [images, a, b, uses, both] = steps;
  const bring = (one: Step | undefined, name: string, digest: string) => {
    for (const node of ["n1", "n2"]) {
      folders.add({
        type: "data.finished",
        ...{ at: 0, step: one!.id, attempt: 1, node, name, digest },
        path: `/${node}/${digest}`,
        ...{ files: 1, bytes: 1, sent: 0, wasThere: false },
      });
    }
    folders.end(one!);
  };
  bring(images, "my-images", "d1");
  bring(a, "text", "d2");
  bring(b, "TEXT", "d3");
  const paths = { GRID_DATA_MY_IMAGES: { n1: "/n1/d1", n2: "/n2/d1" } };
  assert.deepEqual(folders.dataBefore(uses!), paths);
  assert.deepEqual(folders.dataBefore(both!), paths);
  // They are no folders that steps start in; what they hold counts for a resume.
  assert.deepEqual(folders.before(uses!), {});
  assert.deepEqual(folders.broughtBefore(uses!), { images: "d1" });
});
