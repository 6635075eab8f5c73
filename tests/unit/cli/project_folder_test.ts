import assert from "node:assert/strict";
import { checkOwners, findProject, type Onlooker } from "../../../src/cli/project_folder.ts";

const [ME, EVE, ROOT] = [1000, 54_321, 0];

/** A machine on which these paths belong to these accounts. */
function onlooker(
  owners: Readonly<Record<string, number>>,
  more: Partial<Onlooker> = {},
): Onlooker {
  return {
    uid: ME,
    home: "/home/me",
    ownerOf: (path) => owners[path],
    isOpenToAll: (folder) => folder === "/tmp",
    ...more,
  };
}

const CONFIG = "config/cluster_config.yaml";

Deno.test("findProject() finds the nearest folder upward that holds a config or .grid", () => {
  const machine = onlooker({ "/a/.grid": ME, "/a": ME, [`/a/b/${CONFIG}`]: ME, "/a/b": ME });
  assert.equal(findProject("/a/b/c/d", machine).project, "/a/b");
  assert.equal(findProject("/a/x", machine).project, "/a");
  assert.equal(findProject("/x", machine).project, "/x");
});

Deno.test("findProject() passes by what belongs to somebody else, and says so", () => {
  const planted = { [`/scratch/${CONFIG}`]: EVE, "/scratch": ROOT };
  const found = findProject("/scratch/me/work", onlooker(planted));
  assert.equal(found.project, "/scratch/me/work");
  assert.deepEqual(found.passedBy, [{ path: `/scratch/${CONFIG}`, owner: EVE }]);
  const folder = onlooker({ [`/eve/${CONFIG}`]: ME, "/eve": EVE });
  assert.equal(findProject("/eve/work", folder).project, "/eve/work");
});

Deno.test("findProject() takes what root made for everybody, and for root what sudo's account has", () => {
  const byRoot = { [`/lab/${CONFIG}`]: ROOT, "/lab": ROOT };
  assert.equal(findProject("/lab/me", onlooker(byRoot)).project, "/lab");
  const mine = { "/w/.grid": ME, "/w": ME };
  assert.equal(findProject("/w/x", onlooker(mine, { uid: ROOT })).project, "/w/x");
  assert.equal(findProject("/w/x", onlooker(mine, { uid: ROOT, sudoUid: ME })).project, "/w");
});

Deno.test("findProject() stops at the border of a repository", () => {
  const machine = onlooker({ "/a": ME, "/a/.grid": ME, "/a/b/.git": ME });
  assert.equal(findProject("/a/b/c", machine).project, "/a/b/c");
  const inside = onlooker({ "/a/b": ME, "/a/b/.git": ME, "/a/b/.grid": ME });
  assert.equal(findProject("/a/b/c", inside).project, "/a/b");
});

Deno.test("findProject() stops at home, which is a project by its config alone", () => {
  const above = onlooker({ "/home": ROOT, "/home/.grid": ROOT });
  assert.equal(findProject("/home/me/x", above).project, "/home/me/x");
  const left = onlooker({ "/home/me": ME, "/home/me/.grid": ME });
  assert.equal(findProject("/home/me/x", left).project, "/home/me/x");
  assert.equal(findProject("/home/me", left).project, "/home/me");
  const meant = onlooker({ "/home/me": ME, [`/home/me/${CONFIG}`]: ME });
  assert.equal(findProject("/home/me/x", meant).project, "/home/me");
});

Deno.test("findProject() makes no project of a folder that everybody writes to, but for a config", () => {
  const stray = onlooker({ "/tmp": ROOT, "/tmp/.grid": ME });
  assert.equal(findProject("/tmp/x", stray).project, "/tmp/x");
  assert.equal(findProject("/tmp", stray).project, "/tmp");
  const meant = onlooker({ "/tmp": ROOT, [`/tmp/${CONFIG}`]: ME });
  assert.equal(findProject("/tmp/x", meant).project, "/tmp");
});

Deno.test("checkOwners() refuses somebody else's config where we stand, unless it is named", () => {
  const machine = onlooker({ "/p": ME, "/p/config": EVE, [`/p/${CONFIG}`]: EVE });
  assert.throws(() => checkOwners("/p", { onlooker: machine, configIsNamed: false }), {
    code: "permission",
    message: /cluster config of "\/p": "\/p\/config" belongs to account 54321/,
  });
  checkOwners("/p", { onlooker: machine, configIsNamed: true });
});

Deno.test("checkOwners() refuses somebody else's runs, also where the config is named", () => {
  const machine = onlooker({ "/p": ME, "/p/.grid": EVE });
  assert.throws(() => checkOwners("/p", { onlooker: machine, configIsNamed: true }), {
    code: "permission",
    message: /Cannot use "\/p\/.grid"/,
  });
});

Deno.test("checkOwners() lets everybody work in a folder of somebody else that holds nothing", () => {
  checkOwners("/tmp", { onlooker: onlooker({ "/tmp": EVE }), configIsNamed: false });
});
