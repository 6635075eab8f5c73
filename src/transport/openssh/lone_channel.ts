/**
 * One channel on a connection of its own, made by the system's `ssh` before anybody knows what will run on it:
 * a shell there says where it is, and waits for the command.
 */
import { withDeadline } from "../../core/deadline.ts";
import { GridError } from "../../core/errors.ts";
import { ByteReader } from "../byte_reader.ts";
import { calledName } from "../ssh/address.ts";
import type { LinkChannel } from "../ssh/link.ts";
import type { Endpoint } from "../transport.ts";
import { lostBecause } from "./lost_channel.ts";
import { MuxChannel } from "./mux_channel.ts";
import { makePrivateFolder } from "./private_folder.ts";
import { preferredCiphers } from "./ciphers.ts";
import { sshConfigOf, type SshConfigOptions } from "./ssh_config.ts";

/** A login that nobody asked for yet. */
export interface LoneChannel extends AsyncDisposable {
  /** What WHERE printed there. */
  readonly where: string;
  /** Once. @param line one line for POSIX `sh` */
  run(line: string): Promise<LinkChannel>;
}

export interface LoneChannelOptions extends SshConfigOptions {
  /** One line of POSIX `sh` that prints one line: which machine and account it is. */
  readonly whereCommand: string;
  readonly onBytes: (direction: "sent" | "received", count: number) => void;
  readonly onAbandoned: () => void;
  readonly signal: AbortSignal;
}

const MOST_LINE_BYTES = 4096;
const SPAWN_OPTIONS = [
  "ControlMaster=no",
  "ControlPath=none",
  "ClearAllForwardings=yes",
  "RemoteCommand=none",
  "LogLevel=ERROR",
].flatMap((option) => ["-o", option]);

/** @throws {GridError} or {Error} where ssh could not log in, or not in time */
export async function openLoneChannel(
  endpoint: Endpoint,
  { whereCommand, onBytes, onAbandoned, signal, ...options }: LoneChannelOptions,
): Promise<LoneChannel> {
  const folder = makePrivateFolder();
  const config = `${folder.path}/config`;
  let channel: MuxChannel | undefined;
  try {
    const ciphers = await preferredCiphers();
    Deno.writeTextFileSync(config, sshConfigOf(endpoint, { ...options, ciphers }), { mode: 0o600 });
    const args = ["-F", config, "-T", ...SPAWN_OPTIONS, "--", calledName(endpoint)];
    channel = new MuxChannel({
      command: `${whereCommand}; IFS= read -r line && eval "$line"`,
      // In a session of its own, away from the terminal's Ctrl-C.
      spawn: (line) =>
        new Deno.Command("ssh", {
          args: [...args, line],
          env: plainEnv(options.env),
          clearEnv: true,
          stdin: "piped",
          stdout: "piped",
          stderr: "piped",
          detached: true,
        }).spawn(),
      onBytes,
      onAbandoned,
      lostError: () => Promise.resolve(lostBecause(endpoint, "ssh has ended")),
      closedError: () => lostBecause(endpoint, "the channel was closed"),
    });
    void channel.closed.then(() => folder[Symbol.dispose]());
    const opened = await lone(channel, { endpoint, signal });
    // By now jump hosts have read it, too. Whoever is killed leaves nothing behind.
    folder[Symbol.dispose]();
    return opened;
  } catch (error) {
    if (channel === undefined) folder[Symbol.dispose]();
    else await end(channel, lostBecause(endpoint, "it was given up"));
    throw error;
  }
}

/** Nothing that `SendEnv` of somebody's configuration could hand on. */
function plainEnv(env: Readonly<Record<string, string>>): Record<string, string> {
  const kept = ["PATH", "HOME", "USER", "LOGNAME"].flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), SSH_ASKPASS_REQUIRE: "never" };
}

async function lone(
  channel: MuxChannel,
  { endpoint, signal }: { readonly endpoint: Endpoint; readonly signal: AbortSignal },
): Promise<LoneChannel> {
  const { connectTimeoutMs: ms, name } = endpoint;
  const tooLong = () => new GridError({ code: "shell", message: `"${name}" says too much` });
  const reader = new ByteReader(channel.stdout);
  const where = await withDeadline(async () => {
    await Promise.race([channel.started, channel.drained]);
    return await reader.line(MOST_LINE_BYTES, tooLong);
  }, {
    ms,
    error: () => new GridError({ code: "timed-out", message: `ssh did not log in to "${name}"` }),
    signal,
  }).catch((error) => {
    throw anotherKey(endpoint, channel.preview) ?? error;
  });
  if (where === undefined) throw lostBecause(endpoint, "ssh did not log in");
  return {
    where,
    async run(line) {
      const writer = channel.stdin.getWriter();
      await writer.write(new TextEncoder().encode(`${line}\n`));
      writer.releaseLock();
      return {
        stdin: channel.stdin,
        stdout: ReadableStream.from(reader.pieces()),
        stderr: channel.stderr,
        exit: channel.exit,
        passInput: channel.passInput,
        closed: channel.closed,
        [Symbol.asyncDispose]: () => channel[Symbol.asyncDispose](),
      };
    },
    [Symbol.asyncDispose]: () => end(channel, lostBecause(endpoint, "it was closed by Grid")),
  };
}

/** Undefined where ssh had nothing against the host's key. Its words come at once, and first. */
function anotherKey({ name }: Endpoint, said: string): GridError | undefined {
  if (!/IDENTIFICATION HAS CHANGED|REVOKED HOST KEY/.test(said)) return undefined;
  return new GridError({
    code: "host-key",
    message:
      `Cannot trust "${name}": at a second login it showed another host key than at the first`,
    hint: "somebody may be listening in, or several machines answer at that address: " +
      `grid doctor ${name}`,
    node: name,
  });
}

async function end(channel: MuxChannel, reason: GridError): Promise<void> {
  channel.lose(reason);
  await channel[Symbol.asyncDispose]();
  await channel.closed;
}
