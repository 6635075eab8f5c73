/** Which pipeline files are looked at for their schedules. */
import { existsSync, realpathSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { GridError } from "../core/errors.ts";
import { fileInstead, formOf } from "./run_form.ts";
import { pipelinesAt } from "./pipeline_folder.ts";

export interface ScheduleFilesOptions {
  /** Absolute. */
  readonly project: string;
  readonly cwd: string;
}

/** Where pipelines lie when nobody says anything else. */
const FOLDER = "pipelines";

/** Absolute; files and folders as they were named, or the project's folder of pipelines. */
export function schedulePaths(
  names: readonly string[],
  { project, cwd }: ScheduleFilesOptions,
): readonly string[] {
  const paths = names.map((name) => resolve(cwd, name));
  const missing = names.find((name) => !existsSync(resolve(cwd, name)));
  if (missing !== undefined) {
    const meant = fileInstead(missing, cwd);
    throw new GridError({
      code: "usage",
      message: `Cannot look after the schedule of ${missing}: there is no such file or folder`,
      hint: meant === undefined
        ? "name pipeline files, or folders that hold them"
        : `did you mean ${meant}?`,
    });
  }
  const other = paths.findIndex((path) => statSync(path).isFile() && formOf(path) !== "file");
  if (other >= 0) {
    throw new GridError({
      code: "usage",
      message: `Cannot look after the schedule of ${names[other]}: its name does not end in .yaml`,
      hint: "a pipeline is a .yaml or .yml file",
    });
  }
  if (paths.length > 0) return paths;
  if (existsSync(join(project, FOLDER))) return [join(project, FOLDER)];
  throw new GridError({
    code: "usage",
    message: `Cannot find pipelines with a schedule: the project has no folder ${FOLDER}/`,
    hint: "name files or folders, such as nightly.yaml",
  });
}

/** Named from the project folder; what is gone meanwhile is left out. */
export function scheduleFiles(paths: readonly string[], project: string): string[] {
  const found = paths.filter((path) => existsSync(path))
    .flatMap((path) => pipelinesAt(path, project));
  const files = [...new Set(found.map((path) => relative(project, path)))];
  return withoutLinksToOthers(files, project);
}

/** A link to a file that is looked after by its own name would begin each of its runs a second time. */
function withoutLinksToOthers(files: readonly string[], project: string): string[] {
  const top = realPath(project);
  const real = files.map((file) => realPath(resolve(top, file)));
  const isItself = (index: number) => resolve(top, files[index] ?? "") === real[index];
  return files.filter((_, index) =>
    isItself(index) ||
    !real.some((path, at) => path === real[index] && (at < index || isItself(at)))
  );
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // reading it will say what is wrong with it
  }
}

/** Each with a mark that is another one once the file was written. */
export function markedFiles(paths: readonly string[], project: string): Map<string, string> {
  const marked = scheduleFiles(paths, project).map((file) => {
    const stats = statSync(resolve(project, file), { throwIfNoEntry: false });
    return [file, `${stats?.mtimeMs} ${stats?.size} ${stats?.ino}`] as const;
  });
  return new Map(marked);
}
