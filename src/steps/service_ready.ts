/** When a service is ready. */
import type { OpenNode } from "../cluster/node.ts";
import { GridError } from "../core/errors.ts";
import { compilePattern, loadPatterns } from "../core/pattern.ts";
import { quote } from "../core/shell.ts";
import type { ServiceReady } from "../pipeline/service_wish.ts";
import type { JobSpec } from "../transport/job/job.ts";
import { whoListens } from "../transport/job/job_service.ts";

export interface ReadyOptions {
  readonly ready: ServiceReady;
  readonly port: number | undefined;
  readonly node: OpenNode;
  readonly spec: JobSpec;
  /** What it has printed lately. */
  readonly printed: () => string;
  readonly signal: AbortSignal;
}

/** Where the service was found. */
export interface Reached {
  /** As others reach it: `10.0.0.7:6006`; undefined for one without a port. */
  readonly address: string | undefined;
}

/** One answer to one HTTP request. */
const ANSWER_MS = 5000;
/** For a command that is asked whether the service is ready. */
const COMMAND_MS = 30_000;
const LOOPBACK = "127.0.0.1";

/**
 * Looks once.
 *
 * @returns where it is, or in a clause what is still missing
 * @throws {GridError} a transport code
 */
export async function lookReady(options: ReadyOptions): Promise<Reached | string> {
  const { ready, port } = options;
  switch (ready.kind) {
    case "port":
      return await reach(options);
    case "http": {
      const reached = await reach(options);
      if (typeof reached === "string") return reached;
      const answer = await askHttp(options, ready.path);
      return answer ?? reached;
    }
    case "command": {
      const answer = await askCommand(options, ready.run);
      return answer ?? (port === undefined ? { address: undefined } : await reach(options));
    }
    case "output": {
      await loadPatterns();
      const pattern = compilePattern(ready.pattern, { multiline: true });
      if (!pattern.test(options.printed())) return `it has not printed ${ready.pattern}`;
      return port === undefined ? { address: undefined } : await reach(options);
    }
  }
}

async function reach({ node, port = 0, signal }: ReadyOptions): Promise<Reached | string> {
  const { transport } = node;
  const nobody = `nothing listens on port ${port}`;
  const listening = await whoListens(transport, port);
  switch (listening.kind) {
    case "none":
      return nobody;
    case "any": {
      const isHere = transport.endpoint.transport === "local";
      const host = isHere ? LOOPBACK : listening.address ?? LOOPBACK;
      return { address: `${host}:${port}` };
    }
    case "unknown":
      // No /proc: whoever answers is there.
      try {
        await using _dialed = await transport.dial({ host: LOOPBACK, port }, { signal });
      } catch (error) {
        if (error instanceof GridError && error.code === "tcp") return nobody;
        throw error;
      }
      return { address: `${LOOPBACK}:${port}` };
    case "loopback":
      return { address: `${LOOPBACK}:${port}` };
  }
}

/** Undefined where the path is answered as it should be. */
async function askHttp(
  { node, port = 0, signal }: ReadyOptions,
  path: string,
): Promise<string | undefined> {
  const soon = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
  try {
    const line = await statusLine(node, { port, path, signal: soon });
    const status = /^HTTP\/\d\.\d (\d{3})/.exec(line)?.[1];
    if (status === undefined) return `what listens on port ${port} does not speak HTTP`;
    return /^[23]/.test(status) ? undefined : `${path} answers with HTTP ${status}`;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof GridError && error.code === "channel") throw error;
    return `${path} is not answered`;
  }
}

interface HttpQuestion {
  readonly port: number;
  readonly path: string;
  readonly signal: AbortSignal;
}

/** Over the connection that Grid has; nothing on the node is needed for it. */
async function statusLine(
  { transport }: OpenNode,
  { port, path, signal }: HttpQuestion,
): Promise<string> {
  await using dialed = await transport.dial({ host: LOOPBACK, port }, { signal });
  const stop = () => void dialed[Symbol.asyncDispose]();
  signal.addEventListener("abort", stop, { once: true });
  try {
    const writer = dialed.writable.getWriter();
    const question = `GET ${path} HTTP/1.1\r\nHost: ${LOOPBACK}:${port}\r\n` +
      "User-Agent: grid\r\nAccept: */*\r\nConnection: close\r\n\r\n";
    await writer.write(new TextEncoder().encode(question));
    let said = "";
    const decoder = new TextDecoder();
    const reader = dialed.readable.getReader();
    while (!said.includes("\r\n") && said.length < 1000) {
      const { value } = await reader.read();
      if (value === undefined) break;
      said += decoder.decode(value, { stream: true });
    }
    return said;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** In the step's folder, with its variables; undefined where it succeeds. */
async function askCommand(
  { node, spec }: ReadyOptions,
  command: string,
): Promise<string | undefined> {
  // Said to the shell, so that nothing of it stands on a command line.
  const variables = Object.entries({ ...spec.env, ...spec.secrets })
    .map(([name, value]) => `export ${name}=${quote(value)}`);
  const path = `export PATH=${quote(spec.pathPrefix.join(":"))}:"$PATH"`;
  const script = [`cd -- ${quote(spec.cwd)} || exit`, ...variables, path, command].join("\n");
  try {
    const { code, stderr } = await node.transport.exec(`( ${script}\n)`, {
      timeoutMs: COMMAND_MS,
      maxBytes: 64 * 1024,
      mayBeCut: true,
    });
    if (code === 0) return undefined;
    const [last] = stderr.trimEnd().split("\n").slice(-1);
    return `${command} ends with ${code}${last ? `: ${last.slice(0, 200)}` : ""}`;
  } catch (error) {
    if (error instanceof GridError && error.code === "timed-out") {
      return `${command} took longer than 30 s`;
    }
    throw error;
  }
}
