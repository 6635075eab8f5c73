import assert from "node:assert/strict";
import { join } from "node:path";
import { REPOSITORY } from "../../support/cli.ts";
import { findProgram, testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";

const ALERTS = join(REPOSITORY, "config", "alerts.yaml");

async function promtool(args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(
    findProgram("promtool") ?? "promtool",
    {
      args: [...args],
    },
  ).output();
  const decoder = new TextDecoder();
  const words = decoder.decode(stdout) + decoder.decode(stderr);
  assert.ok(success, words);
  return words;
}

testWith(["promtool"], "config/alerts.yaml passes promtool check rules", async () => {
  assert.match(await promtool(["check", "rules", ALERTS]), /SUCCESS: 7 rules found/);
});

interface Scenario {
  readonly name: string;
  /** Series in promtool's notation, one value per minute. */
  readonly series: Readonly<Record<string, string>>;
  readonly at: string;
  /** Alerts that fire then, by name, each with a word of its labels. */
  readonly fires: Readonly<Record<string, string | undefined>>;
}

const ALIVE = { 'grid_active_tasks{instance="a"}': "0x2000" };

const SCENARIOS: readonly Scenario[] = [
  {
    name: "a score of 201 for ten minutes",
    series: {
      ...ALIVE,
      'grid_node_health_score{instance="a",node="busy"}': "201x30",
      'grid_node_health_score{instance="a",node="fine"}': "200x30",
    },
    at: "11m",
    fires: { GridNodeOverloaded: "busy" },
  },
  {
    name: "a short peak",
    series: { ...ALIVE, 'grid_node_health_score{instance="a",node="n"}': "400x5 10x30" },
    at: "11m",
    fires: {},
  },
  {
    name: "a node that stops answering",
    series: {
      ...ALIVE,
      'grid_node_health_score{instance="a",node="gone"}': "10x30 _x60",
      'grid_node_health_score{instance="a",node="here"}': "10x90",
    },
    at: "75m",
    fires: { GridNodeUnreachable: "gone" },
  },
  {
    name: "half of the tasks fail",
    series: {
      ...ALIVE,
      'grid_tasks_completed_total{instance="a",status="succeeded"}': "0+1x60",
      'grid_tasks_completed_total{instance="a",status="failed"}': "0+1x60",
    },
    at: "40m",
    fires: { GridTasksFailing: undefined },
  },
  {
    name: "one task in twenty fails",
    series: {
      ...ALIVE,
      'grid_tasks_completed_total{instance="a",status="succeeded"}': "0+20x60",
      'grid_tasks_completed_total{instance="a",status="failed"}': "0+1x60",
    },
    at: "40m",
    fires: {},
  },
  {
    name: "a link that breaks every minute",
    series: { ...ALIVE, 'grid_ssh_reconnects_total{instance="a",node="far"}': "0+1x60" },
    at: "20m",
    fires: { GridConnectionsUnstable: "far" },
  },
  {
    name: "a task that never ends",
    series: {
      'grid_active_tasks{instance="a"}': "1x2000",
      'grid_tasks_completed_total{instance="a",status="succeeded"}': "5x2000",
    },
    at: "1500m",
    fires: { GridTasksStuck: undefined },
  },
  {
    name: "tasks that come and go",
    series: {
      'grid_active_tasks{instance="a"}': "1x2000",
      'grid_tasks_completed_total{instance="a",status="succeeded"}': "0+1x2000",
    },
    at: "1500m",
    fires: {},
  },
  { name: "silence", series: {}, at: "16m", fires: { GridMetricsMissing: undefined } },
  {
    name: "syncs of two minutes",
    series: {
      ...ALIVE,
      'grid_sync_duration_seconds_bucket{instance="a",le="60"}': "0x60",
      'grid_sync_duration_seconds_bucket{instance="a",le="300"}': "0+1x60",
      'grid_sync_duration_seconds_bucket{instance="a",le="+Inf"}': "0+1x60",
    },
    at: "50m",
    fires: { GridSyncSlow: undefined },
  },
];

/** JSON is YAML: the file that `promtool test rules` reads. */
function ruleTest(scenario: Scenario): string {
  const samples = Object.entries(scenario.fires).map(([name, node]) => {
    const words = [`alertname="${name}"`, ...(node === undefined ? [] : [`node="${node}"`])];
    return { labels: `{${words.join(",")}}`, value: 1 };
  });
  return JSON.stringify({
    rule_files: [ALERTS],
    evaluation_interval: "1m",
    tests: [{
      interval: "1m",
      input_series: Object.entries(scenario.series).map(([series, values]) => ({ series, values })),
      promql_expr_test: [{
        expr: 'count by (alertname, node) (ALERTS{alertstate="firing"})',
        eval_time: scenario.at,
        exp_samples: samples,
      }],
    }],
  });
}

for (const scenario of SCENARIOS) {
  const fires = Object.keys(scenario.fires);
  const outcome = fires.length === 0 ? "raises nothing" : `raises ${fires.join(", ")} only`;
  testWith(["promtool"], `alerts: ${scenario.name} ${outcome}`, async () => {
    using folder = tempDir();
    const file = join(folder.path, "test.yaml");
    Deno.writeTextFileSync(file, ruleTest(scenario));
    await promtool(["test", "rules", file]);
  });
}

testWith(["promtool"], "alerts use only metrics that Grid exports", () => {
  const exported = [...Deno.readDirSync(join(REPOSITORY, "src", "metrics"))]
    .map(({ name }) => Deno.readTextFileSync(join(REPOSITORY, "src", "metrics", name))).join("\n");
  const expressions = Deno.readTextFileSync(ALERTS).matchAll(/\bgrid_[a-z_]+/g);
  for (const [word] of expressions) {
    const metric = word.replace(/_bucket$/, "");
    assert.ok(exported.includes(metric), `${metric} is not exported`);
  }
});
