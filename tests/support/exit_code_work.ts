/** How the children of a task ended, as the task sees it: everywhere the same as without Ray. */

/** Python functions for a module of tasks. */
export const EXIT_CODE_WORK = `
import os as _os, signal as _signal, subprocess as _subprocess, sys as _sys

def exit_codes(task):
    pid = _os.fork()
    if pid == 0:
        _os._exit(7)
    _, status = _os.waitpid(pid, 0)
    try:
        _subprocess.check_call(["sh", "-c", "exit 7"])
        checked = None
    except _subprocess.CalledProcessError as error:
        checked = error.returncode
    killed = _subprocess.Popen(["sleep", "600"])
    killed.send_signal(_signal.SIGKILL)
    return {
        "run": _subprocess.run(["false"]).returncode,
        "python": _subprocess.run([_sys.executable, "-c", "raise SystemExit(3)"]).returncode,
        "check_call": checked,
        "killed": killed.wait(),
        "system": _os.system("exit 3") >> 8,
        "pipe": _os.popen("exit 5").close() >> 8,
        "fork": status >> 8,
        "fine": _subprocess.run(["true"]).returncode,
    }
`;

export const EXIT_CODES = {
  run: 1,
  python: 3,
  check_call: 7,
  killed: -9,
  system: 3,
  pipe: 5,
  fork: 7,
  fine: 0,
};

/** Commands that fail, and the words that their items fail with. */
export const FAILING_COMMANDS = [
  ["exit 3", /the command ended with exit code 3/],
  ["false", /the command ended with exit code 1/],
  ["sh -c 'exit 7'; true", /the command ended with exit code 7/],
  ["kill -9 $$", /the command ended with signal SIGKILL/],
] as const;
