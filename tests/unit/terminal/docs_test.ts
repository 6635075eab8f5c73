import { assertSamples } from "../../support/golden_blocks.ts";

Deno.test("docs/output.md shows what Grid shows", () => assertSamples("docs/output.md"));
