/** Work that goes on although all processes of a command are gone is not told as ended. */
import assert from "node:assert/strict";
import {
  handedOver,
  handedOverIn,
  handedOverWords,
} from "../../../../src/transport/job/handed_over.ts";

Deno.test("handed over: programs that have a daemon do their work, found among processes", () => {
  assert.deepEqual(handedOver(["bash", "docker", "sleep", "podman", "docker"]), [
    "docker",
    "podman",
  ]);
  assert.deepEqual(handedOver(["python3", "constructor", "apptainer"]), []);
});

Deno.test("handed over: calls in a script, which may be over at once", () => {
  for (
    const [script, found] of [
      ["docker run -d image", ["docker"]],
      ["set -e\ncd x && sudo podman --log-level debug run image", ["podman"]],
      ['id=$(/usr/bin/docker create image); docker start "$id"', ["docker"]],
      ["if true; then docker compose up -d; fi", ["docker"]],
      ["apptainer instance start image.sif one", ["apptainer"]],
      ["apptainer exec image.sif ./train", []],
      ["systemd-run --user --unit=a ./train", ["systemd-run"]],
      ["sbatch job.sh", ["sbatch"]],
      ["docker ps; docker images", []],
      ["# docker run image", []],
      ["echo done", []],
    ] as const
  ) assert.deepEqual(handedOverIn(script), found, script);
});

Deno.test("handed over: the words name what may run on", () => {
  assert.equal(handedOverWords([]), "");
  assert.equal(handedOverWords(["docker", "docker"]), "a container may still run: docker");
  assert.equal(
    handedOverWords(["podman", "systemd-run", "docker"]),
    "a container may still run: docker, podman; a unit may still run: systemd-run",
  );
});
