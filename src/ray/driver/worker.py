# ---- Mode "embedded": local processes ------------------------------------------------------------


class Worker:
    """A process of its own for one slot; it takes batches until its pipe is closed."""

    def __init__(self, job: Fields, gpus: str | None) -> None:
        inbox, self.outbox = os.pipe()
        self.inbox, outbox = os.pipe()
        env = dict(os.environ, **{MARK_NAME: job["id"]})
        if gpus is not None:
            # Some tools read one of the two first; a third one would number within them.
            env.update(CUDA_VISIBLE_DEVICES=gpus, HIP_VISIBLE_DEVICES=gpus)
            env.pop("ROCR_VISIBLE_DEVICES", None)
        self.process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), "--worker", str(inbox), str(outbox)],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(inbox, outbox),
            start_new_session=True,
        )
        os.close(inbox)
        os.close(outbox)
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
            pass


def widen(pipe: int) -> None:
    """Results may be large; Linux's number for the size of a pipe has a name from Python 3.10 on."""
    try:
        fcntl.fcntl(pipe, 1031, 1 << 20)
    except OSError:
        pass  # more than this account may have


def worker_main(inbox: int, outbox: int) -> None:
    # Whole lines, so that workers that print at the same time do not cut into each other.
    out: Any = sys.stdout
    out.reconfigure(line_buffering=True, write_through=False)
    for number in (inbox, outbox):
        os.set_inheritable(number, False)
    with os.fdopen(inbox, "rb") as messages, os.fdopen(outbox, "wb", buffering=0) as answers:
        job = json.loads(messages.readline())

        def answer(message: bytes) -> None:
            rest = memoryview(message + b"\n")
            while rest:
                rest = rest[answers.write(rest) :]

        def report(index: int, ok: bool, text: str) -> None:
            answer((b"=%d " if ok else b"!%d ") % index + as_bytes(text))

        def begin(index: int) -> None:
            mark("item:%d" % index)

        def mark(word: str) -> None:
            sys.stdout.flush()
            sys.stderr.flush()
            text = mark_of(job["token"], word)
            os.write(1, text)
            os.write(2, text)

        for line in messages:
            try:
                run_items(job, json.loads(line), report, begin)
            except Problem as problem:
                answer(b"#" + json.dumps([str(problem), problem.hint]).encode())
            mark("end:0")
            answer(b"end")


