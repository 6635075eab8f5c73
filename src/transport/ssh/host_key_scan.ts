/** Asks a server for its host keys and hangs up before a word about any user. */
import type { Duplex } from "node:stream";
import type { ServerHostKeyAlgorithm } from "./ssh2_library.ts";
import { withDeadline } from "../../core/deadline.ts";
import { GridError } from "../../core/errors.ts";
import type { Address } from "./address.ts";
import { AES, HOST_KEYS, KEX, MACS } from "./algorithms.ts";
import { connectTcp } from "./dial.ts";
import { keyType } from "./known_hosts.ts";
import ssh2 from "./ssh2_library.ts";

export interface ScanOptions {
  /** For each key. */
  readonly timeoutMs: number;
  readonly through?: (() => Promise<Duplex>) | undefined;
  readonly signal: AbortSignal;
}

/**
 * One handshake per kind of key, as `ssh-keyscan` does.
 *
 * @throws {GridError} `dns`, `tcp` or `kex` where not one key could be had
 */
export async function fetchHostKeys(
  address: Address,
  options: ScanOptions,
): Promise<Uint8Array[]> {
  const keys = new Map<string, Uint8Array>();
  for (const algorithm of HOST_KEYS) {
    // Two names for one kind of key.
    if (algorithm === "rsa-sha2-256" && keys.has("ssh-rsa")) continue;
    const key = await fetchKey(address, { ...options, algorithm });
    if (key) keys.set(keyType(key), key);
  }
  if (keys.size === 0) throw noKey(address, "it offered no host key that Grid can check");
  return [...keys.values()];
}

/** Undefined where the server has no such key. */
async function fetchKey(
  address: Address,
  options: ScanOptions & { readonly algorithm: ServerHostKeyAlgorithm },
): Promise<Uint8Array | undefined> {
  return await withDeadline(async (signal) => {
    const sock = await (options.through?.() ?? connectTcp(address, signal));
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | undefined>();
    const client = new ssh2.Client();
    let seen: Uint8Array | undefined;
    client
      .on("error", (error) => {
        if (seen) resolve(seen);
        else if (/no matching host key/.test(error.message)) resolve(undefined);
        else reject(noKey(address, error.message));
      })
      .on("close", () => reject(noKey(address, "it closed the connection")));
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      client.connect({
        sock,
        // Never sent: the key is refused first.
        username: address.user,
        readyTimeout: 0,
        algorithms: {
          kex: KEX,
          serverHostKey: [options.algorithm],
          cipher: AES,
          hmac: MACS,
          compress: ["none"],
        },
        hostVerifier: (key: Uint8Array) => {
          seen = new Uint8Array(key);
          return false;
        },
      });
      return await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
      sock.destroy();
    }
  }, {
    ms: options.timeoutMs,
    error: () => noKey(address, `no answer within ${options.timeoutMs} ms`),
    signal: options.signal,
  });
}

function noKey(address: Address, state: string): GridError {
  const { node, host, port } = address;
  return new GridError({
    code: "kex",
    message: `Cannot fetch the host keys of "${node}" (${host} port ${port}): ${state}`,
    hint: `ssh-keyscan -p ${port} ${host}`,
    node,
  });
}
