/** Hands the metrics to a Pushgateway. https://github.com/prometheus/pushgateway#api */
import { GridError } from "../core/errors.ts";
import { METRICS_CONTENT_TYPE } from "../metrics/metrics.ts";

export interface PushOptions {
  /** As the user wrote it: where the gateway is, or a whole grouping key below `/metrics/job/`. */
  readonly url: string;
  readonly text: string;
  /** Name of this machine. */
  readonly host: string;
  /** Each tells groups apart, as `project` does for two projects of one machine. */
  readonly labels: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

const PATIENCE_MS = 10_000;
const LONGEST_ANSWER = 300;

/** @throws {GridError} `usage` for no URL, or where it refuses the metrics; `tcp` where nobody answers */
export async function pushMetrics(options: PushOptions): Promise<void> {
  const target = targetOf(options);
  const { username, password } = target;
  target.username = target.password = "";
  const shown = target.href;
  const action = `push the metrics to ${shown}`;
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const response = await fetch(target, {
    // All of the group: what is not told any more is gone.
    method: "PUT",
    body: options.text,
    headers: {
      "content-type": METRICS_CONTENT_TYPE,
      ...(credentials !== ":" && { authorization: `Basic ${base64(credentials)}` }),
    },
    // The login of one server is none of another's business.
    redirect: "manual",
    signal: AbortSignal.any([options.signal, AbortSignal.timeout(PATIENCE_MS)]),
  }).catch((cause: unknown) => {
    options.signal.throwIfAborted();
    throw new GridError({
      code: "tcp",
      message: `Cannot ${action}: nobody answers there`,
      hint: "is it a Pushgateway, and reached from here? see: curl -sS <url>/-/ready",
      cause,
    });
  });
  const answer = await beginningOf(response).catch(() => {
    options.signal.throwIfAborted();
    return "";
  });
  if (response.ok) return;
  throw new GridError({
    code: "usage",
    message: `Cannot ${action}: it answers ${response.status}${answer && `, ${answer}`}`,
    ...(response.status === 404 && { hint: "write its address alone, as http://host:9091" }),
    ...(response.headers.has("location") && { hint: "it has moved: write its new address" }),
  });
}

/** What is not a Pushgateway may answer without end. */
async function beginningOf({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    if (text.length >= LONGEST_ANSWER) break;
  }
  return text.trim().slice(0, LONGEST_ANSWER);
}

function targetOf({ url, host, labels }: PushOptions): URL {
  let target: URL;
  try {
    target = new URL(url);
  } catch (cause) {
    throw notUrl(url, cause);
  }
  if (!/^https?:$/.test(target.protocol)) throw notUrl(url);
  if (/\/metrics\/job\//.test(target.pathname)) return target;
  const groups = Object.entries({ job: "grid", instance: host, ...labels });
  const below = groups.map(([name, value]) => groupOf(name, value)).join("/");
  target.pathname = `${target.pathname.replace(/\/$/, "")}/metrics/${below}`;
  return target;
}

/** Values with a slash, and empty ones, go in base64. */
function groupOf(name: string, value: string): string {
  if (value !== "" && !value.includes("/")) return `${name}/${encodeURIComponent(value)}`;
  const word = base64(value).replaceAll("+", "-").replaceAll("/", "_");
  return `${name}@base64/${word === "" ? "=" : word}`;
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

function notUrl(url: string, cause?: unknown): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot push the metrics: "${url}" is no address of a Pushgateway`,
    hint: "write, for example, --push http://pushgateway:9091",
    cause,
  });
}
