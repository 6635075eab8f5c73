import type { Command } from "../command_line/command.ts";
import { lazy } from "../../core/lazy.ts";
import type { ClusterConfig } from "../../cluster/config.ts";
import { loadClusterConfig } from "../../cluster/load_config.ts";
import { GridError } from "../../core/errors.ts";
import { type Diagnostic, DiagnosticsError } from "../../document/diagnostic.ts";
import { loadPipeline } from "../../pipeline/load.ts";
import type { CommandContext } from "../command_module.ts";
import { pipelineFiles } from "../pipeline_folder.ts";
import { type GlobalFlags, readSettings, type Settings } from "../settings.ts";

export function define(command: Command, context: CommandContext): void {
  command
    .argument("<files...>", "pipeline files, or folders that are searched for them")
    .option("--format <format>", "form of the mistakes", {
      choices: ["text", "json", "github", "sarif"],
    })
    .action<GlobalFlags & { format?: string }>(async (names, flags) => {
      const format = flags.format ?? (flags.json ? "json" : "text");
      context.setExitCode(await validate(names, { flags, format, context }));
    });
}

/** Nothing where the cluster config is wrong: that is no reason to leave the pipelines unread. */
async function readNodes(
  { project, configFile: file }: Settings,
  { context, found }: { readonly context: CommandContext; readonly found: Diagnostic[] },
): Promise<Partial<Pick<ClusterConfig, "nodes" | "local">>> {
  try {
    return await loadClusterConfig({ file, project, env: context.env });
  } catch (error) {
    if (!(error instanceof DiagnosticsError)) throw error;
    found.push(...error.diagnostics);
    return {};
  }
}

interface ValidateOptions {
  readonly flags: GlobalFlags;
  readonly format: string;
  readonly context: CommandContext;
}

async function validate(names: readonly string[], options: ValidateOptions): Promise<number> {
  const { flags, format, context } = options;
  const settings = readSettings(flags, context);
  const files = names.flatMap((name) => pipelineFiles(name, context.cwd));
  const { project } = settings;
  const found: Diagnostic[] = [];
  const { nodes, local } = await readNodes(settings, { context, found });
  const unreadable: GridError[] = [];
  for (const file of files) {
    try {
      const { warnings } = await loadPipeline({
        file,
        project,
        env: context.env,
        requireInputs: false,
        nodes,
        local,
      });
      found.push(...warnings);
    } catch (error) {
      if (error instanceof DiagnosticsError) found.push(...error.diagnostics);
      else if (error instanceof GridError && error.code === "usage") unreadable.push(error);
      else throw error;
    }
  }
  // Programs are given one object: the mistakes of every file, or what kept Grid from reading one.
  const closed = allOf(unreadable);
  if (closed !== undefined && format !== "text") throw closed;
  const bad = found.some(({ severity }) => severity === "error");
  if (found.length > 0 || format !== "text") {
    const { showDiagnostics } = await lazy<typeof import("../diagnostics.ts")>(
      "../diagnostics.ts",
      import.meta.url,
    );
    await showDiagnostics(found, { format, color: settings.color, context });
  }
  if (closed !== undefined) throw closed;
  if (found.length === 0 && format === "text" && !settings.quiet) {
    context.stderr(`${files.length === 1 ? files[0] : `${files.length} files`}: no mistakes\n`);
  }
  return bad ? 2 : 0;
}

/** What kept files from being read, as one error with a line for each. */
function allOf(errors: readonly GridError[]): GridError | undefined {
  const [first, ...others] = errors;
  if (first === undefined || others.length === 0) return first;
  const message = [...new Set(errors.map(({ message }) => message))].join("\n");
  return new GridError({ code: first.code, message, hint: first.hint, cause: first });
}
