import { isAbsolute, join, relative } from "node:path";
import { GridError } from "../core/errors.ts";
import { lazy } from "../core/lazy.ts";
import type { ClusterConfig } from "./config.ts";
import { configOf } from "./defaults.ts";
import { keepConfig, knownConfig, type WellKnownRows } from "./known_config.ts";

export interface LoadClusterOptions {
  /** As the user wrote it; default `config/cluster_config.yaml` of the project, then the account's. */
  readonly file?: string | undefined;
  /** Absolute folder that relative paths start in. */
  readonly project: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where files that were found well before are known by what they hold; default: nowhere. */
  readonly rows?: WellKnownRows | undefined;
}

const DEFAULT_FILE = "config/cluster_config.yaml";

/**
 * The cluster as configured; without a file two local nodes, so that a first run needs no server.
 *
 * @throws {DiagnosticsError} `cluster-invalid` with every mistake of the file
 * @throws {GridError} `cluster-invalid` for a named file that cannot be read
 */
export async function loadClusterConfig(options: LoadClusterOptions): Promise<ClusterConfig> {
  const { project, env } = options;
  const { full, content } = await findFile(options);
  if (content === undefined) return configOf(EMBEDDED, { file: undefined, project, env });
  const known = options.rows && await knownConfig(options.rows, content);
  if (known !== undefined) return configOf(known, { file: full, project, env });
  const { checkConfig } = await lazy<typeof import("./check_config.ts")>(
    "./check_config.ts",
    import.meta.url,
  );
  const { value, isWell } = await checkConfig(content, shownPath(full));
  if (isWell && options.rows) await keepConfig(options.rows, { content, value });
  return configOf(value, { file: full, project, env });
}

interface FoundFile {
  readonly full: string;
  /** Undefined where there is no file at all. */
  readonly content: Uint8Array | undefined;
}

/** The one that is named; else the project's own, else that of the account. */
async function findFile({ file, project, env }: LoadClusterOptions): Promise<FoundFile> {
  if (file !== undefined) {
    const full = isAbsolute(file) ? file : join(project, file);
    return { full, content: await readFile(full, { isOptional: false }) };
  }
  const own = join(project, DEFAULT_FILE);
  const content = await readFile(own, { isOptional: true });
  const shared = accountFile(env);
  if (content !== undefined || shared === undefined) return { full: own, content };
  return { full: shared, content: await readFile(shared, { isOptional: true }) };
}

/** `~/.config/grid/cluster_config.yaml`: the machines of a person who has many projects. */
function accountFile(env: Readonly<Record<string, string>>): string | undefined {
  const base = env["XDG_CONFIG_HOME"] || (env["HOME"] ? join(env["HOME"], ".config") : undefined);
  return base === undefined ? undefined : join(base, "grid", "cluster_config.yaml");
}

/** What `config/cluster_config.yaml` of the repository says too. */
const EMBEDDED = {
  nodes: ["local1", "local2"].map((name) => ({
    name,
    transport: "local" as const,
    remote_root: `.grid/nodes/${name}`,
  })),
  ray: { mode: "embedded" as const },
};

/** Undefined where an optional file is not there. */
async function readFile(
  full: string,
  { isOptional }: { readonly isOptional: boolean },
): Promise<Uint8Array | undefined> {
  try {
    return await Deno.readFile(full);
  } catch (cause) {
    if (isOptional && cause instanceof Deno.errors.NotFound) return undefined;
    const state = cause instanceof Deno.errors.NotFound ? "there is no such file" : String(cause);
    throw new GridError({
      code: "cluster-invalid",
      message: `Cannot read cluster config "${shownPath(full)}": ${state}`,
      hint: "config/cluster_config.example.yaml of Grid's repository shows every key",
      cause,
    });
  }
}

/** As the user would type it here. */
function shownPath(full: string): string {
  const path = relative(Deno.cwd(), full);
  return path.startsWith("..") ? full : path;
}
