/**
 * Machines on one wire: each has a network and a name of its own, files and processes are this machine's. Who
 * looks on is on the wire, too. Needs the parts `root`, `unshare` and `ip`.
 */
import { until } from "./cli.ts";

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
  const holders = [hold(["--net"], "exec sleep 3000")];
  for (let at = 1; at <= count; at++) {
    holders.push(hold(["--net", "--uts"], `hostname machine${at}; exec sleep 3000`));
  }
  const program = ({ pid }: Deno.ChildProcess) => Deno.readTextFileSync(`/proc/${pid}/comm`);
  await until(() => holders.every((holder) => program(holder) === "sleep\n"), {
    what: "the network",
  });
  const [onlooker, ...others] = holders.map(({ pid }) => pid);
  const wire = enterOf(onlooker);
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
    const enter = enterOf(pid);
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
    },
  };
}

function hold(spaces: readonly string[], script: string): Deno.ChildProcess {
  const args = [...spaces, "sh", "-c", script];
  return new Deno.Command("unshare", { args, stdin: "null", stdout: "null" }).spawn();
}

function enterOf(pid: number | undefined): string[] {
  return ["nsenter", `--net=/proc/${pid}/ns/net`, `--uts=/proc/${pid}/ns/uts`];
}

function ip(enter: readonly string[], words: readonly string[]): void {
  const [program = "", ...args] = [...enter, "ip", ...words];
  const { success, stderr } = new Deno.Command(program, { args }).outputSync();
  if (!success) throw new Error(`ip ${words.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
