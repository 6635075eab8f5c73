/** A secret that a careless command prints in every spelling, byte by byte, is found nowhere afterwards. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { quote } from "../../src/core/shell.ts";
import { grid, project } from "../support/cli.ts";
import { testWith } from "../support/requires.ts";

const SECRETS: Readonly<Record<string, string>> = {
  TOKEN: 's3cr3t/Pa+ss\'word "quoted" & more',
  KEY: "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA7qq\nq2c9LkZZtop\n-----END KEY-----",
  SERVICE: JSON.stringify({ user: "robot-seven", token: "jws-4711-abcdef" }),
};
/** What must not turn up: the values, and what they consist of. */
const PARTS = [
  SECRETS.TOKEN ?? "",
  "MIIEpAIBAAKCAQEA7qq",
  "q2c9LkZZtop",
  "robot-seven",
  "jws-4711-abcdef",
];

const PIPELINE = `name: leak
secrets: [TOKEN, KEY, SERVICE]
inputs: { project: { type: string } }
steps:
  - id: print
    env: { PROJECT: "\${{ inputs.project }}" }
    secrets: [TOKEN, KEY, SERVICE]
    node: local1
    run: |
      python3 "$PROJECT/dribble.py" "$PROJECT/spellings"
      echo "leak=$TOKEN" >> "$GRID_OUTPUT"
  - id: fail
    after: print
    node: local1
    secrets: [TOKEN]
    env: { LEAK: "\${{ steps.print.outputs.leak }}" }
    run: echo "cannot log in with $TOKEN" >&2; exit 3
`;

/** Prints the secrets, and what stands in the file, one byte at a time to either stream. */
const DRIBBLE = `import os, sys, time
for name in ("TOKEN", "KEY", "SERVICE"):
    os.write(1, os.environ[name].encode() + b"\\n")
for byte in open(sys.argv[1], "rb").read():
    os.write(1, bytes([byte]))
    os.write(2, bytes([byte]))
    time.sleep(0.0002)
`;

testWith(
  ["python3"],
  "a printed secret is in no output, log, journal, report or folder",
  async () => {
    const text = Object.values(SECRETS).flatMap(spellings).join("\n") + "\n";
    using folder = project({ "leak.yaml": PIPELINE, "dribble.py": DRIBBLE, "spellings": text });
    const { code, stdout, stderr } = await grid([
      "run",
      "leak.yaml",
      "-i",
      `project=${folder.path}`,
    ], {
      cwd: folder.path,
      env: SECRETS,
    });
    assert.equal(code, 1, stderr);
    const searched = [
      { path: "stdout", text: stdout },
      { path: "stderr", text: stderr },
      ...filesBelow(join(folder.path, ".grid")),
    ];
    assert.ok(searched.some(({ path }) => path.endsWith("report.json")));
    assert.ok(searched.some(({ path }) => path.endsWith(".db")));
    assert.ok(searched.some(({ path, text }) => path.endsWith(".log") && text.includes("***")));
    const needles = PARTS.flatMap(spellings).map(coreOf);
    const leaks = searched.flatMap(({ path, text }) =>
      needles.filter((needle) => text.includes(needle)).map((needle) => `${path}: ${needle}`)
    );
    assert.deepEqual(leaks, []);
  },
);

function spellings(text: string): string[] {
  const base64 = (prefix: string) => new TextEncoder().encode(prefix + text).toBase64();
  return [
    text,
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(text),
    new URLSearchParams({ q: text }).toString().slice(2),
    quote(text),
    ...["", "x", "xy"].map(base64),
  ];
}

/** What must not be found of a spelling: in base64 the ends depend on the neighbours as well. */
function coreOf(spelling: string): string {
  return /^[A-Za-z0-9+\/]{24,}=*$/.test(spelling) ? spelling.slice(4, -6) : spelling;
}

function filesBelow(folder: string): { path: string; text: string }[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory, isFile }) => {
    const path = join(folder, name);
    if (isDirectory) return filesBelow(path);
    // One character per byte, so that a database can be searched too.
    return isFile
      ? [{ path, text: new TextDecoder("latin1").decode(Deno.readFileSync(path)) }]
      : [];
  });
}
