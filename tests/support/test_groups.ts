/**
 * What `deno test` is to run, and in which order. Every file that runs by itself loads the program's modules
 * anew, which costs a quarter of a second of a processor: for hundreds of short files more than their tests
 * take. So the files of one room are loaded by one file, which imports them all; those that take long run
 * alone, and first, so that the last minutes are not one processor's.
 */
import { basename, dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";

/** Files and unit rooms that take more than half a minute each beside others, the longest first. */
export const SLOW: readonly string[] = [
  "e2e/install_test.ts",
  "integration/ray/managed_test.ts",
  "integration/transport/job_test.ts",
  "unit/transport/job/job_shell_test.ts",
  "integration/ray/existing_test.ts",
  "e2e/library_test.ts",
  "integration/transport/ssh_config_situations_test.ts",
  "integration/ray/cluster_test.ts",
  "unit/transport/job/job_busybox_test.ts",
  "integration/cluster/setup_test.ts",
  "e2e/ci_files_test.ts",
  "integration/report/page_test.ts",
  "unit/transport/job/job_guard_test.ts",
  "unit/ray",
  "e2e/lab_test.ts",
  "integration/transport/job_link_test.ts",
  "docs_test.ts",
  "e2e/last_words_trees_test.ts",
  "unit/transport/job/launcher_test.ts",
  "e2e/services_test.ts",
  "unit/core",
  "integration/transport/contract_test.ts",
  "unit/cluster",
  "unit/cli",
];

/** Files that are loaded together, but in unit rooms, where a file takes hardly any time. */
const MOST_TOGETHER = 5;

/**
 * What `deno test` runs in place of the folder `tests`, in this order: files written to `folder`, each of which
 * imports one or several. Of files in one folder, `deno test` keeps the order in which they are named.
 */
export function testGroups(tests: string, folder: string): string[] {
  const rank = (path: string) => {
    const at = SLOW.findIndex((slow) => isBelow(path, slow));
    return at < 0 ? SLOW.length : at;
  };
  const groups = roomsOf(testFiles(tests).map((file) => relative(tests, file)).toSorted());
  return groups.toSorted(([a = ""], [b = ""]) => rank(a) - rank(b)).map((files) => {
    const path = join(folder, `${nameOf(files)}_test.ts`);
    const lines = files.map((file) =>
      `import ${JSON.stringify(pathToFileURL(join(tests, file)).href)};\n`
    );
    Deno.writeTextFileSync(path, lines.join(""), { createNew: true });
    return path;
  });
}

/** Those that run together. */
function roomsOf(files: readonly string[]): string[][] {
  const rooms = new Map<string, string[]>();
  for (const file of files) {
    const room = SLOW.includes(file) ? file : roomOf(file);
    rooms.set(room, [...rooms.get(room) ?? [], file]);
  }
  return [...rooms].flatMap(([room, files]) => isUnitRoom(room) ? [files] : piecesOf(files));
}

/** `unit/cli`, with the folders below it; else the folder of the file. */
function roomOf(file: string): string {
  const unit = /^unit\/[^/]+(?=\/)/.exec(file)?.[0];
  const folder = dirname(file);
  return unit === undefined || folder === JOBS ? folder : unit;
}

/** Tests that run shells, and take as long as others of other kinds. */
const JOBS = "unit/transport/job";

const isUnitRoom = (room: string) => room.startsWith("unit/") && room !== JOBS;

function piecesOf(files: readonly string[]): string[][] {
  const count = Math.ceil(files.length / MOST_TOGETHER);
  const each = Math.ceil(files.length / count);
  return Array.from({ length: count }, (_, at) => files.slice(at * each, (at + 1) * each))
    .filter((piece) => piece.length > 0);
}

/** `unit_cli`, `e2e_install`, `e2e_again_to_cancel`: what the output of a failed test begins with. */
function nameOf(files: readonly string[]): string {
  const [first = "", ...rest] = files.map((file) => basename(file, "_test.ts"));
  const room = roomOf(files[0] ?? "");
  if (isUnitRoom(room)) return room.replaceAll("/", "_");
  const last = rest.length > 0 ? [`to_${rest.at(-1)}`] : [];
  return [...room === "." ? [] : room.split("/"), first, ...last].join("_");
}

const isBelow = (path: string, place: string) => path === place || path.startsWith(`${place}/`);

function testFiles(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    if (isDirectory) return testFiles(path);
    return name.endsWith("_test.ts") ? [path] : [];
  });
}
