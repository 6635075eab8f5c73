/** The whole format of `cluster_config.yaml`. Defaults are added in `load.ts`. */
import { expectedWords } from "../document/shape/issue.ts";
import { z } from "../document/shape/zod.ts";

/** Names go into folder names, metrics and `ssh` arguments; a leading dash would be an option. */
const NODE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const NAME_RULE = "letters, digits, dots, dashes and underscores, starting with a letter or digit";

const seconds = z.number({
  error: ({ code, input }) =>
    code === "invalid_type"
      ? `${expectedWords("a number of seconds", input)}\nwrite a plain number such as 10`
      : undefined,
});
const port = z.int().min(1).max(65535);
const path = z.string().min(1).regex(/^[^\0\r\n]+$/, {
  error: "a path must be one line of text",
});
const nodeFolder = path.regex(/^(\/|~$|~\/)/, {
  error: "must be an absolute folder on the nodes\nfor example /scratch/ray or ~/ray",
});
const label = z.union([z.string().min(1), z.number()]);
const nodeName = z.string().regex(NODE_NAME, {
  error: ({ input }) =>
    `node name ${JSON.stringify(input)} is not usable\n` +
    (String(input).includes("@")
      ? "write a map instead: { name: gpu1, host: 10.0.0.7, user: ml }"
      : `use ${NAME_RULE}`),
});

const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
  error: ({ input }) =>
    `${JSON.stringify(input)} is not a name that a shell knows\n` +
    "letters, digits and _; it starts with a letter or _",
});
const value = z.union([z.string(), z.number(), z.boolean()]);
/** What commands find there. */
const environmentShape = {
  before: z.union([z.string(), z.array(z.string())]).nullish(),
  env: z.record(variable, value).nullish(),
  vars: z.record(variable, value).nullish(),
};
const environment = z.strictObject(environmentShape);

const nodeMap = z.strictObject({
  name: nodeName,
  host: z.string().regex(/^[^\s@-][^\s@]*$/, { error: "is not a host name or address" }).nullish(),
  address: z.string().regex(/^[0-9a-fA-F:.]+$/, {
    error: "is not an address\nwrite the numbers, by which the other nodes reach it: 10.0.0.7",
  }).nullish(),
  port: port.nullish(),
  user: z.string().regex(/^[^\s@-][^\s@]*$/, { error: "is not a user name" }).nullish(),
  labels: z.array(label).nullish(),
  transport: z.enum(["ssh", "openssh", "local"]).nullish(),
  gpus: z.int().min(0).nullish(),
  remote_root: path.nullish(),
  key_file: path.nullish(),
  known_hosts: path.nullish(),
  proxy_jump: z.string().min(1).nullish(),
  ...environmentShape,
});

export const clusterSchema = z.strictObject({
  nodes: z.array(z.union([nodeName, nodeMap])).min(1, {
    error: "there must be at least one node",
  }),
  remote_root: path.nullish(),
  defaults: environment.nullish(),
  local: environment.nullish(),
  ssh: z.strictObject({
    timeout: seconds.positive().nullish(),
    connect_timeout: seconds.positive().nullish(),
    max_retries: z.int().min(0).max(20).nullish(),
    pool_size: z.int().min(1).nullish(),
    key_file: path.nullish(),
    known_hosts: path.nullish(),
    proxy_jump: z.string().min(1).nullish(),
    keepalive: seconds.min(0).nullish(),
  }).nullish(),
  health_check: z.strictObject({
    timeout: seconds.positive().nullish(),
    max_workers: z.int().min(1).nullish(),
    cpu_weight: z.number().min(0).nullish(),
    gpu_weight: z.number().min(0).nullish(),
    refresh_interval: seconds.min(0).nullish(),
  }).nullish(),
  jobs: z.strictObject({
    lease: seconds.min(1).nullish(),
  }).nullish(),
  sync: z.strictObject({
    exclude_patterns: z.array(z.string().min(1)).nullish(),
    use_checksums: z.boolean().nullish(),
    follow_symlinks: z.boolean().nullish(),
    max_parallel_transfers: z.int().min(1).nullish(),
  }).nullish(),
  ray: z.strictObject({
    mode: z.enum(["managed", "existing", "embedded"]).nullish(),
    address: z.string().regex(/^https?:\/\/\S+$/, {
      error: "must be the dashboard's address\nfor example http://10.0.0.1:8265",
    }).nullish(),
    head: z.string().nullish(),
    version: z.string().regex(/^\d+(\.\d+)*$/, {
      error: 'must be a version number in quotes\nfor example "2.58.0"',
    }).nullish(),
    dashboard_host: z.string().min(1).nullish(),
    dashboard_port: port.nullish(),
    redis_port: port.nullish(),
    head_bind_all: z.boolean().nullish(),
    namespace: z.string().min(1).nullish(),
    log_level: z.enum(["debug", "info", "warning", "error"]).nullish(),
    // Ray refuses less than 75 MiB.
    object_store_memory: z.int().min(78_643_200).nullish(),
    gpus: z.int().min(0).nullish(),
    temp_dir: nodeFolder.nullish(),
    spill_dir: nodeFolder.nullish(),
  }).nullish(),
});

export type RawCluster = z.output<typeof clusterSchema>;
export type RawEnvironment = z.output<typeof environment>;
export type RawNode = Exclude<RawCluster["nodes"][number], string>;
