/**
 * The commands of jobs that a launcher started. Such a shell may have been started before it was given its
 * job: what the job brought along is then not in its environment as /proc shows it.
 */
export interface JobLeader {
  readonly job: string;
  readonly pid: number;
}

/** Those whose files lie below this `remote_root`. */
export function jobLeaders(root: string): JobLeader[] {
  return stateFiles(`${root}/.grid/jobs`).flatMap((path) => {
    const pid = /^supervisor \d+ \d+ (\d+):/m.exec(read(path))?.[1];
    const job = path.slice(path.lastIndexOf("/") + 1, -".state".length);
    return pid === undefined ? [] : [{ job, pid: Number(pid) }];
  });
}

function stateFiles(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".state"))
      .map(({ name }) => `${folder}/${name}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Empty where the job was removed meanwhile. */
function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
