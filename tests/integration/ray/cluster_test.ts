import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readRayLogs } from "../../../src/ray/ray_logs.ts";
import { readSession } from "../../../src/ray/session.ts";
import { openTunnel } from "../../../src/transport/tunnel.ts";
import { placeHolder } from "../../../src/steps/placement.ts";
import { createRunStep } from "../../../src/steps/run.ts";
import { allProcesses } from "../../support/processes.ts";
import { RayLab, until } from "../../support/ray_lab.ts";
import { findAccount, findRayDashboardVenv, testWith } from "../../support/requires.ts";
import { portsOf, toldPorts } from "../../support/ray_ports.ts";
import { recordHost, stepRequest } from "../../support/step_rig.ts";
import { selector } from "../../unit/cluster/nodes.ts";
import { writeProgram } from "../../support/program_file.ts";

/** Rounds of a leased step beside a batch; 20 by hand. */
const ROUNDS = Number(Deno.env.get("GRID_TEST_ROUNDS") ?? 2);

const WORK = `
import os, sys, time

def gpu(task):
    time.sleep(0.2)
    return os.environ["CUDA_VISIBLE_DEVICES"]

def environment(task):
    return [sorted(name for name in os.environ if name.startswith("RAY_RUNTIME") or name == "RAY_AUTH_TOKEN"),
        os.environ.get("PYTHONPATH", "").count("stale"), sys.executable]
`;

/** What people's start-up files hold: a greeting, another Ray's token, a hook, a dead proxy, another Python. */
const START_UP = [
  "printf 'cluster=none here '",
  "set -gx RAY_AUTH_TOKEN 0123456789abcdef0123456789abcdef",
  "set -gx RAY_AUTH_MODE token",
  "set -gx RAY_ADDRESS 127.0.0.1:1",
  "set -gx RAY_RUNTIME_ENV_HOOK no.such.hook",
  "set -gx RAY_TMPDIR /no/such/folder",
  "set -gx http_proxy http://127.0.0.1:9",
  "set -gx https_proxy http://127.0.0.1:9",
  "set -gx grpc_proxy http://127.0.0.1:9",
  "set -gx CONDA_PREFIX $HOME/stale",
  "set -gx PYTHONPATH $HOME/stale",
  "set -gx PATH $HOME/stale/bin $PATH",
  "",
].join("\n");

function writeStartUp(home: string): void {
  const stale = join(home, "stale");
  for (const folder of ["ray", "bin"]) Deno.mkdirSync(join(stale, folder), { recursive: true });
  Deno.writeTextFileSync(join(stale, "ray", "__init__.py"), '__version__ = "1.0"\n');
  for (const name of ["python3", "python", "ray"]) {
    writeProgram(join(stale, "bin", name), "#!/bin/sh\nexit 9\n");
  }
  Deno.mkdirSync(join(home, ".config", "fish"), { recursive: true });
  Deno.writeTextFileSync(join(home, ".config", "fish", "config.fish"), START_UP);
}

