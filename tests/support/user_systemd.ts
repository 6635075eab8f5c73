/**
 * An account's own systemd, as a login starts it: in a mount namespace of its own, whose `/run` says that
 * systemd runs the machine and whose control groups are those of version 2, so that nothing of this machine
 * is touched. Needs root.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { until } from "./cli.ts";
import { tempDir } from "./temp_dir.ts";

export interface UserSystemd extends AsyncDisposable {
  /** Words before a command, which becomes it, where this systemd can be asked. */
  readonly enter: readonly string[];
  /** What a login has besides `HOME`. */
  readonly env: Readonly<Record<string, string>>;
  /** As when the machine goes down: it and all that was started by way of `enter` ends at once. */
  stop(): Promise<void>;
  /** As when the machine comes up and the account lingers. */
  start(): Promise<void>;
}

const GROUND = `
mount -t tmpfs run /run && mkdir -p /run/systemd/system /run/lock
umount -l /sys/fs/cgroup 2>/dev/null; mount -t cgroup2 cgroup /sys/fs/cgroup || exit 1
exec sleep 3000
`;

/** @param home of the account, which is root with another home */
export async function startUserSystemd(home: string): Promise<UserSystemd> {
  const runtime = tempDir();
  Deno.chmodSync(runtime.path, 0o700);
  const group = `/sys/fs/cgroup/grid-test-${crypto.randomUUID()}`;
  const holder = new Deno.Command("unshare", {
    args: ["--mount", "sh", "-c", GROUND],
    stdin: "null",
    stdout: "null",
  }).spawn();
  await until(() => Deno.readTextFileSync(`/proc/${holder.pid}/comm`).trim() === "sleep", {
    what: "a place for systemd",
  });
  const inNamespace = ["nsenter", `--mount=/proc/${holder.pid}/ns/mnt`];
  const inGroup = (name: string) => [
    ...[...inNamespace, "sh", "-c"],
    `mkdir -p ${group}/${name} && echo $$ >${group}/${name}/cgroup.procs && exec "$@"`,
    "sh",
  ];
  const env = { XDG_RUNTIME_DIR: runtime.path, DBUS_SESSION_BUS_ADDRESS: "" };
  const inside = (words: readonly string[]) => {
    const [program = "", ...args] = words;
    return new Deno.Command(program, {
      args,
      env: { HOME: home, ...env },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    });
  };
  let manager: Deno.ChildProcess | undefined;
  const stop = async () => {
    // Version 2 ends a group and all below it in one go.
    await inside([...inNamespace, "sh", "-c", `echo 1 >${group}/cgroup.kill`]).output();
    await manager?.status;
    manager = undefined;
  };
  const start = async () => {
    manager = inside([...inGroup("systemd"), "/lib/systemd/systemd", "--user"]).spawn();
    await until(() => existsSync(join(runtime.path, "systemd", "private")), { what: "systemd" });
  };
  const result: UserSystemd = {
    enter: inGroup("login"),
    env,
    stop,
    start,
    [Symbol.asyncDispose]: async () => {
      await stop();
      await inside([...inNamespace, "find", group, "-depth", "-type", "d", "-delete"]).output();
      holder.kill("SIGKILL");
      await holder.status;
      runtime[Symbol.dispose]();
    },
  };
  await start();
  return result;
}
