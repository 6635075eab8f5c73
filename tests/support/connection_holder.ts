/** A runner that holds a connection and a channel until it is ended; its endpoint comes as JSON. */
import { createPool } from "../../src/transport/pool.ts";

if (import.meta.main) {
  // Before anything is said, for the signal may be the answer to it.
  const ended = new Promise<void>((resolve) => Deno.addSignalListener("SIGTERM", resolve));
  await using pool = createPool({ handshakes: 1 });
  await using channel = await pool.transport(JSON.parse(Deno.args[0] ?? "")).open(
    "echo held; exec sleep 1000",
  );
  for await (const chunk of channel.stdout) {
    await Deno.stdout.write(chunk);
    break;
  }
  await ended;
}
