/** Words of other runners for keys of the format, by the place in which they are met. */

type Names = Readonly<Record<string, string>>;

/** What our key is called elsewhere, by the place it stands in. */
export const RENAMED: Readonly<Record<string, Names>> = {
  "file": {
    tasks: "steps",
    params: "inputs",
    parameters: "inputs",
    vars: "env",
    variables: "env",
    environment: "env",
  },
  "step": {
    ...{ name: "id", task_id: "id", label: "id", "step-id": "id" },
    ...{ command: "run", cmd: "run", script: "run", shell_command: "run", bash_command: "run" },
    ...{ "runs-on": "node", host: "node", hosts: "node", tags: "node", delegate_to: "node" },
    ...{
      depends: "needs",
      depends_on: "needs",
      dependencies: "needs",
      deps: "needs",
      stage: "needs",
    },
    ...{ environment: "env", variables: "env", vars: "env" },
    ...{ args: "with", params: "with", parameters: "with", inputs: "with" },
    ...{ when: "if", condition: "if", only: "if", unless: "if" },
    ...{
      retries: "retry",
      attempts: "retry",
      artifacts: "fetch",
      outs: "fetch",
      download: "fetch",
    },
    ...{ withItems: "matrix", with_items: "matrix", loop: "matrix", foreach: "matrix" },
    ...{ register: "outputs", template: "uses", include: "uses", workdir: "working-directory" },
    ...{ cwd: "working-directory", chdir: "working-directory", working_dir: "working-directory" },
    ...{ ignore_errors: "allow-failure", allow_failure: "allow-failure" },
  },
  "inputs": {
    choices: "options",
    enum: "options",
    values: "options",
    regex: "pattern",
    value: "default",
  },
  "outputs": {
    regex: "match",
    regexp: "match",
    pattern: "match",
    file: "path",
    jq: "json",
    key: "json",
  },
  "sync": {
    path: "from",
    paths: "from",
    src: "from",
    source: "from",
    dest: "as",
    ignore: "exclude",
    nodes: "to",
  },
  "fetch": { path: "from", paths: "from", src: "from", files: "from", dest: "to", target: "to" },
  "retry": {
    ...{ retries: "max", attempts: "max", times: "max", limit: "max", count: "max" },
    ...{ wait: "delay", interval: "delay", "retry-delay": "delay", when: "on" },
  },
  "timeout": { grace: "kill-grace", "idle-timeout": "idle", all: "total" },
  "cache": { path: "inputs", paths: "inputs", files: "inputs", deps: "inputs" },
  "concurrency": { name: "group", key: "group", limit: "max" },
  "hooks": { always: "exit", finally: "exit", "on-failure": "failure", "on-success": "success" },
  "node": {
    gpu: "gpus",
    count: "gpus",
    vram: "min-free-vram",
    label: "labels",
    tags: "labels",
    nodes: "among",
  },
  "ray-batch": {
    function: "call",
    func: "call",
    items: "tasks",
    range: "tasks",
    size: "batch-size",
  },
};

/** Where one key is not enough. */
export const SENTENCES: Readonly<Record<string, Names>> = {
  "file": {
    on: "Grid has no triggers; start it from cron or CI",
    schedule: "Grid has no triggers; start it from cron or CI",
    trigger: "Grid has no triggers; start it from cron or CI",
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
    services: "start what you need in run:",
    image: "Grid runs commands as they are; start the container in run:",
  },
  "concurrency": { "cancel-in-progress": "write on-conflict: cancel-oldest" },
  "node": { name: "a node by its name is written without a map: node: gpu1" },
};
