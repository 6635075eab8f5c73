import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Event } from "../../../src/engine/event.ts";
import { outline, runFinished, runStarted, START_MS } from "../../support/events.ts";
import { failedRun, longRun, RUN, succeededRun } from "../../support/sample_runs.ts";
import { SentEvents, webRig } from "../../support/web_app.ts";

/** What a browser would take for markup or for an address of its own. */
const HOSTILE = `<b id="x">'"&\u202e</b>`;

function run(id: string, parts: Parameters<typeof runStarted>[1] = {}): Event[] {
  return [runStarted(id, parts), runFinished({ at: (parts.at ?? START_MS) + 1000 })];
}

Deno.test("/ lists runs, newest first, with who resumed whom", async () => {
  using rig = webRig();
  assert.match(await rig.text("/"), /no runs yet/);
  rig.append(run("r1", { inputs: { lr: 0.1, data: "digits" } }));
  rig.append(run("r2", { pipeline: "nightly", resumes: "r1" }));
  rig.writer.setNote("r2", "the baseline");
  const page = await rig.text("/");
  assert.ok(page.indexOf('id="r-r2"') < page.indexOf('id="r-r1"'));
  assert.match(page, /lr=0.1 data=digits/);
  assert.match(page, /the baseline/);
  assert.match(page, /resumes <a class="mono" href="\/runs\/r1">r1<\/a>/);
  assert.match(page, /resumed as <a class="mono" href="\/runs\/r2">r2<\/a>/);
});

Deno.test("/ finds runs by words, input, state and time, and shows fifty at a time", async () => {
  using rig = webRig();
  for (let at = 0; at < 60; at++) {
    rig.append(
      run(`r${String(at).padStart(3, "0")}`, {
        inputs: { seed: at },
        at: at === 3 ? Date.now() : START_MS,
      }),
    );
  }
  rig.append([
    runStarted("f1", { pipeline: "nightly" }),
    runFinished({ state: "failed", exitCode: 1 }),
  ]);
  const found = async (query: string) =>
    [...(await rig.text(`/${query}`)).matchAll(/id="r-(\w+)"/g)].map(([, id]) => id);
  assert.equal((await found("")).length, 50);
  assert.match(await rig.text("/"), /href="\/\?page=2">older/);
  assert.deepEqual((await found("?page=2")).length, 11);
  assert.deepEqual(await found("?q=NIGHT"), ["f1"]);
  assert.deepEqual(await found("?q=r005"), ["r005"]);
  assert.deepEqual(await found("?q=seed%3D7"), ["r007"]);
  assert.deepEqual(await found("?q=train+seed%3D7"), ["r007"]);
  assert.deepEqual(await found("?q=nightly+seed%3D7"), []);
  assert.deepEqual(await found("?state=failed"), ["f1"]);
  assert.deepEqual(await found("?within=1d"), ["r003"]);
  // What means nothing is not asked for.
  assert.equal((await found("?state=good&within=soon&page=-1")).length, 50);
  assert.match(await rig.text("/?q=none"), /no such runs/);
  assert.match(await rig.text("/?q=seed%3D7"), /of the newest 2000 runs/);
});

Deno.test("/runs/ID shows steps, failures and actions of a run; a name leads to its id", async () => {
  using rig = webRig();
  rig.append(failedRun());
  rig.log(RUN, "train.1.log", "epoch 1\n\x1b[31mout of memory\x1b[0m\n");
  const page = await rig.text(`/runs/${RUN}`);
  assert.match(page, /First failure: train on gpu1/);
  assert.match(page, /<pre [^>]+>epoch 1\nout of memory<\/pre>/);
  assert.match(page, /needs train, which failed/);
  assert.match(page, new RegExp(`action="/runs/${RUN}/resume"`));
  assert.doesNotMatch(page, /\/cancel"|data-live/);
  // The same bars and words as in its report.
  const bars = [...page.matchAll(/<rect class="([^"]+)"/g)].map(([, name]) => name);
  assert.deepEqual(bars, ["sync succeeded", "node", "run failed", "run succeeded"]);
  assert.match(page, /Of 9\.6s, 9\.1s went into running train/);
  for (const name of ["last", "train", RUN.slice(0, 12)]) {
    const { status, headers } = await rig.ask(`/runs/${name}`);
    assert.deepEqual([status, headers.get("location")], [302, `/runs/${RUN}`]);
  }
});

Deno.test("a run whose runner is gone is stopped, and can be resumed but not cancelled", async () => {
  using rig = webRig();
  rig.append(succeededRun().slice(0, -10));
  const page = await rig.text(`/runs/${RUN}`);
  assert.match(page, /class="badge stopped">stopped/);
  assert.match(page, /Its runner is gone/);
  const cancelled = await rig.post(`/runs/${RUN}/cancel`);
  assert.equal(cancelled.status, 409);
  assert.match(await cancelled.text(), /Cannot cancel run .*: it is over, or its runner is gone/);
  assert.match(await rig.text("/"), /class="dot stopped"/);
  const at = { node: "gpu1", folder: "/far", project: "/far/p", isAlive: true, seenAt: 0 };
  rig.writer.nodeRunners.put({ ...at, run: RUN });
  const elsewhere = await rig.post(`/runs/${RUN}/cancel`);
  assert.match(await elsewhere.text(), /its runner lives on .*gpu1/);
});

Deno.test("a step whose name is no whole text has a page, and its log an address", async () => {
  using rig = webRig();
  const step = "cell[v=\ud83d]";
  rig.append([
    runStarted("r1", { steps: [outline(step)] }),
    { type: "step.started", at: START_MS, step, afterMs: 0 },
    { type: "attempt.started", at: START_MS, step, attempt: 1 },
    runFinished(),
  ]);
  const page = await rig.text("/runs/r1");
  const address = /href="(\/runs\/r1\/logs\/[^"]+)"/.exec(page)?.[1];
  assert.ok(address, page);
  assert.match(await rig.text(address), /<h1>cell\[v=/);
});

