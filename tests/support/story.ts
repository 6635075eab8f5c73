/**
 * A test of the program as a story: given files, when somebody types a command, then it ends so and says that.
 *
 * ```text
 * story("grid plan --from without --resume is refused", { "p.yaml": PIPELINE }, async ({ when }) => {
 *   await when("plan p.yaml --from code", { exit: 2, screen: /Cannot plan --from code/ });
 * });
 * ```
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, project } from "./cli.ts";
import { type Part, testWith } from "./requires.ts";

export interface Then {
  /** Exit code; 0 unless said. */
  readonly exit?: number;
  /** What people read: each is found on stderr. */
  readonly screen?: RegExp | readonly RegExp[];
  /** What programs read: each is found on stdout. */
  readonly data?: RegExp | readonly RegExp[];
}

export interface Screens {
  readonly stdout: string;
  readonly stderr: string;
  /** The one document that `--json` gives. */
  // deno-lint-ignore no-explicit-any -- of another form for each command; a test says what it expects
  json(): any;
}

export interface Scene {
  /** Of the given files, absolute. */
  readonly folder: string;
  /** What the shell has set, besides what every test has, from now on. */
  readonly env: Record<string, string>;
  /** Types `grid` and these words, which a blank divides; a list where a word holds one. */
  when(words: string | readonly string[], then?: Then): Promise<Screens>;
  write(file: string, text: string): void;
  read(file: string): string;
}

export function story(
  name: string,
  given: Readonly<Record<string, string>>,
  tell: (scene: Scene) => Promise<void>,
  /** Parts that it needs. */
  needs: readonly Part[] = [],
): void {
  testWith(needs, name, async () => {
    using folder = project(given);
    const env: Record<string, string> = {};
    await tell({
      folder: folder.path,
      env,
      when: async (words, then = {}) => {
        const args = typeof words === "string" ? words.split(" ") : words;
        const result = await grid(args, { cwd: folder.path, env });
        const said = `grid ${args.join(" ")}\n${result.stdout}${result.stderr}`;
        assert.equal(result.code, then.exit ?? 0, said);
        for (const pattern of [then.screen ?? []].flat()) {
          assert.match(result.stderr, pattern, said);
        }
        for (const pattern of [then.data ?? []].flat()) assert.match(result.stdout, pattern, said);
        return { ...result, json: () => JSON.parse(result.stdout) };
      },
      write: (file, text) => Deno.writeTextFileSync(join(folder.path, file), text),
      read: (file) => Deno.readTextFileSync(join(folder.path, file)),
    });
  });
}
