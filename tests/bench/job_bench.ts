/**
 * Supervised jobs: a no-op on this machine and over SSH beside OpenSSH's multiplexed `ssh`, and a
 * gigabyte of output. Promises: ≤ 3 ms local (eight at once), ≤ 1.0 × ControlMaster, ≤ 250 MB.
 */
import { createMasker } from "../../src/core/secret.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { startJob } from "../../src/transport/job/job_start.ts";
import { type ContractNode, jobSpec } from "../support/job_contract.ts";
import { openLocalNode, openSshNode } from "../support/job_nodes.ts";

const signal = new AbortController().signal;

export interface JobFigures {
  readonly localSequentialMs: number;
  readonly localEightAtOnceMs: number;
  readonly plainSpawnMs: number;
  readonly sshMs: number;
  readonly sshExecMs: number;
  readonly controlMasterMs: number;
  readonly gigabyteSeconds: number;
  readonly gigabytePeakRssMegabytes: number;
}

export async function measureJobs(): Promise<JobFigures> {
  await using local = await openLocalNode();
  await using remote = await openSshNode();
  await noop(local);
  await noop(remote);
  const localSequentialMs = await median(100, () => noop(local));
  const localEightAtOnceMs = await eightAtOnce(400, () => noop(local));
  const plainSpawnMs = await median(100, async () => {
    await new Deno.Command("/bin/sh", { args: ["-c", ":"] }).output();
  });
  const sshMs = await median(100, () => noop(remote));
  const sshExecMs = await median(100, async () => void await remote.transport.exec(":"));
  const controlMasterMs = await measureControlMaster(remote.transport);
  return {
    localSequentialMs,
    localEightAtOnceMs,
    plainSpawnMs,
    sshMs,
    sshExecMs,
    controlMasterMs,
    ...await measureGigabyte(local),
  };
}

async function noop(node: ContractNode): Promise<void> {
  const job = await startJob(node.transport, jobSpec(node, { command: ":", shell: "sh" }));
  const exit = await job.follow({ signal, onOutput: () => {} });
  if (exit.kind !== "code" || exit.code !== 0) throw new Error(JSON.stringify(exit));
}

async function measureControlMaster({ endpoint }: Transport): Promise<number> {
  const folder = Deno.makeTempDirSync();
  const args = [
    ...["-p", `${endpoint.port}`, "-i", endpoint.keyFile ?? "", "-l", endpoint.user ?? ""],
    ...["-o", `UserKnownHostsFile=${endpoint.knownHosts}`, "-o", "BatchMode=yes"],
    ...["-o", "ControlMaster=auto", "-o", `ControlPath=${folder}/s`, "-o", "ControlPersist=60"],
    endpoint.host ?? "",
  ];
  const ssh = async (...more: string[]) => {
    const child = new Deno.Command("ssh", {
      args: [...more, ...args, ...(more.length > 0 ? [] : [":"])],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    });
    await child.spawn().status;
  };
  await ssh();
  const result = await median(50, () => ssh());
  await ssh("-O", "exit");
  Deno.removeSync(folder, { recursive: true });
  return result;
}

/** A gigabyte through a job, masked, into a file. */
async function measureGigabyte(node: ContractNode) {
  const path = Deno.makeTempFileSync();
  const mask = createMasker(["correct-horse-battery"]).stream();
  let peak = 0;
  let bytes = 0;
  const start = performance.now();
  {
    using file = Deno.openSync(path, { write: true });
    const command =
      "yes 'epoch 3/100 step 77 loss=0.0133 lr=3e-4 tokens/s=18231' | head -c 1000000000";
    const job = await startJob(node.transport, jobSpec(node, { command, shell: "sh" }));
    await job.follow({
      signal,
      onOutput: async (_stream, chunk) => {
        bytes += chunk.length;
        const masked = mask.push(chunk);
        for (let sent = 0; sent < masked.length;) sent += await file.write(masked.subarray(sent));
        peak = Math.max(peak, Deno.memoryUsage().rss);
      },
    });
    await job.remove();
  }
  Deno.removeSync(path);
  if (bytes !== 1e9) throw new Error(`${bytes} bytes arrived`);
  return {
    gigabyteSeconds: (performance.now() - start) / 1000,
    gigabytePeakRssMegabytes: peak / 1e6,
  };
}

async function median(count: number, work: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < count; round++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(count / 2)] ?? Number.NaN;
}

async function eightAtOnce(count: number, work: () => Promise<void>): Promise<number> {
  let left = count;
  const start = performance.now();
  await Promise.all(Array.from({ length: 8 }, async () => {
    while (left-- > 0) await work();
  }));
  return (performance.now() - start) / count;
}

if (import.meta.main) console.log(await measureJobs());