Deno.test("how long something takes is there without a script, too", async () => {
  using rig = webRig();
  const at = Date.now() - 125_000;
  rig.writer.enter("r1");
  rig.append([
    runStarted("r1", { at, steps: [outline("train")] }),
    { type: "step.started", at: at + 120_000, step: "train", afterMs: 120_000 },
  ]);
  const times = async (path: string) =>
    [...(await rig.text(path)).matchAll(/data-since="\d+">([^<]*)</g)].map(([, time]) => time);
  assert.match((await times("/")).join(), /^2m 0\ds$/);
  assert.match((await times("/runs/r1")).join(), /^2m 0\ds,\ds$/);
});

Deno.test("a runner that dies without a word is noticed by those who look", async () => {
  using rig = webRig();
  rig.writer.enter("r1");
  rig.append([runStarted("r1")]);
  await using events = new SentEvents(await rig.ask("/events"));
  assert.match((await events.next())?.data.runs, /dot running/);
  // As `kill -9` leaves it: nothing is written.
  const database = new DatabaseSync(join(rig.folder, "grid.db"));
  database.exec("UPDATE runners SET born = '1'");
  database.close();
  assert.match((await events.next())?.data.runs, /dot stopped/);
});

Deno.test("POST cancels a run that lives, and resumes one that is over; its refusal is shown", async () => {
  using rig = webRig();
  rig.append([runStarted("r1")]);
  rig.append(run("r2"));
  rig.append(run("bad"));
  rig.writer.enter("r1");
  const cancelled = await rig.post("/runs/r1/cancel");
  assert.deepEqual([cancelled.status, cancelled.headers.get("location")], [
    303,
    "/runs/r1?said=cancel",
  ]);
  assert.equal(rig.writer.cancelRequest("r1"), "cancelled by ada");
  assert.match(await rig.text("/runs/r1?said=cancel"), /Asked the run to stop/);
  assert.doesNotMatch(await rig.text("/runs/r1?said=constructor"), /class="said"/);
  assert.equal((await rig.post("/runs/r2/resume")).headers.get("location"), "/runs/r2?said=resume");
  const refused = await rig.post("/runs/bad/resume");
  assert.equal(refused.status, 409);
  assert.match(await refused.text(), /Cannot resume: &lt;no&gt;/);
  assert.equal((await rig.post("/runs/nope/resume")).status, 404);
  assert.deepEqual(rig.asked, ["resume r2", "resume bad"]);
});

