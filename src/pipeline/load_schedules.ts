import { basename } from "node:path";
import { inFileOrder } from "../document/shape/check.ts";
import { DiagnosticsError } from "../document/diagnostic.ts";
import type { Schedule } from "../schedule/schedule.ts";
import { Loader } from "./file_loader.ts";

export interface LoadedSchedules {
  /** Name of the pipeline. */
  readonly pipeline: string;
  /** None where it is started by people alone. */
  readonly schedules: readonly Schedule[];
}

/**
 * The schedules of a pipeline file in which nothing is wrong: a run of it could begin.
 *
 * @throws {DiagnosticsError} with every mistake of the files
 * @throws {GridError} `usage` if the file cannot be read
 */
export async function loadSchedules(
  { file, project }: { readonly file: string; readonly project: string },
): Promise<LoadedSchedules> {
  const loader = new Loader({ project, nodes: undefined });
  const main = await loader.main(file);
  const errors = loader.diagnostics.filter(({ severity }) => severity === "error");
  if (main === undefined || errors.length > 0) {
    throw new DiagnosticsError("pipeline-invalid", inFileOrder(errors));
  }
  return {
    pipeline: main.file.name ?? basename(file).replace(/\.ya?ml$/, ""),
    schedules: main.schedules,
  };
}
