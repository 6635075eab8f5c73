import assert from "node:assert/strict";
import { webRig } from "../../support/web_app.ts";
import { failedRun, RUN } from "../../support/sample_runs.ts";
import { TOKEN } from "../../support/web_app.ts";

const PATHS = [
  "/",
  "/events",
  `/runs/${RUN}`,
  `/runs/${RUN}/events`,
  `/runs/${RUN}/logs/train`,
  `/runs/${RUN}/logs/train/events`,
  "/nodes",
  "/nodes/events",
  "/compare",
  "/metrics",
  `/files/${RUN}/report.json`,
  "/no-such-page",
];

Deno.test("nothing is shown without the token, and nothing of the project is told", async () => {
  using rig = webRig();
  rig.append(failedRun());
  for (const path of PATHS) {
    for (const cookie of ["", "grid_8090=wrong", `grid_9=${TOKEN}`, `grid_8090=${TOKEN}x`]) {
      const response = await rig.ask(path, { bare: true, headers: { cookie } });
      assert.equal(response.status, 401, `${path} with "${cookie}"`);
      assert.doesNotMatch(await response.text(), /project|train|2026/);
    }
    const wrong = await rig.ask(`${path}?token=wrong`, { bare: true });
    assert.equal(wrong.status, 401);
    await wrong.body?.cancel();
    for (const method of ["POST", "HEAD"]) {
      const response = await rig.ask(path, { bare: true, method });
      assert.equal(response.status, 401, `${method} ${path}`);
      await response.body?.cancel();
    }
  }
});

Deno.test("the token goes from the address into a cookie of this port that no script reads", async () => {
  using rig = webRig();
  const response = await rig.ask(`/compare?a=1&token=${TOKEN}`, { bare: true });
  assert.equal(response.status, 303);
  assert.equal(response.headers.get("location"), "/compare?a=1");
  assert.equal(
    response.headers.get("set-cookie"),
    `grid_8090=${TOKEN}; HttpOnly; SameSite=Strict; Path=/`,
  );
  const doubled = await rig.ask(`//elsewhere.example/?token=${TOKEN}`, { bare: true });
  assert.equal(doubled.headers.get("location"), "/elsewhere.example/");
  // After another site's redirect browsers would keep a strict cookie back.
  const headers = { "sec-fetch-site": "cross-site" };
  const linked = await rig.ask(`/?token=${TOKEN}`, { bare: true, headers });
  assert.deepEqual([linked.status, linked.headers.get("refresh")], [200, "0; url=/"]);
  assert.doesNotMatch(await linked.text(), new RegExp(TOKEN));
});

Deno.test("only /metrics takes the token as a bearer's", async () => {
  using rig = webRig();
  const headers = { authorization: `Bearer ${TOKEN}` };
  const metrics = await rig.ask("/metrics", { bare: true, headers });
  assert.equal(metrics.status, 200);
  assert.equal(metrics.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  assert.equal(await metrics.text(), "# HELP up x\nup 1\n");
  assert.equal((await rig.ask("/", { bare: true, headers })).status, 401);
});

Deno.test("a foreign host is refused, whatever it brings", async () => {
  using rig = webRig();
  for (
    const host of [
      "evil.example",
      "evil.example:8090",
      "127.0.0.1.evil.example",
      "192.0.2.7",
      "a b",
      "127.0.0.1:8090:1",
    ]
  ) {
    const response = await rig.ask(`/?token=${TOKEN}`, { headers: { host } });
    assert.equal(response.status, 403, host);
  }
  // A forwarded port is another one here than there.
  for (const host of ["localhost:9999", "LOCALHOST", "[::1]:8090", "127.0.0.1"]) {
    assert.equal((await rig.ask("/", { headers: { host } })).status, 200, host);
  }
});

Deno.test("one that others may reach is asked for by an address, or by its own names", async () => {
  using rig = webRig({ isPublic: true });
  assert.equal((await rig.ask("/", { headers: { host: "192.0.2.7:8090" } })).status, 200);
  assert.equal((await rig.ask("/", { headers: { host: "evil.example:8090" } })).status, 403);
});

Deno.test("what changes anything is a form of a page of ours", async () => {
  using rig = webRig();
  const fine = await rig.post("/nodes/look");
  assert.deepEqual([fine.status, fine.headers.get("location")], [303, "/nodes"]);
  assert.deepEqual(rig.asked, ["look"]);
  // Browsers that name no origin say at least what kind of site it was.
  const foreign: Record<string, string>[] = [
    { origin: "http://evil.example" },
    { origin: "null" },
    { origin: "http://127.0.0.1:9999" },
    { origin: "http://127.0.0.1:8090", "sec-fetch-site": "cross-site" },
    { "content-type": "text/plain" },
    { "content-type": "application/json" },
    { "content-length": "9999999" },
    { "content-length": "x" },
    { host: "evil.example" },
  ];
  for (const headers of foreign) {
    const { status } = await rig.post("/nodes/look", headers);
    assert.ok([403, 413, 415].includes(status), `${JSON.stringify(headers)}: ${status}`);
  }
  const form = {
    "content-type": "application/x-www-form-urlencoded",
    origin: "http://127.0.0.1:8090",
  };
  for (const body of ["", "form=wrong"]) {
    const headers = { ...form, "content-length": String(body.length) };
    assert.equal((await rig.ask("/nodes/look", { method: "POST", body, headers })).status, 403);
  }
  for (const site of ["cross-site", "same-site", "none"]) {
    const headers = { "content-type": form["content-type"], "sec-fetch-site": site };
    assert.equal((await rig.ask("/nodes/look", { method: "POST", body: "", headers })).status, 403);
  }
  assert.deepEqual(rig.asked, ["look"]);
});

Deno.test("other methods mean nothing, and what acts is not read", async () => {
  using rig = webRig();
  rig.append(failedRun());
  for (const method of ["DELETE", "PUT", "PATCH", "OPTIONS"]) {
    const response = await rig.ask(`/runs/${RUN}`, { method });
    assert.deepEqual([response.status, response.headers.get("allow")], [405, "GET, HEAD, POST"]);
  }
  for (const path of [`/runs/${RUN}/cancel`, `/runs/${RUN}/resume`, "/nodes/look"]) {
    const response = await rig.ask(path);
    assert.deepEqual([response.status, response.headers.get("allow")], [405, "POST"], path);
  }
  assert.equal((await rig.ask("/events", { method: "HEAD" })).status, 405);
  assert.deepEqual(rig.asked, []);
});

Deno.test("every answer has a policy of its own nonce, and is kept by nobody", async () => {
  using rig = webRig();
  rig.append(failedRun());
  const seen = new Set<string>();
  for (const path of ["/", `/runs/${RUN}`, "/nodes", "/no-such-page", "/metrics"]) {
    const { headers } = await rig.ask(path);
    const policy = headers.get("content-security-policy") ?? "";
    assert.match(
      policy,
      /^default-src 'none'; script-src 'nonce-(\w{22})'; style-src 'nonce-\1'; /,
    );
    assert.doesNotMatch(policy, /unsafe|\*|https?:/);
    seen.add(policy);
    assert.equal(headers.get("cache-control"), "no-store");
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("x-frame-options"), "DENY");
  }
  assert.equal(seen.size, 5);
});
