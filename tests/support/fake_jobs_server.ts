/**
 * A stand-in for the Jobs API of a Ray dashboard, for what the real one does only now and then.
 * Answers as Ray 2.58.0 was seen to: errors as plain text, 500 for a duplicate, a log stream that
 * closes early. A job "runs" the driver's part itself: it is told which lines its log gets.
 */

export interface FakeJob {
  status: "PENDING" | "RUNNING" | "SUCCEEDED" | "FAILED" | "STOPPED";
  log: string;
  message?: string;
  readonly entrypoint: string;
  readonly runtimeEnv: {
    readonly working_dir?: string;
    readonly env_vars?: Record<string, string>;
  };
}

export interface FakeJobsOptions {
  readonly token?: string;
  readonly version?: string;
  /** Differs after every start of the head. */
  readonly session?: () => string;
  /** Awaited before each look at a job is answered. */
  readonly onAnswer?: () => Promise<void>;
  /** Called after every submission; may change the job at once or later. */
  readonly onSubmit?: (job: FakeJob, id: string) => void;
  /** Called before each look at a job; how time passes. */
  readonly onLook?: (job: FakeJob, looks: number) => void;
  /** Answers a submission with an error although it came through. */
  readonly loseSubmitAnswer?: boolean;
  /** Refuses submissions with this text and status 500. */
  readonly refuseSubmit?: string;
  /** Content of files among the logs, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** As Ray 2.52 with a token: its agents do not believe its own dashboard. */
  readonly refusesFiles?: boolean;
}

export interface FakeJobs extends AsyncDisposable {
  readonly address: string;
  readonly jobs: Map<string, FakeJob>;
  readonly packages: Map<string, Uint8Array>;
  readonly requests: string[];
}

export function startFakeJobs(options: FakeJobsOptions = {}): FakeJobs {
  const jobs = new Map<string, FakeJob>();
  const packages = new Map<string, Uint8Array>();
  const requests: string[] = [];
  const looks = new Map<string, number>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
  const address = `http://127.0.0.1:${server.addr.port}`;

  async function answer(request: Request): Promise<Response> {
    const path = new URL(request.url).pathname;
    requests.push(`${request.method} ${path}`);
    if (looksLikeBrowser(request)) return new Response("405: Method Not Allowed", { status: 405 });
    const refusal = refuse(request);
    if (refusal) return refusal;
    if (path === "/api/version") {
      const session_name = options.session?.() ?? "session_1";
      return Response.json({
        version: "4",
        ray_version: options.version ?? "2.58.0",
        session_name,
      });
    }
    if (path === "/api/v0/logs/file" && options.refusesFiles) {
      const words =
        "<AioRpcError of RPC that terminated with:\n\tstatus = StatusCode.UNAUTHENTICATED";
      return new Response(words, { status: 500 });
    }
    if (path === "/api/v0/logs/file") {
      const content = options.files?.[new URL(request.url).searchParams.get("filename") ?? ""];
      return content === undefined
        ? new Response("no such file", { status: 500 })
        : new Response(content);
    }
    const packageName = /^\/api\/packages\/gcs\/(.+)$/.exec(path)?.[1];
    if (packageName !== undefined) {
      packages.set(packageName, await request.bytes());
      return new Response();
    }
    if (path === "/api/jobs/" && request.method === "POST") return await submit(request);
    const [, id = "", rest = ""] = /^\/api\/jobs\/([^/]+)(\/.*)?$/.exec(path) ?? [];
    await options.onAnswer?.();
    const job = jobs.get(id);
    if (job === undefined) return new Response(`Job ${id} does not exist`, { status: 404 });
    return answerForJob(request, { id, rest, job });
  }

  function answerForJob(
    request: Request,
    { id, rest, job }: { readonly id: string; readonly rest: string; readonly job: FakeJob },
  ): Response {
    if (rest === "/logs/tail") return tailLog(request, job);
    if (rest === "/logs") return Response.json({ logs: job.log });
    if (rest === "/stop") {
      // While a job is pending the answer is the same, and nothing happens.
      if (job.status === "RUNNING") job.status = "STOPPED";
      return Response.json({ stopped: true });
    }
    if (request.method === "DELETE") {
      if (job.status === "RUNNING") {
        return new Response("RuntimeError: still running", { status: 500 });
      }
      jobs.delete(id);
      return Response.json({ deleted: true });
    }
    const count = (looks.get(id) ?? 0) + 1;
    looks.set(id, count);
    options.onLook?.(job, count);
    return Response.json({ submission_id: id, status: job.status, message: job.message ?? "" });
  }

  async function submit(request: Request): Promise<Response> {
    const body = await request.json();
    if (options.refuseSubmit) return new Response(options.refuseSubmit, { status: 500 });
    const id: string = body.submission_id;
    if (jobs.has(id)) {
      const words =
        `Traceback (most recent call last):\n  …\nValueError: Job with submission_id ${id} ` +
        "already exists. Please use a different submission_id.";
      return new Response(words, { status: 500 });
    }
    const job: FakeJob = {
      status: "PENDING",
      log: "",
      entrypoint: body.entrypoint,
      runtimeEnv: body.runtime_env,
    };
    jobs.set(id, job);
    options.onSubmit?.(job, id);
    if (options.loseSubmitAnswer) return new Response("502: Bad Gateway", { status: 502 });
    return Response.json({ job_id: id, submission_id: id });
  }

  function refuse(request: Request): Response | undefined {
    if (options.token === undefined) return undefined;
    const header = request.headers.get("authorization");
    if (header === null) return new Response("Unauthorized: Missing token", { status: 401 });
    if (header === `Bearer ${options.token}`) return undefined;
    return new Response("Forbidden: Invalid token", { status: 403 });
  }

  return {
    address,
    jobs,
    packages,
    requests,
    [Symbol.asyncDispose]: async () => {
      await server.shutdown();
    },
  };
}

/** Ray's check: such requests may only read. */
function looksLikeBrowser(request: Request): boolean {
  if (["GET", "HEAD", "OPTIONS"].includes(request.method)) return false;
  const telling = ["origin", "referer", "sec-fetch-mode", "sec-fetch-dest", "sec-fetch-site"];
  const agent = request.headers.get("user-agent") ?? "";
  return agent.startsWith("Mozilla") || telling.some((name) => request.headers.has(name));
}

/** Sends what is there in small pieces, then closes as a healthy one does. */
function tailLog(request: Request, job: FakeJob): Response {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onopen = () => {
    for (const piece of job.log.match(/.{1,20}/gs) ?? []) socket.send(piece);
    socket.close(1000);
  };
  return response;
}