testWith(
  ["ray", "ray-dashboard", "sshd", "account", "fish-account"],
  "two accounts with a Ray each on one machine",
  async (t) => {
    const deep = Deno.makeTempDirSync({ prefix: `grid-test-${"deep".repeat(20)}-` });
    Deno.chmodSync(deep, 0o777);
    const [fish, plain] = [findAccount("grid-fish"), findAccount("grid-test")];
    assert.ok(fish && plain);
    await using lab = await RayLab.start({
      nodes: 1,
      ray: "dashboard",
      account: fish,
      host: "127.0.0.21",
      gpus: 3,
      work: WORK,
      config: { tempDir: join(deep, "temp"), spillDir: join(deep, "spill") },
    });
    const [node] = lab.lab.nodes;
    assert.ok(node);
    writeStartUp(node.home);
    await using other = await RayLab.start({
      nodes: 1,
      account: plain,
      host: "127.0.0.22",
      work: WORK,
    });
    const step = createRunStep({ cluster: lab.grid });
    await using _step = step;
    const leased = async (command: string) => {
      const host = recordHost();
      const request = stepRequest({
        // A sweep of what is left of a job goes by its name, and labs share this machine.
        run: `run-${crypto.randomUUID()}`,
        action: { kind: "run", run: command },
        node: { kind: "selector", selector: selector({ gpus: 1, waitMs: 60_000 }) },
      });
      const outcome = await step.run(request, host);
      lab.grid.release(placeHolder(request));
      assert.equal(outcome.status, "succeeded", JSON.stringify(outcome));
    };
    const file = (name: string) => join(node.home, name);
    const held = leased(
      `echo $CUDA_VISIBLE_DEVICES >${file("held")}.part; mv ${file("held")}.part ${
        file("held")
      }; ` +
        `while [ ! -e ${file("go")} ]; do sleep 0.1; done`,
    );
    await until(() => existsSync(file("held")), "the first lease did not begin");
    const first = Deno.readTextFileSync(file("held")).trim();

    await t.step("both start, whatever start-up files hold", async () => {
      const others = await other.start();
      const own = await lab.start();
      const shown = [...own, ...others].map(({ state, reason }) => [state, reason]);
      assert.deepEqual(shown, [["alive", undefined], ["alive", undefined]]);
      assert.deepEqual(own.map(({ gpus }) => gpus), [2]);
    });

    const lent = async () =>
      (await lab.grid.health({ fresh: true }))[0]?.facts?.gpus.map(({ uuid, leases = [] }) => ({
        uuid: uuid ?? "",
        groups: leases.map(({ group }) => group),
      })) ?? [];

    await t.step("a leased step and batches never have the same GPU", async () => {
      const rays = (await lent()).filter(({ groups }) => groups.some((name) => /^ray /.test(name)))
        .map(({ uuid }) => uuid);
      assert.equal(rays.length, 2);
      assert.ok(!rays.includes(first));
      Deno.writeTextFileSync(file("go"), "");
      await held;
      for (let round = 0; round < ROUNDS; round++) {
        const seen = file(`seen-${round}`);
        const [{ results }] = await Promise.all([
          lab.run({ target: { call: "work:gpu" }, tasks: [1, 2, 3, 4], gpusPerBatch: 1 }),
          leased(`echo $CUDA_VISIBLE_DEVICES >${seen}; sleep 0.5`),
        ]);
        const given = results.map((result) => result.ok ? String(result.value) : result.error);
        for (const uuid of given) assert.ok(rays.includes(uuid), uuid);
        assert.equal(Deno.readTextFileSync(seen).trim(), first);
      }
    });

    await t.step("tasks see nothing of start-up files that is another Ray's", async () => {
      const { results } = await lab.run({ target: { call: "work:environment" }, tasks: [1] });
      const [result] = results;
      assert.ok(result?.ok, JSON.stringify(result));
      const [names, stale, python] = result.value as [string[], number, string];
      assert.deepEqual([names, stale], [[], 0]);
      const places = ["grid_env", findRayDashboardVenv() ?? "no Ray"];
      assert.ok(places.some((place) => python.includes(place)), python);
    });

    await t.step(
      "Ray's own files lie where the settings say, sockets on a short path",
      () => {
        const command =
          allProcesses().map(({ command }) => command).find((command) =>
            /\/raylet /.test(command) && command.includes("--node_ip_address=127.0.0.21")
          ) ?? "";
        const socket = /--raylet_socket_name=(\S+)/.exec(command)?.[1] ?? "";
        assert.ok(socket.length > 0 && socket.length < 100, socket);
        assert.ok(Deno.realPathSync(socket).startsWith(join(deep, "temp")));
        assert.equal([...Deno.readDirSync(join(deep, "spill"))].length, 1);
      },
    );

    await t.step("the way to the dashboard", async () => {
      const session = await readSession(lab.head, lab.signal);
      const port = Number(session?.dashboard?.split(":").at(-1));
      await using tunnel = openTunnel(lab.head, { host: "127.0.0.1", port });
      using client = Deno.createHttpClient({});
      const token = Deno.readTextFileSync(join(node.root, ".grid", "ray", "token")).trim();
      const look = async (headers: Record<string, string>) => {
        const url = `http://127.0.0.1:${tunnel.port}/api/version`;
        const response = await fetch(url, { headers, client });
        await response.body?.cancel();
        return response.status;
      };
      assert.deepEqual([await look({}), await look({ authorization: `Bearer ${token}` })], [
        401,
        200,
      ]);
    });

    await t.step("every port answers whom docs/ray.md says", async () => {
      const told = toldPorts();
      // Workers and agents come and go: whichever is there answers as told.
      const wanted = told.filter((row) => /^(GCS|raylet|object manager|dashboard) \|/.test(row));
      let seen = "";
      await until(async () => {
        const { rows, silent } = await portsOf(lab, fish);
        for (const row of rows) assert.ok(told.includes(row), row);
        seen = [...rows, ...silent.map((command) => `${command} is silent`)].join("; ");
        return wanted.every((row) => rows.includes(row));
      }, () => `not all of these answer so: ${wanted.join("; ")}; but these do: ${seen}`);
    });

    await t.step("stop() of one leaves the other alone, and nothing of its own", async () => {
      const temporary = lab.temporaryFolders();
      await lab.cluster.stop(lab);
      assert.deepEqual(await lab.stayers(), []);
      for (const folder of [...temporary]) assert.ok(!existsSync(folder));
      for (const name of ["temp", "spill"]) {
        assert.deepEqual([...Deno.readDirSync(join(deep, name))], []);
      }
      assert.deepEqual((await lent()).flatMap(({ groups }) => groups), []);
      const { failed } = await other.run({ target: { call: "work:environment" }, tasks: [1] });
      assert.equal(failed, 0);
      const { from, files } = await readRayLogs(lab.head, {
        file: "dash*.log",
        lines: 0,
        signal: lab.signal,
      });
      assert.equal(from, "kept");
      assert.ok(files.some(({ name }) => name === "dashboard.log"));
    });
    Deno.removeSync(deep, { recursive: true });
  },
);
