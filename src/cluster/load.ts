import { isAbsolute, join, relative } from "node:path";
import SHAPE from "../../config/cluster_config.schema.json" with { type: "json" };
import { GridError } from "../core/errors.ts";
import { lazy } from "../core/lazy.ts";
import { checkSource, diagnostic } from "../document/shape/check.ts";
import { type Diagnostic, DiagnosticsError } from "../document/diagnostic.ts";
import { type JsonShape, ShapeChecker } from "../document/shape/json_shape.ts";
import { readSource, type Source } from "../document/source.ts";
import type { KeyHint, UnknownKey } from "../document/shape/unknown_key.ts";
import type { ClusterConfig } from "./config.ts";
import { configOf } from "./defaults.ts";
import { findMistakes } from "./mistakes.ts";
import type { RawCluster } from "./schema.ts";

export interface LoadClusterOptions {
  /** As the user wrote it; default `config/cluster_config.yaml` of the project, then the account's. */
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
  const { full, content } = await findFile(options);
  if (content === undefined) return configOf(EMBEDDED, { file: undefined, project, env });
  const source = readSource(content, shownPath(full));
  if (source.value === null && source.isReadable) throw emptyFile(source);
  if (!source.isReadable) throw new DiagnosticsError("cluster-invalid", source.diagnostics);
  const checked = await checkShape(source);
  const found = [...checked.diagnostics];
  if (checked.value) found.push(...findMistakes(checked.value, source));
  const diagnostics = [...source.diagnostics, ...source.withoutEchoes(found)];
  if (diagnostics.some(({ severity }) => severity === "error") || !checked.value) {
    throw new DiagnosticsError("cluster-invalid", diagnostics);
  }
  return configOf(checked.value, { file: full, project, env });
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

/** Keys of other tools, and what to write here. */
const FOREIGN_KEYS: Readonly<Record<string, string>> = {
  "hosts": "write nodes:",
  "hostname": "write host:",
  "address": "write host:",
  "ip": "write host:",
  "username": "write user:",
  "identity_file": "write key_file:",
  "identityfile": "write key_file:",
  "password": "Grid logs in with keys; see docs/ssh.md",
  "jump_host": "write proxy_jump:",
  "tags": "write labels:",
};

function foreignKey({ path }: UnknownKey): KeyHint | undefined {
  const hint = FOREIGN_KEYS[String(path.at(-1))];
  return hint === undefined ? undefined : { hint, meant: /^write (\w+):/.exec(hint)?.[1] };
}

interface CheckedShape {
  readonly value: RawCluster | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

function emptyFile(source: Source): DiagnosticsError {
  const message = "the cluster config is empty";
  const hint = "write the nodes, such as nodes: [gpu1, gpu2], or remove the file";
  return new DiagnosticsError("cluster-invalid", [
    diagnostic({ rule: "empty-file", spot: source.start, message, hint }),
  ]);
}

/** Only a file with a mistake needs the schema that can explain it. */
async function checkShape(source: Source): Promise<CheckedShape> {
  if (new ShapeChecker(SHAPE as unknown as JsonShape).fits(source.value)) {
    return { value: source.value as RawCluster, diagnostics: [] };
  }
  const { clusterSchema } = await lazy<typeof import("./schema.ts")>(
    "./schema.ts",
    import.meta.url,
  );
  return checkSource(source, clusterSchema, { words: { foreign: foreignKey } });
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
