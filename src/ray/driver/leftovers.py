# ---- What tasks leave running --------------------------------------------------------------------
#
# Whatever a task starts has the batch's mark in its environment. A process that is forked and never
# executes anything has its parent's environment, so it bears the mark as its short name instead.

MARK_NAME = "GRID_BATCH"
# What `multiprocessing`, or joblib, keeps beside a process for what it shares: it ends with that one, bears SIGTERM,
# and has to clean up.
TRACKER = "resource_tracker import main"


def sweep(mark: str, seconds: float) -> Fields:
    """Ends all that bear the mark on this node: politely, then not. @returns how many, and who is left."""
    found = marked(mark)
    asked: set[int] = set()
    deadline = time.monotonic() + seconds
    while found and time.monotonic() < deadline:
        for pid in found - asked:
            send_signal(pid, signal.SIGTERM)
        asked |= found
        time.sleep(0.05)
        found = marked(mark)
    for _ in range(20):
        if not found:
            break
        for pid in found:
            send_signal(pid, signal.SIGKILL)
        asked |= found
        time.sleep(0.05)
        found = marked(mark)
    return {"ended": len(asked - found), "left": [[pid, command_of(pid)] for pid in sorted(found)]}


def marked(mark: str) -> set[int]:
    """Living processes of this batch, except this one."""
    word = ("%s=%s" % (MARK_NAME, mark)).encode()
    name = short_mark(mark).encode()
    found = set()
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            with open("/proc/%s/stat" % entry, "rb") as file:
                stat = file.read()
            if stat.rpartition(b")")[2].split()[0] in (b"Z", b"X"):
                continue
            is_marked = stat[stat.index(b"(") + 1 : stat.rindex(b")")] == name
            if not is_marked:
                with open("/proc/%s/environ" % entry, "rb") as file:
                    is_marked = word in file.read().split(b"\0")
        except (OSError, ValueError):
            continue  # gone meanwhile, or somebody else's
        if is_marked and TRACKER not in command_of(int(entry)):
            found.add(int(entry))
    return found


def short_mark(mark: str) -> str:
    """The kernel keeps 15 characters of a name."""
    import hashlib

    return "grid-" + hashlib.sha256(mark.encode()).hexdigest()[:10]


def mark_forks(mark: str) -> None:
    """From now on children of this process that only fork bear the mark, too."""
    name = short_mark(mark)
    of_ray = signal.getsignal(signal.SIGTERM)

    def become_own() -> None:
        try:
            with open("/proc/self/comm", "w") as file:
                file.write(name)
        except OSError:
            pass
        # Ray's own handler says farewell to its store on a connection that parent and child share, and the
        # raylet dies of words that it cannot understand. What a task has set itself stays.
        if signal.getsignal(signal.SIGTERM) is of_ray:
            try:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
            except ValueError:
                pass  # not the main thread

    os.register_at_fork(after_in_child=become_own)


def command_of(pid: int) -> str:
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as file:
            return file.read().replace(b"\0", b" ").decode("utf-8", "replace").strip()[:200]
    except OSError:
        return "?"


def send_signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except OSError:
        pass  # gone, or not ours to signal: then it is named as left


def descendants(top: int) -> list[int]:
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open("/proc/%s/stat" % entry, "rb") as file:
                    parents[int(entry)] = int(file.read().rpartition(b")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                pass
    found: list[int] = []
    fresh = {top}
    while fresh:
        fresh = {pid for pid, parent in parents.items() if parent in fresh}
        found.extend(fresh)
    return found


def tell_sweep(mark: str, node: str, report: Fields) -> None:
    """What a sweep found, in words for the step's log."""
    if report["left"]:
        names = ", ".join("%d %s" % (pid, command) for pid, command in report["left"])
        write_line(2, "grid: still running on %s: %s" % (node, names))
    elif report["ended"]:
        count = report["ended"]
        words = "%d process%s" % (count, "" if count == 1 else "es")
        write_line(2, "grid: ended %s that tasks had left running on %s" % (words, node))


