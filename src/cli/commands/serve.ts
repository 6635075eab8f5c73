import { hostname } from "node:os";
import { resolve } from "node:path";
import { lazy } from "../../core/lazy.ts";
import { GridError } from "../../core/errors.ts";
import type { Command } from "../command_line/command.ts";
import { WordError } from "../command_line/option.ts";
import type { CommandContext } from "../command_module.ts";
import { openBrowser } from "../open_browser.ts";
import { readToken } from "../serve_token.ts";
import { openSession, type Session } from "../session.ts";
import { keepNews } from "../submitted/keep_news.ts";
import type { GlobalFlags } from "../settings.ts";

interface ServeFlags extends GlobalFlags {
  readonly port: number;
  readonly host?: string;
  readonly listen?: true;
  readonly tokenFile?: string;
  readonly noOpen?: true;
  readonly schedule?: true;
}

const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);

export function define(command: Command, context: CommandContext): void {
  command
    .argument(
      "[paths...]",
      "with --schedule: pipeline files, or folders of them; default pipelines/",
    )
    .option("--schedule", "start runs at the times that schedule: of their pipelines says")
    .option("--port <n>", "port of the pages; 0 takes any that is free", {
      read: portNumber,
      initial: 8090,
    })
    .option("--host <address>", "address of this machine to listen on; default 127.0.0.1")
    .option("--listen", "let other machines in, too: on all addresses, or on that of --host")
    .option("--token-file <file>", "take the token from this file, so that it stays the same")
    .option("--no-open", "open no browser")
    .close(
      "Prints an address with a token; whoever has it may look at runs and nodes, cancel and resume.\n" +
        "From another machine, leave it on this one and forward the port: ssh -L 8090:127.0.0.1:8090.\n" +
        "Runs go on when it ends.",
    )
    .action<ServeFlags>(async (paths, flags) => {
      const { host, listen, schedule } = flags;
      if (host !== undefined && !LOOPBACK.has(host) && !listen) throw notAlone(host);
      if (paths.length > 0 && !schedule) throw forSchedules(paths);
      await using session = await openSession(flags, context);
      context.setExitCode(await serve(session, { flags, context, paths }));
    });
}

interface Invocation {
  readonly flags: ServeFlags;
  readonly context: CommandContext;
  /** Of pipelines with schedules. */
  readonly paths: readonly string[];
}

/** Until Ctrl-C, which is how it ends. */
async function serve(session: Session, { flags, context, paths }: Invocation): Promise<number> {
  const [{ createApp }, { newToken }, server, { webSources }] = await Promise.all([
    lazy<typeof import("../../web/app.ts")>("../../web/app.ts", import.meta.url),
    lazy<typeof import("../../web/guard.ts")>("../../web/guard.ts", import.meta.url),
    lazy<typeof import("../../web/server.ts")>("../../web/server.ts", import.meta.url),
    lazy<typeof import("../web_sources.ts")>("../web_sources.ts", import.meta.url),
  ]);
  const { port, listen, host = listen ? "0.0.0.0" : "127.0.0.1" } = flags;
  const { signal, settings, words } = session;
  const { tokenFile } = flags;
  const token = tokenFile === undefined ? newToken() : readToken(resolve(context.cwd, tokenFile));
  const isPublic = listen === true;
  const scheduler = flags.schedule && await openScheduler(session, { paths, context });
  const app = createApp(webSources(session, { env: context.env, scheduler }), {
    token,
    names: isPublic ? server.publicNames(host) : server.OWN_NAMES,
    isPublic,
  });
  await using running = server.serveApp(app, { port, host });
  await using _news = keepNews({
    settings,
    store: session.grid.store,
    folder: (run) => session.grid.runFolder(run),
    [Symbol.dispose]: () => {},
  }, context);
  const address = `http://${shownHost(host)}:${running.port}/?token=${token}`;
  context.stdout(
    settings.json ? JSON.stringify({ address, port: running.port, token }) + "\n" : `${address}\n`,
  );
  if (!settings.quiet && !settings.json) {
    if (isPublic) {
      words.print("note: what travels there is not encrypted: only for networks you trust\n");
    }
    words.print("Ctrl-C ends it; runs go on\n");
  }
  using _browser = flags.noOpen || !context.stderrIsTerminal
    ? undefined
    : openBrowser({ address, env: context.env });
  const print = words.print.bind(words);
  // What its end is called is no news: nothing of the user's was interrupted.
  words.print = () => {};
  if (scheduler) await scheduler.run(settings.quiet ? () => {} : (line) => print(`${line}\n`));
  else await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  return signal.reason instanceof GridError ? signal.reason.exitCode : 130;
}

async function openScheduler(
  { grid, settings, signal }: Session,
  { paths, context }: Pick<Invocation, "paths" | "context">,
) {
  const [{ schedulerOf }, { schedulePaths }] = await Promise.all([
    lazy<typeof import("../serve_schedule.ts")>("../serve_schedule.ts", import.meta.url),
    lazy<typeof import("../schedule_files.ts")>("../schedule_files.ts", import.meta.url),
  ]);
  const { cwd, env } = context;
  const named = schedulePaths(paths, { project: settings.project, cwd });
  return schedulerOf({ grid, settings, paths: named, env, signal });
}

function portNumber(word: string): number {
  const port = Number(word);
  if (/^\d{1,5}$/.test(word) && port < 65_536) return port;
  throw new WordError("must be a port: 0 to 65535");
}

/** All addresses are none that a browser could go to. */
function shownHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return hostname();
  return host.includes(":") ? `[${host}]` : host;
}

function forSchedules(paths: readonly string[]): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot serve ${paths[0]}: pages are there for all runs of the project`,
    hint: `to start its runs at their times: grid serve --schedule ${paths.join(" ")}`,
  });
}

function notAlone(host: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot listen on "${host}": others on that network could reach it`,
    hint: `where that is right: grid serve --host ${host} --listen; ` +
      "better: leave --host out, and forward the port with ssh -L 8090:127.0.0.1:8090",
  });
}
