/** The `ssh` that runs one command over a master, and what it has to say itself. */
import { randomWord } from "../../core/ids.ts";
import { loginCommand } from "../ssh/login_command.ts";
import type { DialTarget } from "../transport.ts";
import type { Carrier } from "./carrier.ts";

export interface ClientOptions {
  readonly line: string;
  /** Where ssh's own words go; without it they go to stderr, and the command has no streams. */
  readonly log?: string;
}

/** No file of the user's is read again, and where the master has gone nothing else is tried. */
const ARGS = ["-F", "/dev/null", "-T"].concat(
  ["ControlMaster=no", "ProxyCommand=false", "BatchMode=yes", "LogLevel=DEBUG1"]
    .flatMap((option) => ["-o", option]),
);

/** In a session of its own, away from the terminal's Ctrl-C. */
export function spawnClient(master: Carrier, { line, log }: ClientOptions): Deno.ChildProcess {
  const stdio = log === undefined ? "null" : "piped";
  const own = log === undefined ? [] : ["-E", log];
  return new Deno.Command("ssh", {
    args: [...ARGS, ...own, "-S", master.socket, "--", master.endpoint.name, line],
    env: master.env,
    stdin: stdio,
    stdout: stdio,
    stderr: "piped",
    detached: true,
  }).spawn();
}

/** A connection from the node to a port, on stdin and stdout; ssh's own words go to stderr. */
export function spawnDial(master: Carrier, { host, port }: DialTarget): Deno.ChildProcess {
  const target = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  return new Deno.Command("ssh", {
    args: [...ARGS, "-S", master.socket, "-W", target, "--", master.endpoint.name],
    env: master.env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
}

/** The words that open a terminal over a master, for a command or the account's login shell. */
export function terminalArgs(master: Carrier, command: string | undefined): readonly string[] {
  const options = ["ControlMaster=no", "ProxyCommand=false", "SendEnv=LANG LC_*", "LogLevel=ERROR"]
    .flatMap((option) => ["-o", option]);
  const line = command === undefined ? [] : [loginCommand(command, randomWord(20))];
  const { socket, endpoint } = master;
  return ["ssh", "-F", "/dev/null", "-tt", ...options, "-S", socket, "--", endpoint.name, ...line];
}

/** Whether the server opened a session, by what ssh said; undefined while it says nothing of it. */
export function sessionIn(said: string): "opened" | "refused" | undefined {
  if (/session request failed|Session open refused by peer/.test(said)) return "refused";
  return /master session id/.test(said) ? "opened" : undefined;
}

/** Asks for a session and gives it back: the cheapest question that reaches the server. */
export async function askForSession(
  master: Carrier,
  signal: AbortSignal,
): Promise<"opened" | "refused" | undefined> {
  const client = spawnClient(master, { line: ":" });
  const stop = () => kill(client);
  signal.addEventListener("abort", stop, { once: true });
  let said = "";
  try {
    for await (const text of client.stderr.pipeThrough(new TextDecoderStream())) {
      said += text;
      if (sessionIn(said)) break;
    }
    return sessionIn(said);
  } finally {
    signal.removeEventListener("abort", stop);
    kill(client);
    await client.status;
  }
}

function kill(client: Deno.ChildProcess): void {
  try {
    client.kill("SIGKILL");
  } catch (error) {
    // It has ended already.
    if (!(error instanceof Deno.errors.NotFound || error instanceof TypeError)) throw error;
  }
}
