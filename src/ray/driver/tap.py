# ---- In a Ray worker: what it prints goes to the driver ------------------------------------------

# Items of a batch in which only those are named that print; such batches are of small items.
QUIET_ITEMS = 100
# An item that takes longer is named while it runs.
QUIET_SECONDS = 0.05


fstat = os.fstat


class Quiet(threading.Thread):
    """Tells which items of a large batch have written to the pipes, by the time of their last writing."""

    def __init__(self, tap: Tap) -> None:
        super().__init__(daemon=True)
        self.tap = tap
        self.lock = threading.Lock()
        self.over = threading.Event()
        # The item that runs, and how many have begun; whether it has been named.
        self.index: int | None = None
        self.begun, self.is_named = 0, False
        self.out, self.err = tap.pipes
        self.mark("quiet")
        self.start()

    def mark(self, word: str) -> None:
        self.tap.write_mark(word)
        self.forget()

    def forget(self) -> None:
        """What has been written until now was told, or was ours."""
        for pipe in self.tap.pipes:
            forget_writing(pipe)

    def run(self) -> None:
        seen = 0
        while not self.over.wait(QUIET_SECONDS):
            with self.lock:
                if not self.is_named:
                    # Before it looks: whoever ends an item says so, and then looks at this.
                    self.is_named = True
                    index = self.index
                    if self.begun == seen and index is not None:
                        self.mark("item:%d" % index)
                    else:
                        self.is_named = False
                seen = self.begun

    def begin(self, index: int) -> None:
        # In this order the other thread needs no lock: where it sees the index it sees one that runs.
        self.begun += 1
        self.index = index

    def end(self) -> None:
        """The item is over. Called for each of many small ones: every look at a pipe counts."""
        flush_streams(self.tap.pipes)
        index, self.index = self.index, None
        # From here on the other thread names no item, unless it has begun to: that is waited for.
        if self.is_named:
            with self.lock:
                if self.is_named:
                    self.mark("quiet")
                    self.is_named = False
                    return
        if fstat(self.out).st_mtime or fstat(self.err).st_mtime:
            self.mark("was:%s" % index)

    def close(self) -> None:
        self.over.set()
        self.join()


def is_written(pipe: int) -> bool:
    """Whether anybody has written to it since `forget_writing`."""
    return os.fstat(pipe).st_mtime_ns != 0


def forget_writing(pipe: int) -> None:
    os.utime(pipe, ns=(0, 0))


def open_pipe() -> tuple[int, int]:
    """Both ends of a pipe that had a name: of others newer Linux no longer notes when they were written to."""
    path = os.path.join(tempfile.gettempdir(), "grid-%s" % uuid.uuid4().hex)
    try:
        os.mkfifo(path, 0o600)
    except OSError:
        return os.pipe()
    try:
        out = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        into = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    finally:
        os.unlink(path)
    os.set_blocking(out, True)
    return out, into


def tells_writing() -> bool:
    """Whether this system notes the time of writing to a pipe, and lets it be set, as Linux does."""
    ends = open_pipe()
    try:
        seen = []
        for _ in range(2):
            forget_writing(ends[1])
            seen.append(is_written(ends[1]))
            os.write(ends[1], b".")
            seen.append(is_written(ends[1]))
            os.read(ends[0], 1)
        return seen == [False, True, False, True]
    except OSError:
        return False
    finally:
        for end in ends:
            os.close(end)


class Tap:
    """In a Ray worker: sends what is printed to the driver while a batch runs."""

    def __init__(self, address: Address, token: str) -> None:
        self.token = token
        self.pipes: list[int] = []
        self.pipes_kept: list[subprocess.Popen[bytes]] = []
        self.saved: list[int] = []
        self.quiet: Quiet | None = None
        self.may_be_quiet = tells_writing()
        bare = {"PATH": os.environ.get("PATH", os.defpath)}  # without the mark of the batch
        for name in ("stdout", "stderr"):
            with socket.create_connection(tuple(address), CONNECT_SECONDS) as link:
                link.settimeout(None)
                link.sendall(("%s %s\n" % (token, name)).encode())
                out, into = open_pipe()
                cat = subprocess.Popen(
                    ["cat"],
                    stdin=out,
                    stdout=link.fileno(),
                    stderr=subprocess.DEVNULL,
                    env=bare,
                    start_new_session=True,
                )
            os.close(out)
            self.pipes.append(into)
            self.pipes_kept.append(cat)

    def write_mark(self, word: str) -> None:
        write_marks(mark_of(self.token, word), self.pipes)

    def hand_in(self, index: int, text: bytes) -> None:
        """A result ahead of its batch's: whatever becomes of the batch, it is not lost."""
        flush_streams(self.pipes)
        rest = memoryview(b"\x1egrid:%s:done:%d:%s\n" % (self.token.encode(), index, text))
        while rest:
            rest = rest[os.write(self.pipes[0], rest) :]
        if self.quiet:
            self.quiet.forget()

    def name(self, index: int) -> None:
        self.write_mark("item:%d" % index)

    def open(self, serial: str, count: int) -> tuple[Callable[[int], None], Callable[[], None] | None]:
        """@returns what is to be called where an item begins, and where one has ended"""
        flush_streams([1, 2])
        self.saved = [os.dup(number) for number in (1, 2)]
        for number, pipe in zip((1, 2), self.pipes):
            os.dup2(pipe, number)
        self.write_mark("begin:%s" % serial)
        if self.may_be_quiet and count >= QUIET_ITEMS:
            self.quiet = Quiet(self)
            return self.quiet.begin, self.quiet.end
        return self.name, None

    def close(self, serial: str) -> None:
        if self.quiet:
            self.quiet.close()
            self.quiet = None
        self.write_mark("end:%s" % serial)
        for number, saved in zip((1, 2), self.saved):
            os.dup2(saved, number)
            os.close(saved)


