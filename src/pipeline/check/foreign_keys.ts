/** Words of other runners for keys of the format, by the place in which they are met. */

/** Our key, and what it is called elsewhere, in one text. */
type Words = Readonly<Record<string, string>>;

export const OTHER_NAMES: Readonly<Record<string, Words>> = {
  "file": {
    steps: "tasks",
    inputs: "params parameters arguments",
    env: "vars variables environment",
  },
  "step": {
    id: "name task_id label step-id",
    run: "command cmd script shell_command bash_command",
    node: "runs-on host hosts tags delegate_to",
    nodes: "num_nodes num-nodes replicas nnodes node-count",
    needs: "depends depends_on dependencies deps stage",
    env: "environment variables vars",
    with: "args params parameters",
    if: "when condition only unless",
    retry: "retries attempts",
    fetch: "artifacts outs download",
    matrix: "withItems with_items loop foreach",
    outputs: "register",
    uses: "template include",
    "working-directory": "workdir cwd chdir working_dir",
    "allow-failure": "ignore_errors allow_failure",
  },
  "inputs": { options: "choices enum values", pattern: "regex", default: "value" },
  "outputs": { match: "regex regexp pattern", path: "file", json: "jq key" },
  "sync": { from: "path paths src source", as: "dest", exclude: "ignore", to: "nodes" },
  "data": { from: "path paths src source", to: "nodes", exclude: "ignore", name: "as dest" },
  "fetch": { from: "path paths src files", to: "dest target" },
  "retry": {
    max: "retries attempts times limit count",
    delay: "wait interval retry-delay",
    on: "when",
  },
  "timeout": { "kill-grace": "grace", idle: "idle-timeout", total: "all" },
  "nodes": { count: "num size number n", gpus: "gpus-per-node", "start-within": "timeout" },
  "service": { ready: "healthcheck health probe readiness", within: "timeout", for: "life ttl" },
  "cache": { inputs: "deps", files: "path paths outs" },
  "concurrency": { group: "name key", max: "limit" },
  "schedule": {
    cron: "at time expression crontab",
    "time-zone": "tz zone location",
    overlap: "concurrency on-conflict concurrencyPolicy concurrency-policy max-active-runs",
    "catch-up": "catchup persistent misfire",
    "start-within": "startingDeadlineSeconds deadline window",
    with: "inputs args parameters params variables",
  },
  "hooks": { exit: "always finally", failure: "on-failure", success: "on-success" },
  "node": {
    gpus: "count gpu-count",
    "min-free-vram": "vram",
    labels: "label tags",
    among: "nodes",
    gpu: "model gpu-model",
  },
  "ray-batch": { call: "function func", tasks: "items range", "batch-size": "size" },
};

const TRIGGERS =
  'times stand below schedule: { cron: "17 2 * * *" }; for other triggers start it from CI';

/** Where one key is not enough. */
export const SENTENCES: Readonly<Record<string, Words>> = {
  "file": {
    on: TRIGGERS,
    trigger: TRIGGERS,
    triggers: TRIGGERS,
    cron: 'write schedule: { cron: "17 2 * * *" }',
    jobs: "there are no jobs: steps: stands at the top",
    stages: "there are no stages: steps: stands at the top",
    extends: "use a template with uses:, or an anchor below x-common:",
    version: "the format has no version; remove it",
  },
  "step": {
    strategy: "write matrix: itself, without strategy: around it",
    "continue-on-error": "write allow-failure: true",
    trigger_rule: "write after: instead of needs:, and if: always()",
    extends: "use a template with uses:, or an anchor below x-common: at the top",
    services: "make it a step of its own: service: { port: 6006 } beside its run:",
    ports: "write service: { port: 6006 }",
    daemon: "write service: { port: 6006 }",
    image: "write container: with the image",
  },
  "schedule": {
    paused: "write enabled: false",
    suspend: "write enabled: false",
    disabled: "write enabled: false",
    description: "a name: is all that tells it from others",
  },
  "concurrency": { "cancel-in-progress": "write on-conflict: cancel-oldest" },
  "node": { name: "a node by its name is written without a map: node: gpu1" },
};
