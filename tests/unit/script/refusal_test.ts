import assert from "node:assert/strict";
import { GridError } from "../../../src/core/errors.ts";
import type { JsonValue } from "../../../src/core/json.ts";
import { splicesOf } from "../../../src/script/splice.ts";
import { asScript, run, SHELLS, splice } from "../../support/spliced_scripts.ts";

/** What is wrong at each `@`; empty where a value may stand. */
function refusals(script: string): string[] {
  return splicesOf(asScript(script)).map(({ hole }) => hole.refusal?.message ?? "");
}

function problem(script: string, value: JsonValue): GridError {
  try {
    splice(script, value);
  } catch (error) {
    if (error instanceof GridError) return error;
  }
  return assert.fail(`${script} takes ${JSON.stringify(value)}`);
}

/** Where the shell calculates; each prints 42 for 41. */
const SUMS = ['printf %s "$(( 1 + @ ))"', "printf %s $((@+1))", 'x=@; printf %s "$((x+1))"'];
const BASH_SUMS = [
  "(( x = @ + 1 )); printf %s $x",
  "printf %s $[ @ + 1 ]",
  "let x=@+1; printf %s $x",
  'let "x = @ + 1"; printf %s $x',
  "declare -i x=@+1; printf %s $x",
  "a[@]=42; printf %s ${a[@]}",
  "a=([@]=42); printf %s ${a[41]}",
  "x=42; printf %s ${x:@-41}",
  "[[ 41 -eq @ && x == x ]] && printf 42",
  "[[ @ -lt 42 ]] && printf 42",
  '[[ "@" -ge 41 ]] && printf 42',
];

Deno.test("a whole number may stand where the shell calculates", async () => {
  for (const shell of SHELLS) {
    const scripts = shell === "bash" ? [...SUMS, ...BASH_SUMS] : SUMS;
    for (const value of [41, "41"]) {
      const found = await run(shell, scripts.map((script) => splice(script, value)));
      assert.deepEqual(found, scripts.map(() => "42"), shell);
    }
  }
});

Deno.test("nothing else may stand where the shell calculates", () => {
  const others = ["$(touch x)", "a[$(touch x)]", "1.5", "1e4", "010", "", "x", 0.5, null, true];
  for (const script of [...SUMS.slice(0, 2), ...BASH_SUMS]) {
    for (const value of [...others, [1]]) {
      const { code, message, hint, place } = problem(script, value);
      assert.equal(code, "step-failed");
      assert.match(message, /the shell calculates here, and .* is not a whole number/);
      assert.match(hint ?? "", /int\(…\)/);
      assert.ok(place);
    }
  }
});

Deno.test("only what is in arithmetic must be a number", () => {
  assert.equal(
    splice('[[ @ == x || 1 -eq 1 ]] && echo "$(( $(echo @) ))" @', "a b"),
    [
      `[[ 'a b' == x || 1 -eq 1 ]] && echo "$(( $(echo 'a b') ))" 'a b'`,
    ].join(),
  );
  assert.equal(splice("((1 << 2)); echo @", "a b"), "((1 << 2)); echo 'a b'");
});

Deno.test("a value that would end its here-document is refused", () => {
  const bodies = ["cat <<'END'\n@\nEND\n", "cat <<END\n@\nEND\n", "cat <<-END\n@\n\tEND\n"];
  for (const script of [...bodies, "cat <<END\n$(echo '@')\nEND\n"]) {
    for (const value of ["x\nEND\nrm", "END\nx"]) {
      if (script.includes("$(") && !value.startsWith("x")) continue;
      assert.match(problem(script, value).message, /makes? the line END|ends the here-document/);
    }
    assert.ok(splice(script, "x END\nENDx"));
  }
  assert.match(problem("cat <<END\nEN@\nEND\n", "D").message, /the line END/);
  assert.match(problem("cat <<END\nEND@\nEND\n", "").message, /the line END/);
  assert.match(problem("cat <<-END\n@\nEND\n", "x\n\ty").message, /tabs/);
  const inner = "cat <<END\n$(printf %s '@')\nEND\n";
  assert.match(problem(inner, "a\\\nb").message, /a backslash at the end of a line/);
  assert.ok(splice(inner, "a\\ \nb"));
  assert.ok(splice("cat <<END\n@\nEND\n", "a\\\nb"));
});

