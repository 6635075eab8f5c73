import assert from "node:assert/strict";
import { parseWork } from "../../../src/cluster/claim.ts";
import { othersPoints } from "../../../src/cluster/others.ts";

const weights = { cpuWeight: 1, gpuWeight: 3 };
const options = { owner: "me", place: "", weights, ageMs: 0 };

function work(...lines: readonly string[]) {
  return parseWork([...lines, "@claims end"]);
}

function job(
  owner: string,
  changes: { age?: number; gpus?: string; group?: string; kind?: string } = {},
) {
  const { age = 0, gpus = "-", group = "g", kind = "job" } = changes;
  return `@claim ${kind} held no ada ${age} - r s p ${owner} ${group} no - ${gpus}`;
}

Deno.test("each job of somebody else counts, half as much minute by minute, and nothing of our own", () => {
  assert.equal(othersPoints(work(job("x"), job("y"), job("me")), options), 50);
  assert.equal(othersPoints(work(job("x", { age: 60 })), options), 12.5);
  assert.equal(othersPoints(work(job("x")), { ...options, ageMs: 60_000 }), 12.5);
  assert.equal(othersPoints(work(job("x", { age: 600 })), options), 0);
  assert.equal(othersPoints(work(job("x", { gpus: "GPU-1" })), options), 75);
});

Deno.test("what a runner is about to start counts, but not beside the jobs that it has started", () => {
  const given = "@placed no ada 0 p x - 3";
  assert.equal(othersPoints(work(given), options), 75);
  assert.equal(othersPoints(work(given, job("x"), job("x")), options), 75);
  assert.equal(
    othersPoints(work(given, ...Array.from({ length: 5 }, () => job("x"))), options),
    125,
  );
});

Deno.test("a hold and the jobs that it is for are one piece of work", () => {
  const hold = job("x", { kind: "hold", gpus: "GPU-1" });
  assert.equal(othersPoints(work(hold), options), 75);
  assert.equal(othersPoints(work(hold, job("x", { gpus: "GPU-1" })), options), 75);
});

Deno.test("nodes that are folders of one machine do not count each other's work", () => {
  const elsewhere = "@claim job held no ada 0 - r s p x g no here -";
  assert.equal(othersPoints(work(elsewhere), options), 0);
  assert.equal(othersPoints(work(elsewhere), { ...options, place: "here" }), 25);
});

Deno.test("only what was there before can be asked for", () => {
  const two = work(job("x", { age: 2 }), job("y", { age: 1 }));
  assert.equal(Math.round(othersPoints(two, { ...options, sinceMs: 1500 })), 24);
});
