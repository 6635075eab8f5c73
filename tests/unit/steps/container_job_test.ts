import assert from "node:assert/strict";
import { type ContainerJob, containerScript } from "../../../src/steps/container_job.ts";

const JOB: ContainerJob = {
  container: {
    image: "python:3.12",
    engine: "docker",
    gpus: "none",
    volumes: [],
    user: undefined,
    options: [],
  },
  names: ["GRID_SERVICE_PORT"],
  secrets: [],
  folders: ["/work"],
  files: [],
  cwd: "/work",
  graceMs: 5000,
  isAgain: false,
  isPlainShell: false,
  isReached: true,
};

Deno.test("what a container listens on that others reach is its node's port, unless its options say how", () => {
  const linesOf = (options: readonly string[], isReached = true) => {
    const container = { ...JOB.container, options };
    return containerScript({ ...JOB, container, isReached }).split("\n");
  };
  const isHost = (lines: readonly string[]) =>
    lines.filter((line) => line.includes("--network=host")).map((line) =>
      line.trim().split(")")[0]
    );
  assert.deepEqual(isHost(linesOf([])), ["*"]);
  assert.deepEqual(isHost(linesOf(["--shm-size=8g", "--privileged"])), ["*"]);
  assert.deepEqual(isHost(linesOf([], false)), []);
  for (
    const options of [
      ["--network", "bridge", "-p", "6006:6006"],
      ["--net=none"],
      ["-p6006:6006"],
      ["--publish=6006:6006"],
      ["--pod", "mine"],
    ]
  ) {
    assert.deepEqual(isHost(linesOf(options)), [], options.join(" "));
  }
});
