import config from "../../deno.json" with { type: "json" };

/** Of this copy of Grid, as `deno.json` has it. */
export const VERSION: string = config.version;
