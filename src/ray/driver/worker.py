# ---- Mode "embedded": local processes ------------------------------------------------------------


# Reading the whole driver takes longer than most of the rest of a worker's start.
WORKER = (
    "import sys; sys.path[:1] = [sys.argv[2]] if sys.path[0] == '' else sys.path[:1]; "
    "exec(compile(open(sys.argv[1], encoding='utf-8').read().partition('\\nREST_OF_DRIVER')[0], sys.argv[1], 'exec')); "
    "start_worker()"
)


class Worker:
    """A process of its own for one slot; it takes batches until its pipe is closed."""

    def __init__(self, job: Fields, gpus: str | None) -> None:
        self.process: ForkedProcess | subprocess.Popen[bytes]
        if forked and gpus is None:
            self.process = forked.pop(0)
            self.inbox, self.outbox = self.process.inbox, self.process.outbox
        else:
            self.spawn(job, gpus)
        widen(self.inbox)
        assert self.process.stdout is not None and self.process.stderr is not None
        self.streams: list[tuple[IO[bytes], Splitter]] = [
            (self.process.stdout, Splitter(job["token"], 1)),
            (self.process.stderr, Splitter(job["token"], 2)),
        ]
        for stream, _ in self.streams:
            os.set_blocking(stream.fileno(), False)
        self.items: collections.deque[tuple[int, str]] = collections.deque()
        self.rest: list[bytes] = []
        self.size = 0
        self.started_at = 0.0
        self.send(job)

    def spawn(self, job: Fields, gpus: str | None) -> None:
        import subprocess

        driver = os.path.abspath(__file__)
        inbox, self.outbox = os.pipe()
        self.inbox, outbox = os.pipe()
        env = dict(os.environ, **{MARK_NAME: job["id"]})
        if gpus is not None:
            # Some tools read one of the two first; a third one would number within them.
            env.update(CUDA_VISIBLE_DEVICES=gpus, HIP_VISIBLE_DEVICES=gpus)
            env.pop("ROCR_VISIBLE_DEVICES", None)
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, driver, os.path.dirname(driver), str(inbox), str(outbox)],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(inbox, outbox),
            start_new_session=True,
        )
        os.close(inbox)
        os.close(outbox)

    def send(self, message: object) -> None:
        rest = json.dumps(message).encode() + b"\n"
        try:
            while rest:
                rest = rest[os.write(self.outbox, rest) :]
        except BrokenPipeError:
            pass  # it has died; the end of its inbox tells

    def start(self, items: Items) -> None:
        self.items = collections.deque(items)
        self.count = len(items)
        self.size = 0
        self.started_at = time.monotonic()
        self.send(items)

    def receive(self) -> list[bytes] | None:
        """Complete messages, or None when the process has ended."""
        chunk = os.read(self.inbox, 1 << 18)
        if not chunk:
            return None
        self.size += len(chunk)
        *lines, rest = chunk.split(b"\n")
        if lines:
            lines[0] = b"".join([*self.rest, lines[0]])
            self.rest = []
        self.rest.append(rest)
        return lines

    def hear(self, at: int) -> bool:
        """Hands on what has been printed. @returns whether there may be more"""
        stream, splitter = self.streams[at]
        try:
            chunk = os.read(stream.fileno(), 1 << 18)
        except BlockingIOError:
            return False
        if chunk:
            splitter.feed(chunk)
        return bool(chunk)

    def close(self) -> None:
        os.close(self.outbox)
        os.close(self.inbox)
        for at, (stream, splitter) in enumerate(self.streams):
            while self.hear(at):
                pass
            splitter.close()
            stream.close()

    def kill(self, signal_number: int) -> None:
        try:
            os.killpg(self.process.pid, signal_number)
        except ProcessLookupError:
            if self.process.poll() is None:  # it was forked just now, and has no group of its own yet
                os.kill(self.process.pid, signal_number)


def widen(pipe: int) -> None:
    """Results may be large; Linux's number for the size of a pipe has a name from Python 3.10 on."""
    try:
        fcntl.fcntl(pipe, 1031, 1 << 20)
    except OSError:
        pass  # more than this account may have


