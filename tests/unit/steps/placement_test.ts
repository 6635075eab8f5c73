import assert from "node:assert/strict";
import type { Placement } from "../../../src/cluster/cluster.ts";
import type { NodeSelector } from "../../../src/cluster/node_selector.ts";
import type { OpenNode } from "../../../src/cluster/node.ts";
import { GridError } from "../../../src/core/errors.ts";
import { placeJob } from "../../../src/steps/gpu_claim.ts";
import { ANY_NODE, resolveNode } from "../../../src/steps/placement.ts";
import { recordHost, stepRequest } from "../../support/step_rig.ts";
import { health, node } from "../cluster/nodes.ts";

/** Nodes in the order in which they would be chosen; those in `broken` cannot be opened. */
function clusterOf(names: readonly string[], broken: Readonly<Record<string, GridError["code"]>>) {
  return {
    select(_: unknown, { avoid = [] }: { readonly avoid?: readonly string[] } = {}) {
      const name = names.find((name) => !avoid.includes(name)) ?? names[0] ?? "";
      return Promise.resolve<Placement>({ node: name, health: health(name), passedOver: [] });
    },
    open(name: string) {
      const code = broken[name];
      return code === undefined
        ? Promise.resolve({ node: node(name) } as OpenNode)
        : Promise.reject(new GridError({ code, message: `Cannot use "${name}": it is broken` }));
    },
  };
}

const BEST = {
  ...stepRequest({ action: { kind: "run", run: "true" } }),
  node: { kind: "best" },
} as const;

Deno.test("a node that cannot be used makes room for the next best, with a word", async () => {
  const host = recordHost();
  const cluster = clusterOf(["hole", "pit", "good"], { hole: "workspace", pit: "tcp" });
  const open = await resolveNode(BEST, host, cluster);
  assert.equal(open.node.name, "good");
  assert.deepEqual(host.notes.map((note) => note.type === "warned" ? note.message : note.type), [
    "node.chosen",
    'passes over hole: Cannot use "hole": it is broken',
    "node.chosen",
    'passes over pit: Cannot use "pit": it is broken',
    "node.chosen",
  ]);
});

Deno.test("a step that names no node gets one that has its code; one that asks for more is told", async () => {
  const asked: (readonly string[])[] = [];
  const cluster = {
    ...clusterOf(["other", "coded"], {}),
    select({ among }: Pick<NodeSelector, "among">) {
      asked.push(among);
      const name = among[0] ?? "other";
      return Promise.resolve<Placement>({ node: name, health: health(name), passedOver: [] });
    },
  };
  const folders = { local: "/here", coded: "/ws/app" };
  const host = recordHost();
  assert.equal((await resolveNode({ ...BEST, folders }, host, cluster)).node.name, "coded");
  assert.deepEqual(host.notes.map(({ type }) => type), ["node.chosen"]);
  const selector = { ...ANY_NODE, labels: ["fast"] };
  const fast = { ...BEST, folders, node: { kind: "selector", selector } } as const;
  assert.equal((await resolveNode(fast, host, cluster)).node.name, "other");
  assert.deepEqual(host.notes.flatMap((note) => note.type === "warned" ? [note.message] : []), [
    "no sync before it brought anything to other: what they brought is on coded",
  ]);
  await resolveNode({ ...BEST, folders: { local: "/here" } }, host, cluster);
  assert.deepEqual(asked, [["coded"], [], []]);
});

Deno.test("where no node can be used, the failure is that of the last", async () => {
  const cluster = clusterOf(["hole", "pit"], { hole: "workspace", pit: "auth" });
  await assert.rejects(resolveNode(BEST, recordHost(), cluster), /hole/);
});

Deno.test("a node that the pipeline names has no stand-in; nor has a mistake of the user", async () => {
  const cluster = clusterOf(["hole", "good"], { hole: "workspace" });
  const named = { ...BEST, node: { kind: "named", name: "hole" } } as const;
  await assert.rejects(resolveNode(named, recordHost(), cluster), /hole/);
  const usage = clusterOf(["hole", "good"], { hole: "usage" });
  await assert.rejects(resolveNode(BEST, recordHost(), usage), /hole/);
});

/** Nodes that can all be opened; on those in `broken` nothing can be claimed. */
function claimingOf(names: readonly string[], broken: Readonly<Record<string, GridError["code"]>>) {
  return {
    ...clusterOf(names, {}),
    claim({ node: { name } }: OpenNode) {
      const code = broken[name];
      return code === undefined
        ? Promise.resolve({ prelude: "true; " })
        : Promise.reject(new GridError({ code, message: `Cannot write on "${name}": no room` }));
    },
  };
}

Deno.test("a node on which no job can be begun makes room for the next best, with a word", async () => {
  const host = recordHost();
  const { node, prelude } = await placeJob(
    BEST,
    host,
    claimingOf(["hole", "pit", "good"], { hole: "workspace", pit: "lost" }),
  );
  assert.deepEqual([node.node.name, prelude], ["good", "true; "]);
  assert.deepEqual(
    host.notes.flatMap((note) => note.type === "warned" ? [note.message] : []),
    [
      'passes over hole: Cannot write on "hole": no room',
      'passes over pit: Cannot write on "pit": no room',
    ],
  );
});

Deno.test("where no job can be begun anywhere, or where its node was named, that is the failure", async () => {
  const cluster = claimingOf(["hole", "pit"], { hole: "workspace", pit: "workspace" });
  await assert.rejects(placeJob(BEST, recordHost(), cluster), /hole/);
  const named = { ...BEST, node: { kind: "named", name: "hole" } } as const;
  const one = claimingOf(["hole", "good"], { hole: "workspace" });
  await assert.rejects(placeJob(named, recordHost(), one), /hole/);
});
