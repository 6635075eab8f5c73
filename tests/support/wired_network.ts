/**
 * Machines on one wire: each has a network and a name of its own that all resolve; files and processes are this
 * machine's. Who looks on is on the wire, too. Needs the parts `root`, `unshare` and `ip`.
 */
import { join } from "node:path";
import { until } from "./cli.ts";
import { tempDir } from "./temp_dir.ts";

export interface WiredNetwork extends AsyncDisposable {
  /** Words before a command, which becomes it, on the machine of who looks on. */
  readonly enter: readonly string[];
  readonly machines: readonly Machine[];
}

export interface Machine {
  /** Its address. */
  readonly host: string;
  /** Words before a command, which becomes it, on that machine. */
  readonly enter: readonly string[];
  /** Pulls the plug, or puts it in again. */
  link(state: "up" | "down"): void;
  /** A command of `ip` on that machine. */
  ip(...words: readonly string[]): void;
}

/** Of the network; the machines count from 1. */
const NETWORK = "10.77.0";
const ONLOOKER = 254;

export async function wireMachines(count: number): Promise<WiredNetwork> {
  const folder = tempDir();
  const hosts = join(folder.path, "hosts");
  const names = Array.from({ length: count }, (_, index) => `machine${index + 1}`);
  const lines = names.map((name, index) => `${NETWORK}.${index + 1} ${name}\n`);
  Deno.writeTextFileSync(hosts, `127.0.0.1 localhost\n${lines.join("")}`, { mode: 0o644 });
  Deno.chmodSync(folder.path, 0o755);
  const holders = [hold(["--net"], "exec sleep 3000")];
  for (const name of names) {
    const script = `hostname ${name}; mount --bind ${hosts} /etc/hosts; exec sleep 3000`;
    holders.push(hold(["--net", "--uts", "--mount"], script));
  }
  const program = ({ pid }: Deno.ChildProcess) => Deno.readTextFileSync(`/proc/${pid}/comm`);
  await until(() => holders.every((holder) => program(holder) === "sleep\n"), {
    what: "the network",
  });
  const [onlooker, ...others] = holders.map(({ pid }) => pid);
  const wire = enterOf(onlooker, ["--net"]);
  const own = (...words: readonly string[]) => ip(wire, words);
  own("link", "set", "lo", "up");
  own("link", "add", "wire", "type", "bridge");
  own("addr", "add", `${NETWORK}.${ONLOOKER}/24`, "dev", "wire");
  own("link", "set", "wire", "up");
  const machines = others.map((pid, index): Machine => {
    const [host, plug] = [`${NETWORK}.${index + 1}`, `plug${index + 1}`];
    const peer = ["peer", "name", "eth0", "netns", String(pid)];
    own("link", "add", plug, "type", "veth", ...peer);
    own("link", "set", plug, "master", "wire", "up");
    const enter = enterOf(pid, ["--net", "--uts", "--mount"]);
    ip(enter, ["addr", "add", `${host}/24`, "dev", "eth0"]);
    ip(enter, ["link", "set", "lo", "up"]);
    ip(enter, ["link", "set", "eth0", "up"]);
    return {
      host,
      enter,
      link: (state) => own("link", "set", plug, state),
      ip: (...words) => ip(enter, words),
    };
  });
  return {
    enter: wire,
    machines,
    [Symbol.asyncDispose]: async () => {
      for (const holder of holders) {
        holder.kill("SIGKILL");
        await holder.status;
      }
      folder[Symbol.dispose]();
    },
  };
}

function hold(spaces: readonly string[], script: string): Deno.ChildProcess {
  const args = [...spaces, "sh", "-c", script];
  return new Deno.Command("unshare", { args, stdin: "null", stdout: "null" }).spawn();
}

function enterOf(pid: number | undefined, spaces: readonly string[]): string[] {
  return ["nsenter", "--target", String(pid), ...spaces];
}

function ip(enter: readonly string[], words: readonly string[]): void {
  const [program = "", ...args] = [...enter, "ip", ...words];
  const { success, stderr } = new Deno.Command(program, { args }).outputSync();
  if (!success) throw new Error(`ip ${words.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
