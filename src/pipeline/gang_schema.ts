/** `nodes:` of a step, as a file has it; a part of `schema.ts`. */
import { z } from "../document/shape/zod.ts";
import { MOST_NODES } from "./gang.ts";
import { limit, oneOrMore } from "./schema_atoms.ts";
import { gangWords } from "./schema_words.ts";

const gangAlias = z.enum(["skypilot", "dstack"]);
const gangCount = z.union([
  z.int().min(1).max(MOST_NODES),
  z.string().regex(/^\s*\$\{\{[^]*\}\}\s*$/, {
    error: (issue) => gangWords(issue.input),
  }),
], { error: (issue) => gangWords(issue.input) });
export const nodes = z.union([
  gangCount,
  z.strictObject({
    count: gangCount.describe("How many nodes, one command on each"),
    gpus: z.int().min(0).optional().describe("Free GPUs that each of them must have; held"),
    same: z.literal("model").optional().describe("All GPUs are of one model"),
    "start-within": limit.optional().describe(
      "How long it may take until all stand ready; default 60s",
    ),
    idle: limit.optional().describe("Each rank prints something at least that often"),
    "exit-together": limit.optional().describe(
      "How long the others may go on once one has ended well; default: for ever",
    ),
    aliases: oneOrMore(gangAlias).optional().describe(
      "Give the variables by the names of these tools, too",
    ),
  }),
], { error: (issue) => gangWords(issue.input) }).meta({
  id: "nodes",
  description: "The command runs on so many nodes at once, all or none",
  examples: [4, { count: 4, gpus: 8, same: "model" }],
});
