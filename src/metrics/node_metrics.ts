/** How the nodes are, and how well they were reached. */
import type { NodeReading, Reading } from "./reading.ts";
import { counter, gauge, type Metrics } from "./series.ts";
import type { TransportCounts } from "./tally.ts";

export function addNodes(metrics: Metrics, { tally, nodes, now }: Reading): void {
  const of = (name: string, help: string, value: (node: NodeReading) => number | undefined) =>
    gauge(metrics, {
      name,
      help,
      label: "node",
      values: new Map((nodes ?? []).flatMap((node) => {
        const number = value(node);
        return number === undefined ? [] : [[node.node, number] as const];
      })),
    });
  if (now === undefined) {
    gauge(metrics, {
      name: "grid_node_health_score",
      help: "Weighted load as measured, lower is better",
      label: "node",
      values: tally.nodeScores,
    });
  } else {
    of("grid_node_health_score", "Weighted load as measured, lower is better", (n) => n.score);
    of(
      "grid_node_up",
      "1 where the node answers, else 0",
      (n) => n.status === "unreachable" ? 0 : 1,
    );
    of("grid_node_usable", "1 where steps can run there, else 0", (n) => n.status === "ok" ? 1 : 0);
    of(
      "grid_node_drained",
      "1 where an account has drained the node, else 0",
      ({ isDrained }) => isDrained === undefined ? undefined : Number(isDrained),
    );
    of("grid_node_load_per_core", "Load of the last minute per usable core", (n) => n.loadPerCore);
    of("grid_node_look_timestamp_seconds", "When the node was last looked at", (n) => n.at / 1000);
    of("grid_leased_gpus", "GPUs that jobs of Grid hold", (n) => n.gpus?.leased);
    of("grid_free_gpus", "GPUs that a step would get now", (n) => n.gpus?.free);
  }
  addConnections(metrics, { tally, nodes });
}

function addConnections(
  metrics: Metrics,
  { tally: { connections }, nodes = [] }: Pick<Reading, "tally"> & {
    readonly nodes: readonly NodeReading[] | undefined;
  },
): void {
  const by = (count: (stats: TransportCounts) => number) =>
    new Map([
      // So that a rate has a beginning.
      ...nodes.map(({ node }) => [node, 0] as const),
      ...[...connections].map(([node, stats]) => [node, count(stats)] as const),
    ]);
  const counters = {
    grid_ssh_connections_total: ["Connections made, with their handshake", by((s) => s.handshakes)],
    grid_ssh_reconnects_total: ["Connections made again after a loss", by((s) => s.reconnects)],
    grid_ssh_sent_bytes_total: ["Bytes sent to the node", by((s) => s.bytesSent)],
    grid_ssh_received_bytes_total: ["Bytes received from the node", by((s) => s.bytesReceived)],
  } as const;
  for (const [name, [help, values]] of Object.entries(counters)) {
    counter(metrics, { name, help, label: "node", values });
  }
}
