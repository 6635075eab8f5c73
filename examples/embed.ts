/**
 * Grid inside a program of your own: `deno run -A examples/embed.ts`. In your repository the import
 * is a path to this clone, or "@grid/grid" where the package is installed.
 */
import { openGrid } from "../mod.ts";

const project = await Deno.makeTempDir({ prefix: "embed-" });
await Deno.writeTextFile(`${project}/work.py`, "def square(task):\n    return task * task\n");
await Deno.writeTextFile(
  `${project}/train.yaml`,
  `
inputs:
  epochs: { type: integer, default: 1 }
steps:
  - id: train
    env: { EPOCHS: "\${{ inputs.epochs }}" }
    run: echo "loss=0.$EPOCHS" >> "$GRID_OUTPUT"
`,
);

await using grid = await openGrid({ project });

for (const { node, status, score } of await grid.health()) {
  console.log(`${node}: ${status}, score ${score?.toFixed(0)}`);
}

// One command on the best node; its output as it comes.
const command = grid.exec("echo one; echo two");
for await (const { text } of command) console.log(`> ${text.trimEnd().replaceAll("\n", "\n> ")}`);
console.log(`exit code ${(await command).code} on ${(await command).node}`);

// A pipeline: its events while it runs, then its outcome.
const run = grid.run("train.yaml", { inputs: { epochs: 3 } });
for await (const event of run) {
  if (event.type === "step.finished") console.log(`${event.step} ${event.state}`);
}
const { ok, steps } = await run;
console.log(`ok ${ok}, loss ${steps.get("train")?.outputs["loss"]}`);

// A function for every task, in batches over all nodes; results in the order of the tasks.
console.log(await grid.rayBatch({ call: "work:square", tasks: [1, 2, 3, 4] }));
