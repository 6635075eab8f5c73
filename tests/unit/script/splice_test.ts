import assert from "node:assert/strict";
import fc from "fast-check";
import type { JsonValue } from "../../../src/core/json.ts";
import { run, SHELLS, splice } from "../../support/spliced_scripts.ts";

/** What each script prints for a value, by the rules of every shell; `@` is the value. */
const PLACES: Readonly<Record<string, (value: string) => string>> = {
  "printf %s @": (value) => value,
  "printf %s pre@post": (value) => `pre${value}post`,
  "printf %s @@": (value) => value + value,
  'printf %s "a @ b"': (value) => `a ${value} b`,
  "printf %s 'a @ b'": (value) => `a ${value} b`,
  'X=x; printf %s "$X@" $X@': (value) => `x${value}x${value}`,
  'x=@; printf %s "$x"': (value) => value,
  'export x=@; printf %s "$x"': (value) => value,
  'printf %s "$(printf %s @)x"': (value) => `${value}x`,
  'printf %s "$(printf %s "@")x"': (value) => `${value}x`,
  'printf %s "$(printf %s "$(printf %s \'@\')")x"': (value) => `${value}x`,
  'printf %s "`printf %s @`x"': (value) => `${value}x`,
  'printf %s "`printf %s "@"`x"': (value) => `${value}x`,
  "printf %s \"`printf %s '@'`x\"": (value) => `${value}x`,
  'x=`printf %s @`; printf %s "$x"': (value) => value,
  'x=`printf %s "a @"`; printf %s "$x"': (value) => `a ${value}`,
  "printf %s '`'@": (value) => `\`${value}`,
  'x=`printf %s "\\`printf %s @\\`"`x; printf %s "$x"': (value) => `${value}x`,
  'x=`printf %s "\\$(printf %s "@")"`x; printf %s "$x"': (value) => `${value}x`,
  'x=`: # it\'s @\nprintf %s @`; printf %s "$x"': (value) => value,
  "true # it's @\nprintf %s done": () => "done",
  "true;# it's @\nprintf %s done": () => "done",
  "(true)# it's @\nprintf %s done": () => "done",
  'printf %s "it\'s "@': (value) => `it's ${value}`,
  "printf %s a#'@'": (value) => `a#${value}`,
  "printf %s \\'@": (value) => `'${value}`,
  "printf %s \\\\@": (value) => `\\${value}`,
  'printf %s "\\\\@"': (value) => `\\${value}`,
  'printf "%s." $#@ "$?@"': (value) => `0${value}.0${value}.`,
  "cat <<END\n[@]\nEND\nprintf %s @": (value) => `[${value}]\n${value}`,
  "cat <<'END'\n[@]\nEND\nprintf %s @": (value) => `[${value}]\n${value}`,
  'cat <<"END" <<E"N"D2\n[@]\nEND\n[@]\nEND2\nprintf %s @': (value) => `[${value}]\n${value}`,
  "cat <<\\END\n[@]\nEND\nprintf %s @": (value) => `[${value}]\n${value}`,
  "cat <<END\n\tEND\n\\\\@ $(printf '%s.' '@')\nEND\n": (value) => `\tEND\n\\${value} ${value}.\n`,
  "(cat <<END)\n@\nEND\nprintf %s @": (value) => `${value}\n${value}`,
  'x=$(cat <<END\n@.\nEND\n); printf %s "$x@"': (value) => `${value}.${value}`,
  'x=$((1 << 2)); printf %s "$x @"': (value) => `4 ${value}`,
  'x=$(( (1 + 2) * 2 )); printf %s "$x @"': (value) => `6 ${value}`,
  "printf %s ${X:-@}": (value) => value,
  'printf %s "${X:-@}"': (value) => value,
  'printf %s "${X:-a "@" b}"': (value) => `a ${value} b`,
  'printf %s "${X:->"@"(@(}"': (value) => `>${value}(${value}(`,
  'printf %s "${X:-${Y:-@}}"': (value) => value,
  "x=a@b; printf %s ${x#a@}": () => "b",
  'x=a@b; printf %s "${x#a@}"': () => "b",
  'x=a@b; printf %s "${x#"a@"}"': () => "b",
  'x=${#X}; printf %s "$x@"': (value) => `0${value}`,
  "case @ in @) printf %s @ ;; *) printf no ;; esac": (value) => value,
  'printf %s "$(case x in (y) ;; case) ;; x) printf %s @; esac)x"': (value) => `${value}x`,
  'printf %s "$(case x in if) ;; x) case y in\ny) printf %s @ ;; esac esac)x"': (value) =>
    `${value}x`,
  'printf %s "$(for case in @; do printf %s "$case"; done)x"': (value) => `${value}x`,
  'printf %s "$(echo case x in; printf %s @)x"': (value) => `case x in\n${value}x`,
  'f() { printf %s "$1"; }; f @': (value) => value,
  "if [ @ = @ ]; then printf %s @; fi": (value) => value,
  "printf %s - @ 2>&1": (value) => `-${value}`,
  "! : || printf %s @": (value) => value,
  "bash -c 'printf %s \"$1\"' _ @": (value) => value,
  "trap 'printf %s \"$V\"' EXIT; V=@": (value) => value,
  'printf %s "bash -c " @': (value) => `bash -c ${value}`,
};

