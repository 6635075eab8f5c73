"""Runs a program in a terminal of its own and talks to it.

Arguments: JSON [[wait for, then type], ...], then the program. What is typed may be {"size": [rows,
columns]}, which resizes the terminal. Prints JSON: the screen, how it ended, and whether the terminal was
left as it was found.
"""
import fcntl, json, os, pty, select, signal, struct, sys, termios, time

script, argv = json.loads(sys.argv[1]), sys.argv[2:]
deadline = time.time() + 60
master, slave = pty.openpty()


def resize(rows, columns):
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


resize(40, 111)
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(slave, fd)
    os.execvp(argv[0], argv)
screen, seen, code = b"", 0, None
while code is None:
    ready, _, _ = select.select([master], [], [], 0.1)
    if ready:
        screen += os.read(master, 65536)
    if script and script[0][0].encode() in screen[seen:]:
        seen = len(screen)
        act = script.pop(0)[1]
        if isinstance(act, str):
            os.write(master, act.encode())
        elif "size" in act:
            resize(*act["size"])
        else:
            os.kill(pid, signal.SIGTERM)
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        code = os.waitstatus_to_exitcode(status)
    elif time.time() > deadline:
        os.kill(pid, signal.SIGKILL)
print(json.dumps({
    "screen": screen.decode(errors="replace"),
    "code": code,
    "restored": termios.tcgetattr(slave) == before,
}))