Deno.test("schedules are shown with what became of their times, paused and gone on with", async () => {
  using rig = webRig();
  assert.match(await rig.text("/schedule"), /Nothing begins by itself here/);
  const key = { file: HOSTILE, name: HOSTILE };
  const row = {
    ...{ ...key, pipeline: HOSTILE, cron: HOSTILE, zone: HOSTILE, isEnabled: true },
    ...{ paused: undefined, isLeft: false, nextAt: Date.now() + 7_500_000, next: HOSTILE },
    ...{ missed: 2, skipped: 0, failed: 1 },
    shown: [
      { time: HOSTILE, result: HOSTILE, run: "r1", said: undefined },
      { time: "", result: "failed", run: "r2", said: HOSTILE },
      { time: "", result: "missed", run: undefined, said: undefined },
    ],
  };
  rig.schedules = { rows: [row], problems: [HOSTILE], isServing: true };
  const page = await rig.text("/schedule");
  assert.match(page, /in 2h 5m.*2 missed, 1 could not begin.*href="\/runs\/r1".*missed/s);
  assert.ok(!page.includes(HOSTILE.slice(0, 10)));
  const left = { ...row, isLeft: true };
  rig.schedules = { rows: [left, { ...left, paused: "ada" }], problems: [], isServing: true };
  assert.match(await rig.text("/schedule"), /Nobody starts its runs.*paused by ada/s);
  await using events = new SentEvents(await rig.ask("/schedule/events"));
  assert.match((await events.next())?.data.schedules, /Nobody starts its runs/);
  const path = `file=${encodeURIComponent(HOSTILE)}&name=${encodeURIComponent(HOSTILE)}`;
  assert.equal((await rig.post(`/schedule/pause?${path}`)).status, 404);
  rig.writer.schedules.decide({ ...row, ...key }, 1, () => ({
    ...{ decidedTo: 1, start: [], queue: [], skip: [], miss: [], missed: 0 },
    ...{ cancel: false, nextAt: 2 },
  }));
  const paused = await rig.post(`/schedule/pause?${path}`);
  assert.deepEqual([paused.status, paused.headers.get("location")], [303, "/schedule"]);
  assert.equal(rig.writer.schedules.all()[0]?.paused, "ada");
  assert.equal((await rig.post(`/schedule/unpause?${path}`)).status, 303);
  assert.equal(rig.writer.schedules.all()[0]?.paused, undefined);
});

