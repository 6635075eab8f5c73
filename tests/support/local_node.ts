import type { Endpoint } from "../../src/transport/transport.ts";

/** This machine as an endpoint, with deadlines that fit tests. */
export function localEndpoint(options: Partial<Endpoint> = {}): Endpoint {
  return {
    name: "here",
    transport: "local",
    host: undefined,
    port: undefined,
    user: undefined,
    keyFile: undefined,
    knownHosts: undefined,
    proxyJump: undefined,
    connectTimeoutMs: 5000,
    commandTimeoutMs: 10_000,
    keepaliveMs: 15_000,
    maxRetries: 0,
    ...options,
  };
}
