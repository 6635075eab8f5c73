/** Real engines of containers for one test, each with a storage of its own and one small image. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type Account, findBusyboxStatic } from "./requires.ts";
import { tempDir } from "./temp_dir.ts";

export const IMAGE = "localhost/grid-test:1";
const TOOLS = "sh cat id ls echo sleep touch true test head stat env".split(" ");
const START_MS = 20_000;

export interface ContainerEngine extends AsyncDisposable {
  readonly name: "docker" | "podman";
  /** What tells its client where it is: a node's `env`. */
  readonly env: Readonly<Record<string, string>>;
  /** What the client prints. */
  ask(...words: string[]): string;
  /** Why this machine lets it start no container, in the engine's own words; undefined where it does. */
  readonly refusal: string | undefined;
}

/** As root, or rootless as an account: without systemd and without a network of its own. */
export function openPodman(account?: Account): Promise<ContainerEngine> {
  const folder = openFolder(account, ["store", "xdg"]);
  const { path } = folder;
  Deno.chmodSync(path("xdg"), 0o700);
  Deno.writeTextFileSync(
    path("storage.conf"),
    `[storage]\ndriver = "vfs"\nrunroot = "${path("store/run")}"\ngraphroot = "${
      path("store/graph")
    }"\n`,
  );
  // crun wants one kind of control groups; a container cannot have more files than its account.
  Deno.writeTextFileSync(
    path("containers.conf"),
    '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n' +
      // Elsewhere than where it looks for it, an account's would not find its own namespace again.
      (account ? "" : `tmp_dir = "${path("store/tmp")}"\n`) +
      '[containers]\nnetns = "none"\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n',
  );
  const env = {
    CONTAINERS_CONF: path("containers.conf"),
    CONTAINERS_STORAGE_CONF: path("storage.conf"),
    ...(account && { XDG_RUNTIME_DIR: path("xdg"), HOME: path("store") }),
  };
  const call = caller("podman", env, account);
  return Promise.resolve(engineOf("podman", {
    env,
    call,
    image: path("image.tar"),
    end: () => {
      call(["rm", "-af", "-t", "0"]);
      call(["rmi", "-af"]);
      // It holds the namespaces of the account, and stays.
      endPidOf(path("xdg/libpod/tmp/pause.pid"));
      folder[Symbol.dispose]();
      return Promise.resolve();
    },
  }));
}

/** A daemon of its own, for root. */
export async function openDocker(): Promise<ContainerEngine> {
  const folder = openFolder(undefined, []);
  const { path } = folder;
  Deno.writeTextFileSync(path("daemon.json"), "{}");
  const log = path("log");
  const socket = `unix://${path("socket")}`;
  const places = ["data-root", "exec-root"].map((name) => `--${name}=${path(name)}`);
  const daemon = new Deno.Command("sh", {
    args: [
      "-c",
      'log=$1; shift; exec "$@" >"$log" 2>&1',
      "sh",
      log,
      "dockerd",
      `--config-file=${path("daemon.json")}`,
      ...places,
      `--pidfile=${path("pid")}`,
      `--host=${socket}`,
      "--iptables=false",
      // It would stay on when the daemon has ended, for the whole machine.
      "--ip-forward=false",
      "--bridge=none",
      "--storage-driver=vfs",
      "--log-level=error",
    ],
    stdin: "null",
  }).spawn();
  let isOver = false;
  const over = daemon.status.then(() => void (isOver = true));
  const env = { DOCKER_HOST: socket };
  const call = caller("docker", env);
  const until = Date.now() + START_MS;
  while (!isOver && Date.now() < until && !call(["version"]).success) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return engineOf("docker", {
    env,
    call,
    image: path("image.tar"),
    whyNot: () => isOver ? Deno.readTextFileSync(log).trim().split("\n").at(-1) : undefined,
    end: async () => {
      // It ends what it runs, and its containerd.
      if (!isOver) daemon.kill("SIGTERM");
      await over;
      folder[Symbol.dispose]();
    },
  });
}

function openFolder(account: Account | undefined, owned: readonly string[]) {
  const folder = tempDir();
  const path = (name: string) => join(folder.path, name);
  for (const name of ["", ...owned]) {
    Deno.mkdirSync(path(name), { recursive: true });
    if (account) Deno.chownSync(path(name), account.uid, account.gid);
  }
  Deno.mkdirSync(path("image/bin"), { recursive: true });
  for (const name of ["etc", "tmp", "proc", "dev"]) Deno.mkdirSync(path(`image/${name}`));
  Deno.copyFileSync(findBusyboxStatic() ?? "", path("image/bin/busybox"));
  for (const name of TOOLS) Deno.symlinkSync("busybox", path(`image/bin/${name}`));
  const packed = new Deno.Command("tar", {
    args: ["cf", path("image.tar"), "-C", path("image"), "."],
  })
    .outputSync();
  assert.ok(packed.success, new TextDecoder().decode(packed.stderr));
  return { path, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

interface Said {
  readonly success: boolean;
  readonly words: string;
}

function caller(program: string, env: Readonly<Record<string, string>>, account?: Account) {
  const as = account && { uid: account.uid, gid: account.gid };
  return (args: readonly string[]): Said => {
    const { stdout, stderr, success } = new Deno.Command(program, {
      args: [...args],
      env,
      cwd: "/",
      ...as,
    }).outputSync();
    return { success, words: new TextDecoder().decode(success ? stdout : stderr).trim() };
  };
}

interface Opened {
  readonly env: Readonly<Record<string, string>>;
  readonly call: (args: readonly string[]) => Said;
  /** An archive of its root folder. */
  readonly image: string;
  readonly whyNot?: () => string | undefined;
  readonly end: () => Promise<void>;
}

function engineOf(
  name: ContainerEngine["name"],
  { env, call, image, whyNot, end }: Opened,
): ContainerEngine {
  const tries = [["import", image, IMAGE], ["run", "--rm", IMAGE, "true"]];
  const failed = tries.map(call).find(({ success }) => !success);
  const ask = (...words: string[]) => {
    const said = call(words);
    assert.ok(said.success, `${name} ${words.join(" ")}: ${said.words}`);
    return said.words;
  };
  return {
    name,
    env,
    ask,
    refusal: failed && (whyNot?.() ?? failed.words.split("\n").at(-1) ?? "it says nothing"),
    [Symbol.asyncDispose]: end,
  };
}

function endPidOf(file: string): void {
  try {
    Deno.kill(Number(Deno.readTextFileSync(file)), "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