Deno.test("names and values of a run are text on every page, and in every event", async () => {
  using rig = webRig();
  const steps = [outline(HOSTILE), outline("out")];
  rig.append([
    runStarted("r1", { pipeline: HOSTILE, file: HOSTILE, inputs: { [HOSTILE]: HOSTILE }, steps }),
    { type: "step.started", at: START_MS, step: HOSTILE },
    { type: "attempt.started", at: START_MS, step: HOSTILE, attempt: 1 },
    { type: "node.chosen", at: START_MS, step: HOSTILE, attempt: 1, node: HOSTILE },
    { type: "warned", at: START_MS, message: HOSTILE },
    {
      type: "step.finished",
      at: START_MS,
      step: "out",
      state: "succeeded",
      outputs: { [HOSTILE]: HOSTILE },
      reason: HOSTILE,
    },
  ]);
  rig.writer.enter("r1");
  rig.writer.setNote("r1", HOSTILE);
  rig.nodes = {
    nodes: [{
      ...{ name: HOSTILE, status: "unusable", at: 1, reason: HOSTILE, hint: HOSTILE, score: 1 },
      ...{
        cpuPercent: 1,
        gpuPercent: 1,
        memoryAvailableBytes: 1,
        memoryTotalBytes: 2,
        diskFreeBytes: 1,
      },
      gpus: [{
        index: 0,
        name: HOSTILE,
        memoryUsedBytes: 1,
        memoryTotalBytes: 2,
        utilizationPercent: 1,
        sick: HOSTILE,
        holders: [HOSTILE],
      }],
      drains: [HOSTILE],
      remarks: [HOSTILE],
      scores: [1, undefined, 3],
    }],
    queue: [{
      node: HOSTILE,
      place: 1,
      gpus: 1,
      account: HOSTILE,
      run: HOSTILE,
      step: HOSTILE,
      project: HOSTILE,
      ageMs: 1,
      leftMs: 1,
    }],
  };
  const step = encodeURIComponent(HOSTILE);
  const paths = [
    "/",
    "/runs/r1",
    `/runs/r1/logs/${step}`,
    "/nodes",
    "/compare?a=r1&b=r1",
    `/?q=${step}`,
    `/runs/${step}x`,
  ];
  for (const path of paths) {
    const page = await rig.text(path);
    assert.doesNotMatch(page, /<b id|\u202e/, path);
    assert.match(page, /&lt;b id=&quot;x&quot;&gt;&#39;&quot;&amp;/, path);
  }
  for (const path of ["/events", "/runs/r1/events", "/nodes/events"]) {
    await using events = new SentEvents(await rig.ask(path));
    const { data } = await events.find(({ event }) => event === "parts");
    assert.doesNotMatch(Object.values(data).join(), /<b id|\u202e/, path);
  }
});

Deno.test("new runs and every change of one are sent to whoever looks, as they come", async () => {
  using rig = webRig();
  await using runs = new SentEvents(await rig.ask("/events"));
  await using searched = new SentEvents(await rig.ask("/events?q=nightly"));
  await runs.next();
  await searched.next();
  const [started, ...rest] = succeededRun();
  assert.ok(started);
  rig.writer.enter(RUN);
  rig.append([started]);
  assert.match((await runs.next())?.data.runs, /class="dot running"/);
  await using events = new SentEvents(await rig.ask(`/runs/${RUN}/events`));
  assert.match((await events.next())?.data.head, /0 running|6 pending|running/);
  rig.writer.append(RUN, rest.slice(0, 2));
  const { data } = await events.find(({ data }) => data["s1"] !== undefined);
  assert.match(data["s1"], /running/);
  // What is as before is not sent again.
  assert.equal(data["s2"], undefined);
  rig.writer.append(RUN, rest.slice(2));
  rig.writer.leave(RUN);
  const last = await events.find(({ data }) => /badge succeeded/.test(data.head ?? ""));
  assert.match(last.data.head, /full report/);
  assert.equal((await events.find(({ event }) => event === "over")).event, "over");
  assert.equal(await events.next(), undefined);
  assert.match((await runs.find(({ data }) => /succeeded/.test(data.runs))).data.runs, /r-2026/);
});

Deno.test("ten browsers that look at one run are sent the same, and one that leaves disturbs nobody", async () => {
  using rig = webRig();
  const [started, ...rest] = longRun(200);
  assert.ok(started?.type === "run.started");
  rig.writer.enter(started.run);
  rig.append([started]);
  const path = `/runs/${started.run}/events`;
  const all = await Promise.all(
    Array.from({ length: 10 }, async () => new SentEvents(await rig.ask(path))),
  );
  await all[0]?.next();
  await all[0]?.[Symbol.asyncDispose]();
  rig.writer.append(started.run, rest);
  rig.writer.leave(started.run);
  const ends = await Promise.all(
    all.slice(1).map(async (events) =>
      (await events.find(({ data }) => /badge succeeded/.test(data.head ?? ""))).data
    ),
  );
  assert.equal(ends.length, 9);
  for (const data of ends) assert.deepEqual(Object.keys(data), Object.keys(ends[0]));
  for (const events of all.slice(1)) await events[Symbol.asyncDispose]();
});

Deno.test("more watchers than there is room for are refused with a word", async () => {
  using rig = webRig();
  const open = await Promise.all(Array.from({ length: 64 }, () => rig.ask("/events")));
  const refused = await rig.ask("/nodes/events");
  assert.equal(refused.status, 409);
  assert.match(await refused.text(), /64 pages are being followed/);
  await Promise.all(open.map((response) => response.body?.cancel()));
  const again = await rig.ask("/events");
  assert.equal(again.status, 200);
  await again.body?.cancel();
});

Deno.test("a log is followed to its end, from where the page stopped, and to the next attempt", async () => {
  using rig = webRig();
  const begin = (attempt: number): Event => ({
    type: "attempt.started",
    at: START_MS,
    step: "a/b?c#d",
    attempt,
  });
  rig.append([runStarted("r1", { steps: [outline("a/b?c#d")] }), {
    type: "step.started",
    at: START_MS,
    step: "a/b?c#d",
  }, begin(1)]);
  rig.writer.enter("r1");
  rig.log("r1", "a_b_c_d.1.log", "one\n\x1b[31mtwo\npart");
  const path = `/runs/r1/logs/${encodeURIComponent("a/b?c#d")}`;
  const page = await rig.text(path);
  assert.match(
    page,
    /<div>one<\/div><div><span class="ink-1">two<\/span><\/div><div id="open-line">/,
  );
  const live = /data-live="([^"]+)"/.exec(page)?.[1]?.replaceAll("&amp;", "&") ?? "";
  assert.match(live, /events\?from=13$/);
  await using events = new SentEvents(await rig.ask(live));
  assert.deepEqual((await events.next())?.data, { lines: "", open: "part" });
  rig.log("r1", "a_b_c_d.1.log", "ial\nthree\n");
  const { data, id } = await events.find(({ data }) => data.lines !== "");
  assert.equal(data.lines, "<div>partial</div><div>three</div>");
  assert.equal(id, "27");
  // As a browser whose connection was lost.
  await using again = new SentEvents(await rig.ask(live, { headers: { "last-event-id": "13" } }));
  assert.equal((await again.next())?.data.lines, data.lines);
  rig.writer.append("r1", [
    {
      type: "attempt.finished",
      at: START_MS,
      step: "a/b?c#d",
      attempt: 1,
      result: "failed",
      retryInMs: 1,
    },
    begin(2),
  ]);
  for (const each of [events, again]) {
    await each.find(({ event }) => event === "moved");
    assert.equal(await each.next(), undefined);
  }
  assert.match(await rig.text(path), /attempt=2" *aria-current="page"/);
  assert.match(await rig.text(`${path}?attempt=1`), /attempt=1" *aria-current="page"/);
  for (const wrong of [`${path}?attempt=3`, `${path}?attempt=x`, "/runs/r1/logs/none"]) {
    assert.equal((await rig.ask(wrong)).status, 404, wrong);
  }
});

Deno.test("/files hands out what a run wrote, as text, and nothing beside it", async () => {
  using rig = webRig();
  rig.append(run("r1"));
  rig.log("r1", "a.1.log", "<b>x</b>");
  const folder = join(rig.folder, "runs", "r1");
  Deno.writeTextFileSync(join(folder, "report.html"), "<!doctype html>");
  Deno.writeTextFileSync(join(folder, "secret"), "no");
  Deno.symlinkSync(join(folder, "secret"), join(folder, "logs", "link"));
  Deno.symlinkSync(rig.folder, join(folder, "results"));
  const log = await rig.ask("/files/r1/logs/a.1.log");
  assert.equal(log.headers.get("content-type"), "text/plain; charset=utf-8");
  assert.equal(log.headers.get("content-security-policy"), "default-src 'none'; sandbox");
  assert.equal(await log.text(), "<b>x</b>");
  const report = await rig.ask("/files/r1/report.html");
  assert.equal(report.headers.get("content-type"), "text/html; charset=utf-8");
  assert.match(report.headers.get("content-security-policy") ?? "", /^default-src 'none'; /);
  await report.body?.cancel();
  assert.deepEqual(rig.asked, ["report r1"]);
  const hidden = [
    "/files/r1/secret",
    "/files/r1/logs/link",
    "/files/r1/results/grid.db",
    "/files/r1/logs/%2e%2e/secret",
    "/files/r1/logs/..%2Fsecret",
    "/files/r1/logs/..%2F..%2F..%2Fgrid.db",
    "/files/r1/logs%2F..%2Fsecret",
    "/files/r1/%2Fetc%2Fpasswd",
    "/files/r1/logs/",
    "/files/r1/logs/%00",
    "/files/..%2Fruns%2Fr1/report.html",
    "/files/nope/report.html",
    "/files/r1/junit.xml",
  ];
  for (const path of hidden) {
    const { status } = await rig.ask(path);
    assert.equal(status, 404, path);
  }
});

Deno.test("/compare shows what differs between two runs, and counts the rest", async () => {
  using rig = webRig();
  rig.append(run("r1", { inputs: { lr: 0.1, data: "digits" } }));
  rig.append(run("r2", { inputs: { lr: 0.2, data: "digits" } }));
  const page = await rig.text("/compare?run=r2&run=r1");
  assert.match(page, /<tr class="differs"><td>lr<\/td><td>0.1<\/td><td>0.2<\/td>/);
  assert.match(page, /1 is equal/);
  assert.match(await rig.text("/compare"), /Say which two/);
  assert.equal((await rig.ask("/compare?run=r1&run=r2&run=r1")).status, 404);
  assert.equal((await rig.ask("/compare?a=nope&b=r1")).status, 404);
});

Deno.test("a run whose journal is damaged costs its own page alone", async () => {
  using rig = webRig();
  rig.append([runStarted("r1"), { type: "step.started", at: START_MS, step: "none" }]);
  rig.append(run("r2"));
  const broken = await rig.ask("/runs/r1");
  assert.equal(broken.status, 404);
  assert.match(await broken.text(), /Cannot read the journal of run r1/);
  assert.equal((await rig.ask("/")).status, 200);
  assert.equal((await rig.ask("/runs/r2")).status, 200);
});

Deno.test("a run database that is moved away is no longer shown as if it were there", async () => {
  using rig = webRig();
  rig.append(run("r1"));
  await using events = new SentEvents(await rig.ask("/events"));
  await events.next();
  Deno.renameSync(join(rig.folder, "grid.db"), join(rig.folder, "old.db"));
  const { data } = await events.find(({ event }) => event === "problem");
  assert.match(data.message, /moved, removed or replaced/);
  assert.equal(await events.next(), undefined);
  const page = await rig.ask("/");
  assert.equal(page.status, 404);
  assert.match(await page.text(), /start this command again/);
  assert.equal((await rig.ask("/", { bare: true })).status, 401);
});