/** Further places that only bash knows. */
const BASH_PLACES: Readonly<Record<string, (value: string) => string>> = {
  "printf %s $'x\\n @ y'": (value) => `x\n ${value} y`,
  "printf %s $'x' @": (value) => `x${value}`,
  'printf %s $"a @"': (value) => `a ${value}`,
  'a=(x @ [5]=y @); printf %s "${a[1]}" "${#a[*]}"': (value) => `${value}4`,
  "[[ @ == @ && x@ =~ ^x@$ ]] && printf %s @": (value) => value,
  'y=$(a=(@ \'@\' "@"); printf %s "${a[*]}"); printf %s "$y"': (value) =>
    `${value} ${value} ${value}`.replace(/\n+$/, ""),
  "cat <<< @": (value) => `${value}\n`,
  'cat <<< "$(cat <(printf %s @))"': (value) => `${value}\n`,
  "(( x = 3 )); for ((i = 0; i < 1; i++)); do printf %s $x@; done": (value) => `3${value}`,
  'a=(1 2); a[1]=@; printf %s "${a[1]}"': (value) => value,
  "coproc cat; printf %s @; kill $COPROC_PID": (value) => value,
  'function f { case x in x) printf %s @;; esac; }; y=$(f); printf %s "$y"': (value) => value,
};

const NASTY = [
  "it's.",
  'say "hi".',
  "$HOME `id` $(id) ${IFS}.",
  "a\\nb\\",
  "\\",
  "two\nlines.",
  "a`; touch PWN1; echo `b",
  "-n",
  "--",
  "*; rm -rf /x",
  "}x}",
  ")esac;;",
  "  blanks  in\tit .",
  "~",
  "#x",
  "é ✓ 雪",
  ">(x <(y",
  "(",
  ">",
  "!x",
  "2",
  "if",
];

for (const shell of SHELLS) {
  Deno.test(`a value stays whole wherever it stands in a script of ${shell}`, async () => {
    const places = { ...PLACES, ...(shell === "bash" ? BASH_PLACES : {}) };
    const cases = Object.entries(places).flatMap(([script, expected]) =>
      NASTY.map((value) => ({ script, value, expected: expected(value) }))
    );
    const found = await run(shell, cases.map(({ script, value }) => splice(script, value)));
    for (const [index, { script, value, expected }] of cases.entries()) {
      assert.equal(found[index], expected, `${value} in ${script}`);
    }
  });

  Deno.test(`a value stays whole in ${shell} whatever it holds`, async () => {
    const char = fc.constantFrom(..."ab'\"\\$`(){}[]!#*?~&|;<>% \t\n-=é2");
    const value = fc.string({ unit: char, minLength: 0, maxLength: 12 }).map((text) => `${text}.`);
    const scripts = Object.entries({ ...PLACES, ...(shell === "bash" ? BASH_PLACES : {}) });
    const place = fc.constantFrom(...scripts);
    // Refused there: see the test of refusals.
    const isRefused = (script: string, value: string) =>
      script.includes("$(printf '%s.' '@')") && value.includes("\\\n");
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(place, value), { minLength: 150, maxLength: 150 }),
        async (all) => {
          const cases = all.filter(([[script], value]) => !isRefused(script, value));
          const found = await run(shell, cases.map(([[script], value]) => splice(script, value)));
          assert.deepEqual(found, cases.map(([[, expected], value]) => expected(value)));
        },
      ),
      { numRuns: 8, endOnFailure: true },
    );
  });
}

Deno.test("a list becomes one word for each item, nested ones as JSON", async () => {
  const list: JsonValue = ["a b", null, [1, "x"], { k: "it's" }, 2.5];
  const [words] = await run("sh", [splice("printf '<%s>' @", list)]);
  assert.equal(words, `<a b><><[1,"x"]><{"k":"it's"}><2.5>`);
  assert.equal(splice("echo @ x", []), "echo  x");
});

Deno.test("a list is one word where there can be only one", () => {
  const list = ["a", "touch x"];
  const json = `'["a","touch x"]'`;
  assert.equal(splice("x=@ true", list), `x=${json} true`);
  assert.equal(splice("export x=@", list), `export x=${json}`);
  assert.equal(splice("echo > @", list), `echo > ${json}`);
  assert.equal(splice("[[ x == @ ]]", list), `[[ x == ${json} ]]`);
  assert.equal(splice("case @ in esac", list), `case ${json} in esac`);
  assert.equal(splice("cmd --x=@", list), "cmd --x='a' 'touch x'");
});

Deno.test("a harmless word stays without quotes only where it can mean nothing else", () => {
  assert.equal(splice("echo @ @", "3"), "echo 3 3");
  assert.equal(splice("echo @>x; @ y; a@", "2"), "echo '2'>x; '2' y; a'2'");
  assert.equal(splice("for i in {1..@} {@..9}; do", 3), "for i in {1..3} {3..9}; do");
  assert.equal(splice("echo {1..@}", "3} $(id"), "echo {1..'3} $(id'}");
});
