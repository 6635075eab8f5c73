/** What people collect metrics with, run for real on what `grid metrics` prints. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { METRICS_CONTENT_TYPE } from "../../../src/metrics/metrics.ts";
import { grid, project, REPOSITORY } from "../../support/cli.ts";
import { freePort } from "../../support/free_port.ts";
import { findProgram, testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";

const PIPELINE = `name: nightly
steps:
  - { id: a, node: local, run: 'true' }
  - { id: b, node: local, run: 'exit 3' }
`;

interface Server extends AsyncDisposable {
  readonly url: string;
}

/** Starts a server of the system's and waits until it answers. */
async function start(
  name: string,
  { args, path }: { readonly args: (port: number) => readonly string[]; readonly path: string },
): Promise<Server> {
  const port = freePort();
  const child = new Deno.Command(findProgram(name) ?? name, {
    args: [...args(port)],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const url = `http://127.0.0.1:${port}`;
  const server = {
    url,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await child.status;
    },
  };
  await eventually(async () => (await get(`${url}${path}`)).includes(""));
  return server;
}

async function get(url: string): Promise<string> {
  const response = await fetch(url);
  const text = await response.text();
  assert.ok(response.ok, `${url}: ${response.status} ${text}`);
  return text;
}

async function query(url: string, expr: string): Promise<{ metric: Record<string, string> }[]> {
  const text = await get(`${url}/api/v1/query?query=${encodeURIComponent(expr)}`);
  return JSON.parse(text).data.result;
}

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const done = await condition().catch((error: unknown) => {
      if (Date.now() > deadline) throw error;
      return false;
    });
    if (done) return;
    if (Date.now() > deadline) throw new Error("it did not happen within a minute");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

testWith(
  ["prometheus", "prometheus-node-exporter", "prometheus-pushgateway"],
  "metrics: node_exporter and Pushgateway take them, Prometheus scrapes both, fires an alert and answers every query of the dashboard",
  async () => {
    using folder = project({ "nightly.yaml": PIPELINE });
    const cwd = folder.path;
    assert.equal((await grid(["run", "nightly.yaml", "--quiet"], { cwd })).code, 1);
    Deno.mkdirSync(join(cwd, "textfiles"));
    await using gateway = await start("prometheus-pushgateway", {
      args: (port) => [`--web.listen-address=127.0.0.1:${port}`],
      path: "/-/ready",
    });
    await using exporter = await start("prometheus-node-exporter", {
      args: (port) => [
        `--web.listen-address=127.0.0.1:${port}`,
        "--collector.disable-defaults",
        "--collector.textfile",
        `--collector.textfile.directory=${join(cwd, "textfiles")}`,
      ],
      path: "/metrics",
    });
    const told = await grid([
      ...["metrics", "--expect", "nightly=26h", "--label", "project=a/b c"],
      ...["--textfile", "textfiles/grid.prom", "--push", gateway.url],
    ], { cwd });
    assert.deepEqual([told.code, told.stdout], [0, ""], told.stderr);

    const pushed = await get(`${gateway.url}/metrics`);
    assert.match(pushed, /^grid_last_run_failed\{.*pipeline="nightly",project="a\/b c"\} 1$/m);
    const scraped = await get(`${exporter.url}/metrics`);
    assert.match(scraped, /^node_textfile_scrape_error 0$/m);
    const names = (text: string) =>
      new Set([...text.matchAll(/^(grid_\w+)/gm)].map(([, name]) => name));
    const printed = names(Deno.readTextFileSync(join(cwd, "textfiles", "grid.prom")));
    assert.ok(printed.size > 30);
    for (const text of [scraped, pushed]) assert.deepEqual(names(text), printed);

    using config = tempDir();
    Deno.writeTextFileSync(
      join(config.path, "prometheus.yml"),
      JSON.stringify({
        global: { scrape_interval: "1s", evaluation_interval: "1s" },
        rule_files: [join(REPOSITORY, "config", "alerts.yaml")],
        scrape_configs: [exporter, gateway].map(({ url }, at) => ({
          job_name: ["node", "gateway"][at],
          honor_labels: at === 1,
          static_configs: [{ targets: [url.replace("http://", "")] }],
        })),
      }),
    );
    await using prometheus = await start("prometheus", {
      args: (port) => [
        `--config.file=${join(config.path, "prometheus.yml")}`,
        `--storage.tsdb.path=${join(config.path, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      path: "/-/ready",
    });
    const firing = 'ALERTS{alertstate="firing",alertname="GridRunFailed"}';
    await eventually(async () => (await query(prometheus.url, firing)).length === 2);
    const [alert] = await query(prometheus.url, firing);
    assert.equal(alert?.metric["pipeline"], "nightly");

    const dashboard = JSON.parse(
      Deno.readTextFileSync(join(REPOSITORY, "config", "grafana.json")),
    );
    // Of what did not happen here, or needs an hour of history.
    const mayBeEmpty = new Set([
      "Time since the last success",
      "Retries per hour",
      "Runs under way since",
      "Duration of the last run and what is usual",
      "Sync, nine of ten",
    ]);
    for (const { title, targets } of dashboard.panels) {
      for (const { expr } of targets) {
        const answer = () => query(prometheus.url, expr.replaceAll("$instance", ".*"));
        if (mayBeEmpty.has(title)) await answer();
        // A rate needs a second scrape.
        else await eventually(async () => (await answer()).length > 0);
      }
    }
  },
);

Deno.test("grid metrics --push says that nobody answers, and what a server refuses", async () => {
  using folder = project({});
  const cwd = folder.path;
  const nobody = await grid(["metrics", "--no-look", "--push", "http://127.0.0.1:1"], { cwd });
  assert.equal(nobody.code, 3);
  assert.match(nobody.stderr, /^error: Cannot push the metrics to http:.*: nobody answers there$/m);
  const wrong = await grid(["metrics", "--no-look", "--push", "pushgateway:9091"], { cwd });
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /is no address of a Pushgateway/);
  const requests: { readonly type: string | null; readonly login: string | null }[] = [];
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { headers, url } = request;
    if (url.includes("/moved/")) {
      return new Response(null, { status: 301, headers: { location: "/" } });
    }
    if (url.includes("/endless/")) return new Response(endless(), { status: 500 });
    requests.push({ type: headers.get("content-type"), login: headers.get("authorization") });
    return new Response("no such page", { status: 404 });
  });
  const [moved, endlessly] = await Promise.all(["moved", "endless"].map((path) => {
    const address = `http://127.0.0.1:${server.addr.port}/${path}`;
    return grid(["metrics", "--no-look", "--push", address], { cwd });
  }));
  assert.match(moved?.stderr ?? "", /it answers 301\nhint: it has moved/);
  assert.match(endlessly?.stderr ?? "", /it answers 500, x{300}$/m);
  const url = `http://ada:s%20ecret@127.0.0.1:${server.addr.port}`;
  const refused = await grid(["metrics", "--no-look", "--push", url], { cwd });
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /it answers 404, no such page$/m);
  assert.doesNotMatch(refused.stderr, /ecret/);
  assert.deepEqual(requests, [{
    type: METRICS_CONTENT_TYPE,
    login: `Basic ${btoa("ada:s ecret")}`,
  }]);
});

function endless(): ReadableStream<Uint8Array> {
  const some = new TextEncoder().encode("x".repeat(1000));
  return new ReadableStream({ pull: (controller) => controller.enqueue(some) });
}
