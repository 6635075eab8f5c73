/**
 * The Jobs REST API of a Ray dashboard.
 * https://docs.ray.io/en/latest/cluster/running-applications/job-submission/api.html
 */
import { withDeadline } from "../core/deadline.ts";
import { GridError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import { thrownWords } from "../core/refusal.ts";

export type RayJobStatus = "PENDING" | "RUNNING" | "SUCCEEDED" | "FAILED" | "STOPPED";

export interface RayJob {
  readonly status: RayJobStatus;
  /** On failure the last lines of the log. */
  readonly message: string | undefined;
  readonly errorType: string | undefined;
}

export interface RayVersion {
  readonly ray: string;
  /** Differs after every start of the head, which knows no job of before. */
  readonly session: string;
}

export interface SubmitOptions {
  /** Chosen by us, `[A-Za-z0-9_-]`: Ray neither checks it nor tells a repeated submission apart. */
  readonly id: string;
  /** Run by a shell on the head. */
  readonly entrypoint: string;
  readonly workingDir?: string;
  readonly envVars: Readonly<Record<string, string>>;
}

/** A request of ours, not the step's work; a dashboard that has just started may take its time. */
const REQUEST_TIMEOUT_MS = 30_000;
const UPLOAD_TIMEOUT_MS = 300_000;
const FILE_TIMEOUT_MS = 3_600_000;
/** The dashboard answers 413 above this. */
export const PACKAGE_LIMIT_BYTES = 104_857_600;

export interface JobsApiOptions {
  /** How messages name the cluster. */
  readonly address: string;
  /** Where requests go: the address itself, or the near end of a tunnel. */
  readonly base: string;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

export class JobsApi implements Disposable {
  readonly #options: JobsApiOptions;
  /** Connections of our own, so that closing them leaves nobody else's fetch alone. */
  readonly #client = Deno.createHttpClient({});

  constructor(options: JobsApiOptions) {
    this.#options = options;
  }

  /** As messages name the cluster. */
  get address(): string {
    return this.#options.address;
  }

  /** Of Ray, and of its session; fails with a clear word where the address is not a dashboard. */
  async version(): Promise<RayVersion> {
    const response = await this.#request("GET", "/api/version");
    const body = await this.#read(response, "ask for Ray's version");
    const { ray_version, session_name } = parseObject(body);
    if (typeof ray_version === "string") {
      return { ray: ray_version, session: typeof session_name === "string" ? session_name : "" };
    }
    throw this.#error("ask for Ray's version", "it does not answer as a Ray dashboard");
  }

  /** Undefined where there is no such job. */
  async job(id: string): Promise<RayJob | undefined> {
    const response = await this.#request("GET", `/api/jobs/${id}`);
    if (response.status === 404) {
      await response.body?.cancel();
      return undefined;
    }
    const details = parseObject(await this.#read(response, "look up the job"));
    return {
      status: details["status"] as RayJobStatus,
      message: typeof details["message"] === "string" ? details["message"] : undefined,
      errorType: typeof details["error_type"] === "string" ? details["error_type"] : undefined,
    };
  }

  async submit(options: SubmitOptions): Promise<void> {
    const body = JSON.stringify({
      submission_id: options.id,
      entrypoint: options.entrypoint,
      runtime_env: {
        ...(options.workingDir !== undefined && { working_dir: options.workingDir }),
        env_vars: options.envVars,
      },
    });
    const headers = { "content-type": "application/json" };
    // Without the last slash the answer is 404.
    const response = await this.#request("POST", "/api/jobs/", { body, headers });
    await this.#read(response, "submit the job");
  }

  /** Asks the job to stop; a job that has ended already is no error. */
  async stop(id: string): Promise<void> {
    const response = await this.#request("POST", `/api/jobs/${id}/stop`);
    if (response.status === 404) await response.body?.cancel();
    else await this.#read(response, "stop the job");
  }

  /** Takes an ended job off the cluster's list, which nothing else ever shortens. */
  async remove(id: string): Promise<void> {
    const response = await this.#request("DELETE", `/api/jobs/${id}`);
    if (response.status === 404) await response.body?.cancel();
    else await this.#read(response, "remove the job");
  }

  /** Everything the job printed so far. */
  async logs(id: string): Promise<string> {
    const response = await this.#request("GET", `/api/jobs/${id}/logs`);
    const { logs } = parseObject(await this.#read(response, "read the job's log"));
    return typeof logs === "string" ? logs : "";
  }

  /**
   * Streams a file that lies among Ray's logs on a node.
   *
   * @returns whether it could: with a token the dashboard of Ray 2.52 is refused by its own agents
   */
  async readFile(
    { file, node }: { readonly file: string; readonly node: string },
    onBytes: (bytes: Uint8Array) => void,
  ): Promise<boolean> {
    const query = new URLSearchParams({
      node_id: node,
      filename: file,
      lines: "-1",
      // Seconds for the whole file.
      timeout: String(FILE_TIMEOUT_MS / 1000),
    });
    const response = await this.#request("GET", `/api/v0/logs/file?${query}`);
    if (!response.ok || response.body === null) {
      const text = await response.text();
      if (response.status === 500 && text.includes("UNAUTHENTICATED")) return false;
      await this.#read(new Response(text, { status: response.status }), "read the results");
      return true;
    }
    try {
      for await (const chunk of response.body) onBytes(chunk);
      return true;
    } catch (cause) {
      this.#options.signal.throwIfAborted();
      if (cause instanceof GridError) throw cause;
      const words = thrownWords(cause);
      throw this.#error("read the results", words, "lost");
    }
  }

  /** Sends the log in pieces, from its start. Closes for healthy jobs too: never a sign of an end. */
  tail(id: string): WebSocket {
    const url = `${this.#options.base.replace(/^http/, "ws")}/api/jobs/${id}/logs/tail`;
    return new WebSocket(url, { headers: this.#headers });
  }

  /** Makes a package known to the cluster under the hash of its content. @returns its URI */
  async upload(content: Uint8Array<ArrayBuffer>): Promise<string> {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
    const hash = Array.from(digest.subarray(0, 20), (byte) => byte.toString(16).padStart(2, "0"));
    const name = `_ray_pkg_${hash.join("")}.zip`;
    const response = await this.#request("PUT", `/api/packages/gcs/${name}`, {
      body: content,
      timeoutMs: UPLOAD_TIMEOUT_MS,
    });
    await this.#read(response, "upload the code");
    return `gcs://${name}`;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }

  get #headers(): Record<string, string> {
    const { token } = this.#options;
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  async #request(
    method: string,
    path: string,
    options: {
      readonly body?: string | Uint8Array<ArrayBuffer>;
      readonly headers?: Readonly<Record<string, string>>;
      readonly timeoutMs?: number;
    } = {},
  ): Promise<Response> {
    const { base, signal } = this.#options;
    const send = (signal: AbortSignal) =>
      fetch(`${base}${path}`, {
        method,
        signal,
        client: this.#client,
        headers: { ...this.#headers, ...options.headers },
        ...(options.body === undefined ? {} : { body: options.body }),
      });
    try {
      return await withDeadline(send, {
        ms: options.timeoutMs ?? REQUEST_TIMEOUT_MS,
        signal,
        error: () => this.#error("reach Ray", "no answer in time", "lost"),
      });
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof GridError) throw cause;
      const words = thrownWords(cause);
      throw this.#error("reach Ray", words, "lost");
    }
  }

  /** Errors are plain text, often with a traceback whose last line says what happened. */
  async #read(response: Response, purpose: string): Promise<string> {
    const text = await response.text();
    if (response.ok) return text;
    const { status } = response;
    if (status === 401 || status === 403) {
      throw new GridError({
        code: "ray",
        message: `Cannot ${purpose}: ${this.#options.address} ` +
          (status === 401 ? "wants a token" : "refuses the token"),
        hint: "Set RAY_AUTH_TOKEN_PATH (or RAY_AUTH_TOKEN) to the cluster's token",
      });
    }
    const last = text.trim().split("\n").at(-1) ?? "";
    throw this.#error(purpose, `HTTP ${status}: ${last}`);
  }

  #error(purpose: string, state: string, code: "ray" | "lost" = "ray"): GridError {
    return new GridError({
      code,
      message: `Cannot ${purpose}: ${this.#options.address}: ${state}`,
      hint: "ray.address in the cluster configuration is the dashboard's address",
    });
  }
}

export function isEnded({ status }: RayJob): boolean {
  return status === "SUCCEEDED" || status === "FAILED" || status === "STOPPED";
}

function parseObject(text: string): { readonly [key: string]: JsonValue } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, JsonValue>;
  } catch {
    // Not JSON is no object either.
  }
  return {};
}
