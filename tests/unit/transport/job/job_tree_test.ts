/** Which processes belong to a job, in pictures of all processes that are hard to come by. */
import assert from "node:assert/strict";
import { jobLibrary } from "../../../../src/transport/job/job_script.ts";
import { testWith } from "../../../support/requires.ts";

interface Picture {
  /** Each as pid, parent, session. */
  readonly processes: readonly (readonly [number, number, number])[];
  /** Carry the job's mark. */
  readonly marked: readonly number[];
  readonly supervisor?: number;
  /** The command that a launcher started. */
  readonly leader?: number;
  /** The time of the polite signal; a process is born at its number, with a 1 in front. */
  readonly since?: number | "-";
  /** Those that got it. */
  readonly seen?: readonly number[];
  /** Those that are called otherwise than "p" and their number. */
  readonly names?: Readonly<Record<number, string>>;
}

/** The job's processes with their flags. */
async function find(
  { processes, marked, supervisor, leader, since = "-", seen = [], names = {} }: Picture,
): Promise<string[]> {
  const lines = [
    ...marked.map((pid) => `/proc/${pid}/environ:GRID_JOB=j`),
    ...processes.map(([pid, parent, session]) =>
      `${pid} (${names[pid] ?? `p${pid}`}) S ${parent} ${session} ${session} ${
        "0 ".repeat(15)
      }1${pid} 0`
    ),
  ];
  const script = `${jobLibrary()}
trap - EXIT
grid_read() { :; }
grid_holds() { [ "$1" != 0 ]; }
grid_id=j grid_job=none grid_setsid=setsid grid_hold=9
grid_waiter=${supervisor ?? 0} grid_leader=${leader === undefined ? "" : `${leader}:1${leader}`}
grid_snapshot='${lines.join("\n")}'
grid_find ${since} ${seen.map((pid) => `${pid}:1${pid}`).join(" ")}`;
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script] }).output();
  return new TextDecoder().decode(stdout).trim().split("\n")
    .map((line) => line.replace(/^(\d+):\d+ (.) .*/, "$1$2"));
}

testWith([], "a job's processes are found by mark, parent and session", async () => {
  const processes = [[1, 0, 1], [30, 1, 30], [31, 30, 30], [32, 1, 32], [33, 1, 30], [
    40,
    1,
    40,
  ]] as const;
  assert.deepEqual(await find({ processes, marked: [30, 32] }), ["30-", "31-", "32-", "33-"]);
});

testWith([], "who is in the session of a job without its leader belongs to it", async () => {
  const processes = [[1, 0, 1], [31, 1, 30], [32, 1, 30], [40, 1, 40], [50, 1, 0], [
    51,
    1,
    0,
  ]] as const;
  assert.deepEqual(await find({ processes, marked: [31, 50] }), ["31-", "32-", "50-"]);
  assert.deepEqual(await find({ processes, marked: [], leader: 30 }), ["31-", "32-"]);
});

testWith(
  [],
  "the session that its supervisor is in is not the job's, though its leader be gone",
  async () => {
    // 10 was the shell; 11 its guard, 12 and 13 supervise a job each, 20 masks what 30 prints.
    const processes = [[1, 0, 1], [11, 1, 10], [12, 1, 10], [13, 1, 10], [20, 12, 10], [
      30,
      12,
      30,
    ]] as const;
    assert.deepEqual(await find({ processes, marked: [30], supervisor: 12 }), ["20=", "30-"]);
  },
);

testWith([], "what an engine runs is told by its client, as long as there is one", async () => {
  const processes = [[1, 0, 1], [30, 1, 30], [31, 30, 30], [40, 1, 40], [41, 40, 41], [
    42,
    41,
    41,
  ]] as const;
  const marked = [30, 31, 41, 42];
  const names = { 31: "podman", 40: "conmon", 41: "podman-init" };
  assert.deepEqual(await find({ processes, marked, names }), ["30-", "31-", "41~", "42~"]);
  const without = processes.filter(([pid]) => pid !== 31);
  assert.deepEqual(await find({ processes: without, marked, names }), ["30-", "41-", "42-"]);
  // One that was seen while it still was the client's child.
  assert.deepEqual(await find({ processes, marked: [...marked, 40], names }), [
    "30-",
    "31-",
    "40~",
    "41~",
    "42~",
  ]);
  // The node itself is a container that sees its machine's processes.
  const within = [[1, 0, 1], [20, 1, 20], [30, 20, 30], [31, 30, 30]] as const;
  const inner = { 20: "conmon", 31: "podman" };
  assert.deepEqual(await find({ processes: within, marked: [30, 31], names: inner }), [
    "30-",
    "31-",
  ]);
  const docker = { 31: "docker", 40: "containerd-shim", 41: "docker-init" };
  assert.deepEqual(await find({ processes, marked, names: docker }), ["30-", "31-", "41~", "42~"]);
});

testWith(
  [],
  "what holds the namespaces of an account's podman is no job's, whichever started it",
  async () => {
    const processes = [[1, 0, 1], [30, 1, 30], [31, 1, 31], [32, 30, 30], [40, 1, 40], [
      41,
      40,
      41,
    ]] as const;
    const names = { 31: "catatonit", 32: "podman pause", 40: "conmon", 41: "catatonit" };
    assert.deepEqual(await find({ processes, marked: [30, 31, 32, 41], names }), ["30-", "41-"]);
  },
);

testWith([], "what began after the polite signal is left alone, through any depth", async () => {
  // 30 was told; it starts 50, that 51, that 52, and goes; 53 is somebody's who is gone.
  const processes = [[1, 0, 1], [30, 1, 30], [50, 30, 30], [51, 50, 30], [52, 51, 52], [53, 1, 53]]
    .map(([pid = 0, parent = 0, session = 0]) => [pid, parent, session] as const);
  const marked = [30, 50, 51, 52, 53];
  assert.deepEqual(await find({ processes, marked, since: 140, seen: [30] }), [
    "30-",
    "50+",
    "51+",
    "52+",
    "53+",
  ]);
  assert.deepEqual(
    await find({ processes, marked }),
    ["30-", "50-", "51-", "52-", "53-"],
    "nobody was told",
  );
  assert.deepEqual(
    await find({ processes, marked, since: 151, seen: [30] }),
    ["30-", "50-", "51-", "52-", "53+"],
    "50 was overlooked, and 51 and 52 are its own work",
  );
});

testWith(
  [],
  "whose parent hands the polite signal on is told by it, as long as it is there",
  async () => {
    const processes = [[1, 0, 1], [30, 1, 30], [31, 30, 30], [32, 31, 30], [33, 32, 30], [
      34,
      33,
      30,
    ]]
      .map(([pid = 0, parent = 0, session = 0]) => [pid, parent, session] as const);
    const marked = [30, 31, 32, 33, 34];
    for (const name of ["make", "gmake", "uv", "uvx", "timeout"]) {
      assert.deepEqual(
        await find({ processes, marked, names: { 31: name, 32: "make" } }),
        ["30-", "31-", "32~", "33~", "34-"],
      );
    }
    assert.deepEqual(
      await find({ processes, marked, names: { 31: "remake" } }),
      ["30-", "31-", "32-", "33-", "34-"],
    );
    const orphans = processes.filter(([pid]) => pid !== 32);
    assert.deepEqual(
      await find({ processes: orphans, marked, names: { 31: "make" } }),
      ["30-", "31-", "33-", "34-"],
      "make is gone",
    );
  },
);
