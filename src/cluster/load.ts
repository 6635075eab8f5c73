import { existsSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";
import { checkSource } from "../document/check.ts";
import { DiagnosticsError } from "../document/diagnostic.ts";
import { readSource } from "../document/source.ts";
import { GridError } from "../core/errors.ts";
import type { ClusterConfig } from "./config.ts";
import { configOf } from "./defaults.ts";
import { findMistakes } from "./mistakes.ts";
import { clusterSchema } from "./schema.ts";

export interface LoadClusterOptions {
  /** As the user wrote it; default `config/cluster_config.yaml` where the project has one. */
  readonly file?: string | undefined;
  /** Absolute folder that relative paths start in. */
  readonly project: string;
  readonly env: Readonly<Record<string, string>>;
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
  const file = options.file ?? DEFAULT_FILE;
  const full = isAbsolute(file) ? file : join(project, file);
  if (options.file === undefined && !existsSync(full)) {
    return configOf(EMBEDDED, { file: undefined, project, env });
  }
  const source = readSource(await readText(full), shownPath(full));
  if (!source.isReadable) throw new DiagnosticsError("cluster-invalid", source.diagnostics);
  const checked = checkSource(source, clusterSchema);
  const diagnostics = [...source.diagnostics, ...checked.diagnostics];
  if (checked.value) diagnostics.push(...findMistakes(checked.value, source));
  if (diagnostics.some(({ severity }) => severity === "error") || !checked.value) {
    throw new DiagnosticsError("cluster-invalid", diagnostics);
  }
  return configOf(checked.value, { file: full, project, env });
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

async function readText(full: string): Promise<string> {
  try {
    return await Deno.readTextFile(full);
  } catch (cause) {
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
