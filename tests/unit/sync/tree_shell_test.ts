/** The programs that choose and prove trees, in each shell that a node may have. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { quote } from "../../../src/core/shell.ts";
import { writeFiles } from "../../support/sync_rig.ts";
import { type Part, testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";

const FOLDER = fileURLToPath(new URL("../../../src/sync/", import.meta.url));
const SCRIPTS = ["tree.sh", "tree_choice.sh", "tree_proof.sh"].map((name) => join(FOLDER, name));
const DIGEST = "d".repeat(64);

/** A shell script with the words of two runs, after which each line is a call of one. */
function script(root: string, calls: string): string {
  return [
    "set -u",
    ...SCRIPTS.map((path) => `. ${quote(path)}`),
    `run() { grid_root=${quote(root)} grid_name=app grid_tree_key=app grid_project=11111111`,
    `  grid_run=\${1%% *} grid_mine=$1 grid_forerunners=\${1#$grid_run} grid_silence_s=600 grid_who="{\\"run\\":\\"$grid_run\\"}" grid_preferred=`,
    '  shift; "$@"; }',
    `record() { state=${quote(root)}/.grid/sync/$1; mkdir -p "$state/$3"; (cd ${quote(root)}/$2 &&`,
    '  printf \'v.txt\\0\' >"$state/$3/files"; : >"$state/$3/folders"; echo \'f- 1 x\' >"$state/$3/facts"',
    '  grid_tree_rows "$state/$3" >"$state/$3/stat"; echo "$3" >"$state/current"); }',
    `prove() { grid_tree_prove ${quote(root)}/.grid/sync/$2 ${
      quote(root)
    }/$3 ${DIGEST} $1 '' 600 '{}' ${quote(root)} files; echo "proved $?"; }`,
    calls,
  ].join("\n");
}

const CALLS = `
run r1 grid_tree_look
record app app ${DIGEST}
run r1 grid_tree_keep app ${DIGEST}
prove r1 app app
echo -- the same code shares
run r2 grid_tree_look
run r2 grid_tree_claim ${DIGEST} - hasty
echo -- other code goes beside, with a copy
run r3 grid_tree_claim ${"e".repeat(64)} - hasty
cat "$grid_root/app@11111111.2/v.txt"
echo -- an edit
echo edited >"$grid_root/app/v.txt"
prove r1 app app
echo -- free
run r1 grid_tree_free 0 app
run r2 grid_tree_free 0 app
run r4 grid_tree_look
ls "$grid_root/.grid/sync/app/pins"; ls "$grid_root/.grid/sync"
echo -- a run that goes on from one whose runner died leaves no pin of it
run 'r5 r4' grid_tree_look
run 'r5 r4' grid_tree_free 0 app
ls "$grid_root/.grid/sync/app/pins"
`;

const EXPECTED = `tree taken 0 none changed -
-
proved 0
-- the same code shares
tree held 0 none changed - 
-
held r1
{"run":"r1"}
tree shared 0 ${DIGEST} same 11111111
{"run":"r1"}
-- other code goes beside, with a copy
tree beside 2 ${DIGEST} same -
-
held r1
{"run":"r1"}
held r2
{"run":"r2"}
one
-- an edit
grid: tree edited
{"run":"r2"}
v.txt
proved 1
-- free
tree taken 0 ${DIGEST} changed 11111111
{"run":"r2"}
r4
app
app@11111111.2
-- a run that goes on from one whose runner died leaves no pin of it
tree taken 0 ${DIGEST} changed 11111111
{"run":"r4"}
`;

const SHELLS: readonly (readonly [Part, ...string[]])[] = [["dash"], ["bash"], ["busybox", "ash"]];

for (const shell of SHELLS) {
  const [part] = shell;
  testWith(
    [part],
    `trees are taken, shared, made beside and proved in ${part}`,
    async () => {
      using temp = tempDir();
      writeFiles(temp.path, { "app/v.txt": "one\n" });
      const [program, ...args] = shell;
      const { stdout, stderr } = await new Deno.Command(program, {
        args: [...args, "-c", script(temp.path, CALLS)],
        env: { LC_ALL: "C" },
      }).output();
      assert.equal(new TextDecoder().decode(stderr), "");
      assert.equal(new TextDecoder().decode(stdout).replaceAll(temp.path, "ROOT"), EXPECTED);
    },
  );
}
