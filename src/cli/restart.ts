/** `grid submit --restart`: what starts the runner again after its machine was. */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { GridError } from "../core/errors.ts";
import { isRunId } from "../core/ids.ts";
import { PRIVATE_FILE } from "../core/private_modes.ts";
import { quote } from "../core/shell.ts";
import { RESTART_VARIABLE } from "./context.ts";
import { refuseBreaks, refuseLong, systemdWord } from "./schedule_units.ts";

export interface RestartOptions {
  /** The run that is submitted; its unit keeps that name, whatever goes on from it. */
  readonly run: string;
  /** Absolute. */
  readonly project: string;
  /** That is Grid; `resume RUN` follows. */
  readonly program: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** The last part of each line of ours in a crontab. */
const MARK = "# grid submit --restart";

/**
 * A unit of the account's own systemd, where that runs; else a line of its crontab.
 *
 * @returns in words, what will go on with the run
 * @throws {GridError} `missing-tool` where there is neither
 */
export async function writeRestart(options: RestartOptions): Promise<string> {
  const { run, project, program, env } = options;
  const words = [...program, "resume", run, "--quiet"];
  if (await ask(["systemctl", "--user", "show-environment"], { env }) !== undefined) {
    refuseBreaks([project, ...words], "a unit of systemd");
    const name = unitOf(run);
    mkdirSync(unitFolder(env), { recursive: true });
    writeFileSync(join(unitFolder(env), name), unitText(options, words), { mode: PRIVATE_FILE });
    await must(["systemctl", "--user", "daemon-reload"], { env });
    await must(["systemctl", "--user", "enable", name], { env });
    const linger = await ask(["loginctl", "show-user", "--property=Linger", "--value"], { env });
    const when = linger?.trim() === "yes"
      ? "after a restart"
      : "after a restart, once you log in (at once with: loginctl enable-linger)";
    return `${when}, systemd goes on with it: ${name}`;
  }
  const table = await ask(["crontab", "-l"], { env, isEmptyWithout: true });
  if (table === undefined) throw nothingStarts();
  refuseBreaks([project, ...words], "a crontab");
  const command = [
    `cd ${quote(project)}`,
    `${RESTART_VARIABLE}=${run} exec ${words.map(quote).join(" ")} ${MARK} ${run}`,
  ].join(" && ").replaceAll("%", "\\%");
  refuseLong(command);
  await must(["crontab", "-"], { env, input: `${withLineEnd(table)}@reboot ${command}\n` });
  return "after a restart, cron goes on with it: crontab -l";
}

function unitText({ run, project, env }: RestartOptions, words: readonly string[]): string {
  // Where an installed Grid keeps what Deno compiles; see its launcher.
  const cache = env["DENO_DIR"];
  return [
    `# Goes on with run ${run} after a restart; written by grid submit --restart, and removed when it ends.`,
    "[Unit]",
    `Description=Grid run ${run}`,
    "",
    "[Service]",
    "Type=exec",
    `WorkingDirectory=${project.replaceAll("%", "%%")}`,
    `Environment=${RESTART_VARIABLE}=${run}`,
    ...cache === undefined ? [] : [`Environment=${systemdWord(`DENO_DIR=${cache}`)}`],
    `ExecStart=${words.map(systemdWord).join(" ")}`,
    "KillMode=mixed",
    "",
    "[Install]",
    "WantedBy=default.target",
    "",
  ].join("\n");
}

/** Nothing where there is none. */
export async function removeRestart(
  run: string,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const unit = join(unitFolder(env), unitOf(run));
  if (existsSync(unit)) {
    await ask(["systemctl", "--user", "disable", unitOf(run)], { env });
    rmSync(unit, { force: true });
    await ask(["systemctl", "--user", "daemon-reload"], { env });
  }
  const table = await ask(["crontab", "-l"], { env });
  if (table === undefined) return;
  const lines = table.split("\n");
  const kept = lines.filter((line) => !line.endsWith(`${MARK} ${run}`));
  if (kept.length < lines.length) await must(["crontab", "-"], { env, input: kept.join("\n") });
}

/** Runs that something here would go on with after a restart, of whichever project. */
export async function restartingRuns(env: Readonly<Record<string, string>>): Promise<string[]> {
  const folder = unitFolder(env);
  const units = existsSync(folder) ? readdirSync(folder) : [];
  const table = await ask(["crontab", "-l"], { env }) ?? "";
  return [
    ...units.map((name) => /^grid-(.+)\.service$/.exec(name)?.[1] ?? ""),
    ...table.split("\n").map((line) => line.split(`${MARK} `)[1] ?? ""),
  ].filter(isRunId);
}

function unitOf(run: string): string {
  return `grid-${run}.service`;
}

function unitFolder(env: Readonly<Record<string, string>>): string {
  const base = env["XDG_CONFIG_HOME"] || join(env["HOME"] || homedir(), ".config");
  return join(base, "systemd", "user");
}

function withLineEnd(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

interface AskOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly input?: string;
  /** An account without a crontab has an empty one. */
  readonly isEmptyWithout?: boolean;
}

const PATIENCE_MS = 10_000;

interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What it printed; undefined where there is no such program, or it failed. */
async function ask(words: readonly string[], options: AskOptions): Promise<string | undefined> {
  const said = await call(words, options);
  if (said === undefined) return undefined;
  return said.code === 0 ? said.stdout : options.isEmptyWithout ? "" : undefined;
}

async function must(words: readonly string[], options: AskOptions): Promise<void> {
  const said = await call(words, options);
  if (said?.code === 0) return;
  throw new GridError({
    code: "permission",
    message: `Cannot have the run gone on with after a restart: ${words.join(" ")}: ${
      said?.stderr.trim() ?? "there is no such program"
    }`,
    hint: "submit it without --restart; grid resume goes on with it by hand",
  });
}

async function call(
  [program = "", ...args]: readonly string[],
  { env, input }: AskOptions,
): Promise<Said | undefined> {
  const decoder = new TextDecoder();
  try {
    const child = new Deno.Command(program, {
      args,
      env: { ...env },
      clearEnv: true,
      stdin: input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(PATIENCE_MS),
    }).spawn();
    if (input !== undefined) {
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(input));
      await writer.close();
    }
    const { code, stdout, stderr } = await child.output();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function nothingStarts(): GridError {
  return new GridError({
    code: "missing-tool",
    message:
      "Cannot have the run gone on with after a restart: the account has neither a systemd " +
      "of its own nor a crontab",
    hint: "install cron, or submit it without --restart and go on by hand: grid resume",
  });
}
