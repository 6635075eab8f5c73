/** A local step is a child of Grid, but has of Grid's environment no secret that it does not list. */
import { story } from "../support/story.ts";

const VALUE = "s3cr3t-of-grid";

/** Each says what it sees in the end; enough of them for the launcher to take over. */
function pipeline(): string {
  const steps = Array.from(
    { length: 6 },
    (_, at) => `  - { id: s${at}, node: here, ${at > 0 ? `needs: s${at - 1}, ` : ""}run: *look }`,
  );
  return `name: secrets
secrets: { TOKEN: { from: env }, DATABASE: { from: env, variable: DB_URL } }
steps:
  - id: s
    node: here
    run: &look |
      test -z "\${TOKEN+set}\${DATABASE+set}\${DB_URL+set}"
      test -z "$(tr '\\0' '\\n' </proc/self/environ | grep -e '^TOKEN=' -e '^DB_URL=' || true)"
      test "$OTHER" = kept
${steps.join("\n")}
  - id: listed
    node: here
    needs: s5
    secrets: [TOKEN, DATABASE]
    run: |
      test "$TOKEN $DATABASE" = "${VALUE} ${VALUE}-url"
      test -z "\${DB_URL+set}"
  - { id: after, node: here, needs: listed, run: *look }
hooks:
  exit: [{ node: here, run: *look }]
`;
}

story(
  "a local step sees no secret of Grid's environment that it does not list",
  {
    "cluster.yaml": "nodes: [{ name: here, transport: local }]\nremote_root: workspace\n",
    "p.yaml": pipeline(),
  },
  async ({ when, env }) => {
    Object.assign(env, { TOKEN: VALUE, DB_URL: `${VALUE}-url`, OTHER: "kept" });
    await when("run p.yaml --config cluster.yaml");
  },
);
