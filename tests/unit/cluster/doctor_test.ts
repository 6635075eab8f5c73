import assert from "node:assert/strict";
import { join } from "node:path";
import { type DoctorFacts, readFacts } from "../../../src/cluster/doctor.ts";
import { nodeFindings } from "../../../src/cluster/doctor_findings.ts";
import { engineRepair } from "../../../src/cluster/engine_repairs.ts";
import { loginFindings } from "../../../src/cluster/doctor_login.ts";
import { GridError } from "../../../src/core/errors.ts";
import { readTrial } from "../../../src/transport/openssh/ssh_trial.ts";
import { programs } from "../../support/claims.ts";
import { testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { facts as nodeFacts, gpu, health } from "./nodes.ts";

const NOW = 1_800_000_000_000;

function told(lines: readonly string[], now = NOW): DoctorFacts {
  const text = [
    "@doctor begin 1",
    `@doctor now ${Math.floor(now / 1000)}`,
    ...lines,
    "@doctor end",
  ];
  const facts = readFacts(text.join("\n"), { before: NOW, after: NOW + 300 });
  assert.ok(facts);
  return facts;
}

const WELL = [
  "@doctor account ada",
  "@doctor shell /bin/bash",
  "@doctor python /usr/bin/python3 3.11.2",
  "@doctor workspace drwxr-xr-x ada users",
  "@doctor disk /dev/sda1 100000000 1000 90000000 10% /",
  "@doctor inodes /dev/sda1 1000000 1000 900000 10% /",
];

function badOf(lines: readonly string[], now?: number) {
  const facts = told([...WELL, ...lines], now);
  return nodeFindings({ facts, health: undefined, ray: { mode: "embedded", version: undefined } })
    .filter(({ level }) => level !== "ok");
}

Deno.test("a node that has all it needs has no finding that wants a repair", () => {
  assert.deepEqual(badOf([]), []);
});

/** What a node told, and the finding that it makes: about, level, repair. */
const WRONG: Readonly<Record<string, readonly [string, string, RegExp]>> = {
  "@doctor missing tar": ["tools", "bad", /apt install/],
  "@doctor missing setsid": ["tools", "note", /^undefined$/],
  "@doctor no-venv yes": ["python", "bad", /apt install python3-venv/],
  "@doctor startup-exec ~/.bashrc line 3:exec zsh": ["shell", "note", /case \$-/],
  "@doctor quota /home 900 800": ["quota", "bad", /more quota/],
  "@doctor claims-bad taken /tmp/grid-claims-1000": ["claims", "bad", /^sudo rm -r /],
  "@doctor claims-private /tmp /tmp-inst/ada": ["claims", "note", /GRID_LEASE_DIR/],
  "@doctor hidden-processes yes": ["claims", "note", /hidepid/],
  "@doctor kills-left no": ["lingering", "bad", /^sudo loginctl enable-linger ada$/],
};
for (const [line, [about, level, repair]] of Object.entries(WRONG)) {
  Deno.test(`doctor: ${line}`, () => {
    const [finding, ...others] = badOf([line]);
    assert.deepEqual(others, []);
    assert.equal(finding?.about, about);
    assert.equal(finding?.level, level);
    assert.match(String(finding?.repair), repair);
  });
}

Deno.test("doctor: a full disk, few files left, a clock that is wrong, both ways", () => {
  const full = WELL.map((line) =>
    line.replace(" 90000000 ", " 1000000 ").replace(" 900000 ", " 9 ")
  );
  const facts = told(full);
  const findings = nodeFindings({
    facts,
    health: undefined,
    ray: { mode: "embedded", version: undefined },
  });
  assert.deepEqual(findings.filter(({ level }) => level === "bad").map(({ words }) => words), [
    "976.6 MiB free",
    "9 files can still be made",
  ]);
  for (const [off, words] of [[-60_000, /behind/], [60_000, /ahead/]] as const) {
    const [clock] = badOf([], NOW + off);
    assert.equal(clock?.about, "clock");
    assert.match(clock?.words ?? "", words);
    assert.equal(clock?.repair, "sudo timedatectl set-ntp true");
  }
  assert.deepEqual(badOf([], NOW - 900), [], "less than the second that the node tells");
});

Deno.test("doctor: Ray where the config wants it, and GPUs with their cures", () => {
  const find = (lines: readonly string[], version?: string, isAsked = true) =>
    nodeFindings({
      facts: told([...WELL, ...lines]),
      health: health("a", {
        facts: nodeFacts({ gpus: [gpu(0)] }),
        gpuGroups: [],
        remarks: [{ words: "GPU 0: ECC", cure: "sudo reboot" }],
      }),
      ray: { mode: "managed", isAsked, version },
    }).filter(({ level }) => level === "bad").map(({ words, repair }) => `${words} → ${repair}`);
  const card = "GPU 0: ECC → sudo reboot";
  assert.deepEqual(find([]), [card, "there is no grid_env yet → grid setup"]);
  assert.deepEqual(find([], undefined, false), [card], "nobody has asked for Ray");
  assert.deepEqual(find(["@doctor environment 3.11.2 -"]), [
    card,
    "grid_env holds no Ray → grid setup",
  ]);
  assert.deepEqual(find(["@doctor environment 3.11.2 2.58.0"], "2.50.0"), [
    card,
    "2.58.0, not 2.50.0 → grid setup",
  ]);
  assert.deepEqual(find(["@doctor environment broken"]), [
    card,
    "grid_env does not run → grid setup --again",
  ]);
  assert.deepEqual(find(["@doctor environment 3.11.2 2.58.0"], "2.58.0"), [card]);
});

Deno.test("an answer that is not whole is none", () => {
  for (const text of ["", "@doctor begin 1\n@doctor now 1\n", "hello\n"]) {
    assert.equal(readFacts(text, { before: 0, after: 0 }), undefined);
  }
});

const LOG = `debug1: Reading configuration data /etc/ssh/ssh_config
debug1: Connecting to gpu1 [10.0.0.7] port 22.
debug1: connect to address 10.0.0.7 port 22: Connection timed out
debug1: Connecting to gpu1 [10.0.0.8] port 22.
debug1: Connection established.
debug1: Authentications that can continue: publickey,password
debug1: Offering public key: /home/ada/.ssh/id_ed25519 ED25519 SHA256:abc explicit
debug1: Authentications that can continue: publickey,password
debug1: No more authentication methods to try.
ada@gpu1: Permission denied (publickey,password).
`;
const PLAN = {
  user: "ada",
  host: "gpu1",
  port: 22,
  addresses: ["10.0.0.7", "10.0.0.8"],
  jumps: [],
  offered: ["/home/ada/.ssh/id_ed25519 (SHA256:abc)"],
  problems: [],
  beyond: [],
};

Deno.test("readTrial() takes from ssh's log what it tried", () => {
  assert.deepEqual(readTrial("", LOG), {
    isIn: false,
    addresses: ["10.0.0.7 port 22", "10.0.0.8 port 22"],
    offered: ["/home/ada/.ssh/id_ed25519 ED25519 SHA256:abc explicit"],
    accepted: undefined,
    factors: "publickey,password",
    noise: "",
    ran: false,
    lastWords: "ada@gpu1: Permission denied (publickey,password).",
  });
});

Deno.test("readTrial() takes ssh's banner for no words of its own", () => {
  const log =
    "OpenSSH_9.2p1 Debian-2+deb12u7, OpenSSL 3.0.17 1 Jul 2025\ndebug1: Connecting to x\n";
  assert.equal(readTrial("", log).lastWords, undefined);
});

Deno.test("what ssh does stands beside what Grid does", () => {
  const trial = readTrial("", LOG);
  const problem = new GridError({
    code: "auth",
    message: 'Cannot log in to "gpu1": no key was taken',
    hint: "ssh-copy-id gpu1",
  });
  const words = (findings: ReturnType<typeof loginFindings>) =>
    findings.map(({ level, about, words }) => `${level} ${about}: ${words}`);
  assert.deepEqual(words(loginFindings({ name: "gpu1", plan: PLAN, trial, problem })), [
    "ok address: ada@gpu1 port 22 (10.0.0.7, 10.0.0.8); ssh tried 10.0.0.7 port 22, 10.0.0.8 port 22",
    "ok keys: Grid and ssh offer /home/ada/.ssh/id_ed25519 (SHA256:abc)",
    "bad login: no key was taken; ssh says: ada@gpu1: Permission denied (publickey,password).; the server asks for publickey,password",
  ]);
  const isIn = { ...trial, isIn: true, ran: true, noise: "Welcome!\n" };
  const other = loginFindings({ name: "gpu1", plan: PLAN, trial: isIn, problem });
  assert.match(words(other)[2] ?? "", /^bad login: ssh gets in, Grid does not/);
  assert.match(other[2]?.repair ?? "", /ssh-copy-id gpu1; or let your own ssh/);
  assert.match(words(other)[3] ?? "", /^note startup: start-up files print: "Welcome!"/);
  const shell = new GridError({
    code: "shell",
    message:
      'Cannot start a shell on "gpu1": its login shell ended at once (exit 1): not available',
    hint: "chsh -s /bin/sh ada",
  });
  const shut = { ...isIn, ran: false };
  const none = loginFindings({ name: "gpu1", plan: PLAN, trial: shut, problem: shell });
  assert.match(words(none)[2] ?? "", /^bad login: Grid and ssh get in, .* no shell.*exit 1/);
  assert.equal(none[2]?.repair, "chsh -s /bin/sh ada");
  assert.equal(none.length, 3, "no start-up file is blamed for it");
  const mute = new GridError({
    ...shell,
    code: "shell",
    message: shell.message.replace(/: not a.*/, ""),
  });
  const left = loginFindings({ name: "gpu1", plan: PLAN, trial: shut, problem: mute });
  assert.match(
    words(left)[3] ?? "",
    /^bad startup: a start-up file, or a login shell such as .* keeps commands/,
  );
  const unknown = loginFindings({
    name: "x",
    plan: { ...PLAN, addresses: [] },
    trial: undefined,
    problem,
  });
  assert.match(words(unknown)[0] ?? "", /^bad address: .*no address here/);
});

Deno.test("doctor: what steps can use, and engines that this account cannot", () => {
  const facts = told([
    ...WELL,
    "@doctor conda /opt/conda/condabin/conda",
    "@doctor tool pixi /home/ada/.pixi/bin/pixi",
    "@doctor engine podman ok 4.3.1",
    "@doctor engine docker no permission denied while trying to connect to the Docker daemon socket",
  ]);
  const found = nodeFindings({
    facts,
    health: undefined,
    ray: { mode: "embedded", version: undefined },
  });
  const of = (about: string) => found.find((finding) => finding.about === about);
  assert.match(of("conda")?.words ?? "", /before: \["\. \/opt\/conda\/bin\/activate ENV"\]$/);
  assert.equal(of("pixi")?.words, "/home/ada/.pixi/bin/pixi");
  assert.deepEqual([of("podman")?.level, of("podman")?.words], [
    "ok",
    "4.3.1, usable by this account",
  ]);
  assert.equal(of("docker")?.level, "note");
  assert.equal(engineRepair("no such option"), undefined);
  assert.match(
    engineRepair("Cannot connect to the Docker daemon at unix:///x") ?? "",
    /DOCKER_HOST/,
  );
  assert.match(of("docker")?.repair ?? "", /usermod -aG docker/);
});

testWith(
  ["root", "unshare"],
  "doctor.sh finds a folder of claims that is this account's alone",
  async () => {
    using folder = tempDir();
    const examined = async (source: string) => {
      const base = join(folder.path, "claims");
      const own = join(folder.path, source);
      for (const path of [base, own]) Deno.mkdirSync(path, { recursive: true });
      const script = programs("claims.sh", "claims_fit.sh", "doctor.sh");
      const { stdout } = await new Deno.Command("unshare", {
        args: [
          "-m",
          "sh",
          "-c",
          `mount --bind "$1" "$2"; root=$2 given= grid_random=x; ${script}`,
          "sh",
          own,
          base,
        ],
        env: { GRID_LEASE_DIR: base },
      }).output();
      const lines = new TextDecoder().decode(stdout).split("\n");
      return lines.find((line) => line.startsWith("@doctor claims-private "));
    };
    const alone = await examined("root.inst");
    assert.match(alone ?? "", /^@doctor claims-private \S+\/claims \S+\/root\.inst$/);
    assert.equal(await examined("for-all"), undefined);
  },
);
