/** The user's key keeper. */
function run(program: string, args: readonly string[], env: Record<string, string> = {}): string {
  const { success, stdout, stderr } = new Deno.Command(program, { args: [...args], env })
    .outputSync();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** A real agent on a socket in the folder. */
export function startAgent(
  folder: string,
): Disposable & { readonly socket: string; add(key: string): void } {
  const socket = `${folder}/agent.sock`;
  const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(run("ssh-agent", ["-s", "-a", socket]))?.[1]);
  return {
    socket,
    add: (key) => void run("ssh-add", ["-q", key], { SSH_AUTH_SOCK: socket }),
    [Symbol.dispose]: () => Deno.kill(pid, "SIGTERM"),
  };
}
