# ---- In the driver: what Ray workers print -------------------------------------------------------

class Ear(threading.Thread):
    """In the driver on Ray: takes what all workers print, and knows which batches are complete."""

    def __init__(self, host: str, token: str) -> None:
        super().__init__(daemon=True)
        self.token = token
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.create_server((host, 0), family=family, backlog=256)
        self.address = [host, self.listener.getsockname()[1]]
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        self.change = threading.Condition()
        # By serial of a batch: streams that have begun, and that have ended.
        self.begun: collections.Counter[str] = collections.Counter()
        self.ended: collections.Counter[str] = collections.Counter()
        # Results that have come ahead of their batches: index and JSON.
        self.handed_in: collections.deque[tuple[int, bytes]] = collections.deque()

    def run(self) -> None:
        while True:
            for key, _ in self.selector.select():
                if key.data is None:
                    link, _ = self.listener.accept()
                    self.selector.register(link, selectors.EVENT_READ, Heard(self))
                    continue
                talker: Any = key.fileobj
                try:
                    chunk = talker.recv(1 << 18)
                except OSError:
                    chunk = b""
                if not key.data.feed(chunk) or not chunk:
                    self.selector.unregister(talker)
                    talker.close()

    def note(self, counter: collections.Counter[str], serial: str) -> None:
        with self.change:
            counter[serial] += 1
            self.change.notify_all()

    def drain(self, serials: Iterable[str], seconds: float) -> int:
        """Waits until these batches are heard to their end. @returns how many are not"""
        deadline = time.monotonic() + seconds
        with self.change:
            while True:
                open_ones = [serial for serial in serials if self.ended[serial] < 2]
                left = deadline - time.monotonic()
                if not open_ones or left <= 0:
                    return len(open_ones)
                self.change.wait(left)


class Heard:
    """One connection; nobody is believed who does not begin with the token."""

    def __init__(self, ear: Ear) -> None:
        self.ear = ear
        self.greeting = b""
        self.splitter: Splitter | None = None
        self.serial: str | None = None

    def feed(self, chunk: bytes) -> bool:
        if self.splitter is None:
            self.greeting += chunk
            line, newline, chunk = self.greeting.partition(b"\n")
            if not newline:
                return len(line) < 200
            token, _, name = line.partition(b" ")
            if not hmac.compare_digest(token, self.ear.token.encode()):
                return False
            number = 2 if name == b"stderr" else 1
            self.splitter = Splitter(self.ear.token, number, self.end, self.begin, self.done)
        if chunk:
            self.splitter.feed(chunk)
        else:
            self.splitter.close()
            if self.serial is not None:
                self.end(self.serial)
        return True

    def begin(self, serial: str) -> None:
        self.serial = serial
        self.ear.note(self.ear.begun, serial)

    def done(self, index: int, text: bytes) -> None:
        self.ear.handed_in.append((index, text))

    def end(self, serial: str) -> None:
        self.serial = None
        self.ear.note(self.ear.ended, serial)