Deno.test("a value is refused where a second shell reads it", () => {
  const refused = [
    "bash -c @",
    "FOO=1 sh -ec 'a @'",
    "/usr/bin/env bash -o pipefail -c 'a @'",
    'x | xargs -n 1 zsh -c "a @"',
    "if true; then dash -c 'a '@; fi",
    'x="$(ksh -c "a @")"',
    "su - me -c 'a @'",
    "eval @",
    "eval x \"$y\" '@'",
    "command eval @",
    "trap -- 'a @' EXIT",
    "ssh host @",
    "ssh -o A=b -p 22 $HOST 'a @'",
    "timeout 5 ssh host 'a @'",
    "exec ssh host 'a @'",
    "bash <<END\n@\nEND\n",
    "ssh host bash -s <<'END'\n@\nEND\n",
    "bash <<< @",
  ];
  for (const script of refused) assert.match(refusals(script).join(), /code/, script);
});

Deno.test("a value that no second shell reads is not refused", () => {
  const fine = [
    "bash @",
    "bash -c 'echo \"$1\"' name @",
    "bash -x script.sh -c @",
    "bash script.sh <<END\n@\nEND\n",
    "ssh @ uptime",
    "ssh -i @ host",
    "apt-get install ssh @",
    "python train.py eval @",
    'echo "bash -c" @',
    "echo bash -c @",
    "trap 'rm -r \"$D\"' EXIT; D=@",
    "export X=@ Y=@; read -p @ x",
    "# bash -c @\n",
    "cat <<END\nbash -c @\nEND\n",
  ];
  for (const script of fine) assert.deepEqual(refusals(script).filter(Boolean), [], script);
});

Deno.test("a value is refused where it would be a name, or part of one", () => {
  for (
    const script of ["unset @", "read @", "declare @=1", "printf -v @ x", "[[ -v @ ]]", "${@}"]
  ) {
    assert.match(refusals(script).join(), /name/, script);
  }
  for (const script of ['echo "$@"', "echo $@", "cat <<E\n$@\nE\n", "x=`echo $@`"]) {
    assert.match(refusals(script).join(), /right after \$/, script);
  }
  assert.match(refusals("cat <<E\n$X@\nE\n").join(), /join the name/);
});

Deno.test("a value right after a backslash is refused", () => {
  for (const script of ["echo \\@", 'echo "\\@"', "cat <<E\n\\@\nE\n", "x=`echo \\@`"]) {
    assert.match(refusals(script).join(), /after a backslash/, script);
  }
  assert.deepEqual(refusals("echo '\\@'; cat <<'E'\n\\@\nE\n"), ["", ""]);
});

Deno.test("a value is refused where shells differ on what came before it", () => {
  const unclear = [
    "echo $'it\\'s' @",
    "echo $((cmd) | x) @",
    "((a) || (b)); echo @",
    "x=$(cat <<E)\nE\necho @",
    'echo "${X:-it\'s}" @',
    "echo $(( ')' )) @",
    "echo ) @",
  ];
  for (const script of unclear) assert.match(refusals(script).join(), /do not agree/, script);
});

Deno.test("a value is refused in a script that is not closed", () => {
  const open = ["echo 'x @", 'echo "$(x @', "case x in a) @", "cat <<E\n@", "x=`@", "echo ${X:-@"];
  for (const script of open) assert.match(refusals(script).join(), /ends inside/, script);
  assert.deepEqual(refusals("cat <<E\n@\nE"), [""]);
});
