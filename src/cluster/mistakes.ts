import { normalize } from "node:path";
import { diagnostic, suggest } from "../document/shape/check.ts";
import type { Diagnostic } from "../document/diagnostic.ts";
import type { Source } from "../document/source.ts";
import { DEFAULT_ROOT, LOCAL_NODE } from "./defaults.ts";
import type { RawCluster, RawEnvironment, RawNode } from "./schema.ts";

/** Mistakes that a schema cannot see: between one key and another. */
export function findMistakes(config: RawCluster, source: Source): Diagnostic[] {
  return [
    ...namedTwice(config, source),
    ...config.nodes.flatMap((node, index) =>
      typeof node === "string" ? [] : nodeMistakes(node, { index, source })
    ),
    ...sharedRoots(config, source),
    ...rootMistake(config, source),
    ...rayMistakes(config, source),
    ...expressionsIn(config, source),
  ];
}

/** Nothing replaces them here: a node's lines are the same for every pipeline. */
function expressionsIn(config: RawCluster, source: Source): Diagnostic[] {
  const places: [path: (string | number)[], said: RawEnvironment | null | undefined][] = [
    [["defaults"], config.defaults],
    [["local"], config.local],
    ...config.nodes.map((node, index): [(string | number)[], RawEnvironment | undefined] => [
      ["nodes", index],
      typeof node === "string" ? undefined : node,
    ]),
  ];
  return places.flatMap(([path, said]) =>
    (["before", "env", "vars"] as const).flatMap((key) => {
      const value = said?.[key];
      const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
      const texts: [(string | number)[], unknown][] = typeof value === "string"
        ? [[[], value]]
        : entries.map(([name, text]) => [[Array.isArray(value) ? Number(name) : name], text]);
      return texts.filter(([, text]) => String(text).includes("${{")).map(([at]) =>
        diagnostic({
          rule: "plain-place",
          spot: source.pathSpot([...path, key, ...at], "value"),
          message: "${{ }} is not replaced in a cluster config",
          hint: key === "before"
            ? "a command's own variables are there: $NAME"
            : "write the value itself",
        })
      );
    })
  );
}

function namedTwice(config: RawCluster, source: Source): Diagnostic[] {
  const seen = new Set<string>();
  return config.nodes.flatMap((node, index) => {
    const name = nameOf(node);
    const path = typeof node === "string" ? ["nodes", index] : ["nodes", index, "name"];
    const spot = source.pathSpot(path, "value");
    if (name === LOCAL_NODE) {
      const hint = "every pipeline can use it without configuring it; choose another name";
      const message = `node name "local" is taken: it means this machine and the project folder`;
      return [diagnostic({ rule: "reserved-name", spot, message, hint })];
    }
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [diagnostic({ rule: "duplicate-node", spot, message: `node "${name}" is named twice` })];
  });
}

interface NodeContext {
  readonly index: number;
  readonly source: Source;
}

function nodeMistakes(node: RawNode, { index, source }: NodeContext): Diagnostic[] {
  const found: Diagnostic[] = [];
  const spot = (key: string) => source.pathSpot(["nodes", index, key], "value");
  if (node.transport === "local") {
    for (const key of ["host", "port", "user", "key_file", "known_hosts", "proxy_jump"] as const) {
      if (node[key] === undefined || node[key] === null) continue;
      const message = `"${key}" has no meaning for a node with transport: local`;
      const hint = "remove it, or use transport: ssh";
      found.push(diagnostic({ rule: "useless-key", spot: spot(key), message, hint }));
    }
  }
  if (node.remote_root && VARIABLE.test(node.remote_root)) {
    found.push(variableInRoot(node.remote_root, spot("remote_root")));
  } else if (node.transport !== "local" && node.remote_root && !isRemotePath(node.remote_root)) {
    found.push(relativeRoot(node.remote_root, spot("remote_root")));
  }
  return found;
}

/** Two local nodes in one folder would overwrite each other's jobs and files. */
function sharedRoots(config: RawCluster, source: Source): Diagnostic[] {
  const owners = new Map<string, string>();
  return config.nodes.flatMap((node, index) => {
    if (typeof node === "string" || node.transport !== "local") return [];
    const root = normalize(rootOf(node, config));
    const twin = owners.get(root);
    if (twin === undefined) {
      owners.set(root, node.name);
      return [];
    }
    return [diagnostic({
      rule: "shared-root",
      spot: source.pathSpot(["nodes", index, "name"], "value"),
      message: `local nodes "${twin}" and "${node.name}" share one folder`,
      hint: "give each a remote_root of its own",
    })];
  });
}

function rootOf(node: RawNode, config: RawCluster): string {
  return node.remote_root ?? config.remote_root ?? DEFAULT_ROOT;
}

/** A folder on another machine has no meaning relative to this one. */
function rootMistake(config: RawCluster, source: Source): Diagnostic[] {
  const root = config.remote_root;
  if (root && VARIABLE.test(root)) {
    return [variableInRoot(root, source.pathSpot(["remote_root"], "value"))];
  }
  const isUsedRemotely = config.nodes.some((node) =>
    typeof node === "string" || (node.transport !== "local" && !node.remote_root)
  );
  if (!root || isRemotePath(root) || !isUsedRemotely) return [];
  return [relativeRoot(root, source.pathSpot(["remote_root"], "value"))];
}

/** Nothing expands it, on purpose: one folder of this name on every node. */
const VARIABLE = /\$(?:[A-Za-z_]\w*|\{)/;

function variableInRoot(root: string, spot: ReturnType<Source["pathSpot"]>): Diagnostic {
  const rest = /^\$(?:HOME|\{HOME\})(?:\/(.*))?$/.exec(root);
  return diagnostic({
    rule: "root-variable",
    spot,
    message:
      `remote_root "${root}" would be a folder of that very name: variables are not replaced`,
    hint: rest
      ? `write ~/${rest[1] ?? ""} for the home folder there`
      : "write the path itself, or ~/… for the home folder there",
  });
}

function relativeRoot(root: string, spot: ReturnType<Source["pathSpot"]>): Diagnostic {
  return diagnostic({
    rule: "relative-root",
    spot,
    message: `remote_root "${root}" is relative`,
    hint: `write ~/${root.replace(/^\.\//, "")} for the home folder there, or an absolute path`,
  });
}

function rayMistakes(config: RawCluster, source: Source): Diagnostic[] {
  const { ray } = config;
  const names = config.nodes.map(nameOf);
  const found: Diagnostic[] = [];
  if (ray?.head && !names.includes(ray.head)) {
    const spot = source.pathSpot(["ray", "head"], "value");
    const message = `ray.head names no node: "${ray.head}"`;
    found.push(
      diagnostic({ rule: "unknown-node", spot, message, hint: suggest(ray.head, names, "nodes") }),
    );
  }
  if (ray?.mode === "existing" && !ray.address) {
    const spot = source.pathSpot(["ray", "mode"], "value");
    const message = "ray.mode existing needs ray.address";
    const hint = "add the dashboard's address, for example address: http://10.0.0.1:8265";
    found.push(diagnostic({ rule: "missing-key", spot, message, hint }));
  }
  return found;
}

function isRemotePath(root: string): boolean {
  return root.startsWith("/") || root === "~" || root.startsWith("~/");
}

function nameOf(node: RawCluster["nodes"][number]): string {
  return typeof node === "string" ? node : node.name;
}
