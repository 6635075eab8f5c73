# ---- Local workers that are forked before the driver itself is there -----------------------------
#
# A process that starts anew loads Python's library once more, and reads the text above. A fork of the boot has
# both, and nothing of the driver's: no task, no results file, and none of its frames to return to.


class ForkedProcess:
    """What `Popen` is for a process that was forked; its ends of the pipes to it."""

    def __init__(self, pid: int, inbox: int, outbox: int, streams: list[int]) -> None:
        self.pid = pid
        self.inbox, self.outbox = inbox, outbox
        self.stdout, self.stderr = [os.fdopen(stream, "rb") for stream in streams]
        self.code: int | None = None

    def poll(self) -> int | None:
        self.look(os.WNOHANG)
        return self.code

    def wait(self) -> int:
        self.look(0)
        assert self.code is not None
        return self.code

    def look(self, options: int) -> None:
        if self.code is None:
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self.code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


# Those that have nothing to do yet.
forked: list[ForkedProcess] = []


def prefork(driver: str, spec_path: str) -> None:
    """As many as the batch will have at most. Returns in each of them, too: as soon as it has no more to do it exits."""
    with open(spec_path, "rb") as file:
        spec: Fields = json.loads(file.readline())
        need = (spec["cpus"], spec["gpus"])
        if need[1] > 0:
            return  # which ones a worker sees is told to it when it starts
        slots = min(slots_of((count_cpus(), 0), need), spec.get("max_in_flight") or sys.maxsize)
        tasks = 0
        while tasks < slots and file.readline():
            tasks += 1
    hear_of_children()
    for _ in range(min(slots, tasks)):
        fork_worker(driver)


def fork_worker(driver: str) -> None:
    pipes = [os.pipe() for _ in range(4)]
    (inbox, to_worker), (from_worker, outbox), (out, into_out), (err, into_err) = pipes
    try:
        pid = os.fork()
    except OSError:  # too many processes; the driver tries again, and tells
        for number in sum(pipes, ()):
            os.close(number)
        return
    if pid == 0:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        for place, number in enumerate((nothing, into_out, into_err)):
            os.dup2(number, place)
        # Not the ends of other workers' pipes either, which would never close.
        for name in os.listdir("/proc/self/fd"):
            if int(name) not in (0, 1, 2, inbox, outbox):
                try:
                    os.close(int(name))
                except OSError:
                    pass  # by which the list was read
        forked.clear()
        sys.argv[:] = [driver]
        worker_main(inbox, outbox)
        sys.exit()
    for number in (inbox, outbox, into_out, into_err):
        os.close(number)
    forked.append(ForkedProcess(pid, from_worker, to_worker, [out, err]))


def end_unused() -> None:
    while forked:
        worker = forked.pop()
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()


def slots_of(have: Resources, need: Resources) -> int:
    """How many batches fit beside each other into `have` = (cpus, gpus)."""
    fits = [math.floor(h / n + 1e-9) for h, n in zip(have, need) if n > 0]
    return int(min(fits)) if fits else max(1, int(have[0]))


def count_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


