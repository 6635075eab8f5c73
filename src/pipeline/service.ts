/** `service:` of a step as written. */
import type { Service, ServiceReady } from "./service_wish.ts";
import { durationMs } from "./policy.ts";
import type { HookEntry } from "./schema.ts";
import type { TextReader } from "../expression/reader.ts";

const WITHIN_MS = 5 * 60_000;

type ServiceEntry = Exclude<NonNullable<HookEntry["service"]>, number | "auto">;

export function readService(entry: HookEntry, reader: TextReader): Service {
  const written = entry.service;
  const service: ServiceEntry = typeof written === "object" ? written : { port: written };
  if (entry.cache !== undefined) {
    reader.report({
      rule: "service-cache",
      spot: reader.source.keySpot(entry, "cache"),
      message: "a service has no result to be kept: what runs is not what once ran",
      hint: "remove cache:; a resume finds a service that still runs again",
    });
  }
  const ready = readReady(service, reader);
  if (service.port === undefined && (ready.kind === "port" || ready.kind === "http")) {
    reader.report({
      rule: "service-port",
      spot: reader.source.keySpot(entry, "service"),
      message: "nobody can tell when this service is ready: it has no port",
      hint: "add port: 6006, or ready: { output: a line that it prints }",
    });
  }
  return {
    port: service.port,
    ready,
    withinMs: durationMs(service.within) ?? WITHIN_MS,
    life: readLife(service.for),
  };
}

function readLife(written: ServiceEntry["for"] = "run"): Service["life"] {
  if (written === "run" || written === "until-stopped") return written;
  return { ms: durationMs(written) ?? 0 };
}

function readReady({ ready }: ServiceEntry, reader: TextReader): ServiceReady {
  if (ready === undefined) return { kind: "port" };
  if (typeof ready === "string") return { kind: "http", path: ready };
  if ("http" in ready) return { kind: "http", path: ready.http };
  if ("run" in ready) return { kind: "command", run: ready.run };
  reader.pattern(ready, "output", {
    multiline: true,
    hint: "test it on a line of the output; backslashes are kept in single quotes",
  });
  return { kind: "output", pattern: ready.output };
}
