/** Everything a step kind needs to run on this machine for real. */
import { newRunId } from "../../src/core/ids.ts";
import type { Cluster, Placement } from "../../src/cluster/cluster.ts";
import type { NodeHealth, OpenNode } from "../../src/cluster/node.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { Usage } from "../../src/core/usage.ts";
import type { StepHost, StepNote, StepRequest } from "../../src/engine/ports.ts";
import type { Action, RunAction } from "../../src/pipeline/pipeline.ts";
import { createLocalTransport } from "../../src/transport/local.ts";
import { localEndpoint } from "./local_node.ts";
import { tempDir } from "./temp_dir.ts";

export interface StepRig extends AsyncDisposable {
  readonly root: string;
  readonly node: OpenNode;
  readonly cluster: Pick<Cluster, "open" | "select" | "claim">;
  /** What `select` was asked for. */
  readonly selections: Parameters<Cluster["select"]>[];
}

/** One node `here`, in a folder that goes with the rig. */
export function openStepRig(): StepRig {
  const folder = tempDir();
  const transport = createLocalTransport(localEndpoint());
  const selections: Parameters<Cluster["select"]>[] = [];
  const node: OpenNode = {
    node: {
      name: "here",
      endpoint: transport.endpoint,
      labels: [],
      gpus: undefined,
      remoteRoot: folder.path,
    },
    transport,
    root: folder.path,
    home: folder.path,
  };
  const health = { node: "here", score: 12.5 } as NodeHealth;
  const placement: Placement = {
    node: "here",
    health,
    passedOver: [{ node: "there", reason: "is down" }],
  };
  return {
    root: folder.path,
    node,
    selections,
    cluster: {
      open: () => Promise.resolve(node),
      select: (...args) => {
        selections.push(args);
        return Promise.resolve(placement);
      },
      claim: () => Promise.resolve({ prelude: "" }),
    },
    [Symbol.asyncDispose]: async () => {
      await transport[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

/** Of this process: at its end a run ends all of its own on the node, and tests run beside each other. */
export const RUN = newRunId(Date.now());

export function stepRequest<A extends Action<string> = RunAction<string>>(
  request: Partial<StepRequest<A>> & { readonly action: A },
): StepRequest<A> {
  return {
    run: RUN,
    pipeline: "test",
    step: "work",
    attempt: 1,
    node: { kind: "named", name: "here" },
    avoidNodes: [],
    env: {},
    secrets: {},
    outputs: [],
    workingDirectory: undefined,
    shell: "bash",
    detach: false,
    killGraceMs: 1000,
    folders: {},
    resumeJob: undefined,
    ...request,
  };
}

export interface RecordedHost extends StepHost {
  readonly notes: StepNote[];
  readonly uses: Usage[];
  readonly images: string[];
  readonly printed: { stdout: string; stderr: string };
}

export function recordHost(signal: AbortSignal = new AbortController().signal): RecordedHost {
  const notes: StepNote[] = [];
  const uses: Usage[] = [];
  const images: string[] = [];
  const printed = { stdout: "", stderr: "" };
  return {
    signal,
    clock: systemClock,
    notes,
    uses,
    images,
    printed,
    note: (note) => void notes.push(note),
    used: (usage) => void uses.push(usage),
    ranIn: (image) => void images.push(image),
    output: (stream, bytes) => {
      printed[stream] += new TextDecoder().decode(bytes);
    },
  };
}
