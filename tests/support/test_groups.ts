/**
 * Every test file that runs by itself loads the program's modules anew, which costs a quarter of a second
 * of a processor: for hundreds of short files more than their tests take. So the files of one unit room
 * are loaded by one file, which imports them all.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Rooms whose tests mostly run shells: they load little, and are better spread over the processors. */
const ALONE = new Set(["transport"]);

/**
 * What `deno test` is to run instead of the folder `tests`: the slow rooms first, so that the last minute
 * is not one processor's alone, then the files written to `folder`, one per unit room.
 */
export function testGroups(tests: string, folder: string): string[] {
  const unit = join(tests, "unit");
  const groups: string[] = [];
  const alone: string[] = [];
  for (const room of roomsOf(unit)) {
    const files = testFiles(join(unit, room)).toSorted();
    if (ALONE.has(room)) {
      alone.push(...files);
    } else {
      const group = join(folder, `unit_${room}_test.ts`);
      const lines = files.map((file) => `import ${JSON.stringify(pathToFileURL(file).href)};\n`);
      Deno.writeTextFileSync(group, lines.join(""));
      groups.push(group);
    }
  }
  const isRoom = (file: string) => roomsOf(unit).some((room) => file.startsWith(join(unit, room)));
  const rest = testFiles(tests).filter((file) => !isRoom(file)).toSorted();
  return [...rest, ...alone, ...groups];
}

function roomsOf(unit: string): string[] {
  return [...Deno.readDirSync(unit)].filter(({ isDirectory }) => isDirectory)
    .map(({ name }) => name).toSorted();
}

function testFiles(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    if (isDirectory) return testFiles(path);
    return name.endsWith("_test.ts") ? [path] : [];
  });
}
