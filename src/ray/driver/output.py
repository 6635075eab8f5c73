# ---- What tasks print ----------------------------------------------------------------------------
#
# Each stream of a worker is one stream of bytes to the driver. The worker writes marks into it where
# an item begins and where a batch ends, so that every line is known to be an item's, and the driver
# knows when all has come. On Ray the bytes go through `cat` and a connection to the driver: a worker
# that is killed loses nothing that it has written.
#
# Of many small items most print nothing, and a mark for each would cost more than they do. In a large
# batch the worker looks after each item whether its streams have been written to, and only then says
# whose words these were; the driver holds them until it does. An item that takes longer is named
# while it runs.

writing = threading.Lock()
# A line that never ends is handed on in pieces of this size.
LONGEST_LINE = 1 << 16
# What has been printed arrives soon after the batch; a connection may be slow.
DRAIN_SECONDS = 30
CONNECT_SECONDS = 5


def write_all(number, content):
    """Whole lines only, so that nobody's line lands inside another."""
    with writing:
        view = memoryview(content)
        while view:
            view = view[os.write(number, view) :]


def write_line(number, text):
    write_all(number, (text + "\n").encode("utf-8", "replace"))


def mark_of(token, word):
    return ("\x1egrid:%s:%s\n" % (token, word)).encode()


class Splitter:
    """The items' lines in one stream of a worker, each handed on behind `[index] `."""

    def __init__(self, token, number, on_end=None, on_begin=None, on_done=None):
        self.start = ("\x1egrid:%s:" % token).encode()
        # An item that has printed nothing: its mark stands right before the next one's.
        mark = re.escape(self.start) + rb"item:\d+\n"
        self.silent = re.compile(rb"(?:%s)+(?=%s)" % (mark, mark))
        self.number = number
        self.on_end, self.on_begin, self.on_done = on_end, on_begin, on_done
        self.prefix = b""
        self.rest = b""
        # What has come from an item that is not named yet; None where each is named before it begins.
        self.held = None

    def feed(self, chunk):
        data = self.silent.sub(b"", self.rest + chunk)
        while True:
            at = data.find(self.start)
            if at < 0:
                break
            end = data.find(b"\n", at)
            if end < 0:
                self.lines(data[:at], True)
                self.rest = data[at:]
                return
            self.lines(data[:at], True)
            self.hear(data[at + len(self.start) : end])
            data = data[end + 1 :]
        # The end may be the beginning of a mark.
        held = data.rfind(b"\x1e")
        if held >= 0 and self.start.startswith(data[held : held + len(self.start)]):
            self.rest = self.lines(data[:held], False) + data[held:]
        else:
            self.rest = self.lines(data, False)

    def lines(self, data, is_over):
        """Hands on what is complete. @returns the beginning of a line whose rest has not come"""
        if self.held is not None:
            self.held.append(data)
            return b""
        end = len(data) if is_over or len(data) > LONGEST_LINE else data.rfind(b"\n") + 1
        if end:
            whole = data[:end].split(b"\n")
            if whole[-1] == b"":
                whole.pop()
            write_all(self.number, b"".join(self.prefix + line + b"\n" for line in whole))
        return data[end:]

    def hear(self, word):
        kind, _, value = word.partition(b":")
        if kind == b"item":
            self.tell_held(value)
            self.prefix = b"[%s] " % value
        elif kind == b"was":
            self.tell_held(value)
            self.held = []
        elif kind == b"quiet":
            self.held = []
        elif kind == b"done" and self.on_done:
            index, _, text = value.partition(b":")
            self.on_done(int(index), text)
        elif kind == b"begin" and self.on_begin:
            self.on_begin(value.decode())
        elif kind == b"end":
            self.tell_held(None)
            self.prefix = b""
            if self.on_end:
                self.on_end(value.decode())

    def tell_held(self, index):
        """Whose it was is known now, or never will be: then its worker has died, and the item runs again."""
        if self.held is None:
            return
        data, self.held = b"".join(self.held), None
        self.prefix = b"" if index is None else b"[%s] " % index
        self.lines(data, True)

    def close(self):
        self.tell_held(None)
        self.lines(self.rest, True)
        self.rest = b""


# Items of a batch in which only those are named that print; such batches are of small items.
QUIET_ITEMS = 100
# An item that takes longer is named while it runs.
QUIET_SECONDS = 0.05


class Quiet(threading.Thread):
    """Tells which items of a large batch have written to the pipes, by the time of their last writing."""

    def __init__(self, tap):
        super().__init__(daemon=True)
        self.tap = tap
        self.lock = threading.Lock()
        self.over = threading.Event()
        # The item that runs, and how many have begun; whether it has been named.
        self.index, self.begun, self.is_named = None, 0, False
        self.mark("quiet")
        self.start()

    def mark(self, word):
        self.tap.write_mark(word)
        self.forget()

    def forget(self):
        """What has been written until now was told, or was ours."""
        for pipe in self.tap.pipes:
            forget_writing(pipe)

    def run(self):
        seen = 0
        while not self.over.wait(QUIET_SECONDS):
            with self.lock:
                if self.begun == seen and self.index is not None and not self.is_named:
                    self.mark("item:%d" % self.index)
                    self.is_named = True
                seen = self.begun

    def begin(self, index):
        # In this order the other thread needs no lock: where it sees the index it sees one that runs.
        self.begun += 1
        self.index = index

    def end(self):
        """The item is over. Called for each of many small ones: every look at a pipe counts."""
        sys.stdout.flush()
        sys.stderr.flush()
        out, err = self.tap.pipes
        with self.lock:
            if self.is_named:
                self.mark("quiet")
            elif os.fstat(out).st_mtime_ns or os.fstat(err).st_mtime_ns:
                self.mark("was:%d" % self.index)
            self.index, self.is_named = None, False

    def close(self):
        self.over.set()
        self.join()


def is_written(pipe):
    """Whether anybody has written to it since `forget_writing`."""
    return os.fstat(pipe).st_mtime_ns != 0


def forget_writing(pipe):
    os.utime(pipe, ns=(0, 0))


def open_pipe():
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


def tells_writing():
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

    def __init__(self, address, token):
        self.token = token
        self.pipes, self.saved = [], None
        self.quiet, self.may_be_quiet = None, tells_writing()
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
            self.pipes_kept = getattr(self, "pipes_kept", []) + [cat]

    def write_mark(self, word):
        sys.stdout.flush()
        sys.stderr.flush()
        mark = mark_of(self.token, word)
        os.write(1, mark)
        os.write(2, mark)

    def hand_in(self, index, text):
        """A result ahead of its batch's: whatever becomes of the batch, it is not lost."""
        sys.stdout.flush()
        rest = memoryview(b"\x1egrid:%s:done:%d:%s\n" % (self.token.encode(), index, text))
        while rest:
            rest = rest[os.write(1, rest) :]
        if self.quiet:
            self.quiet.forget()

    def begin(self, index):
        if self.quiet:
            self.quiet.begin(index)
        else:
            self.write_mark("item:%d" % index)

    def end(self):
        if self.quiet:
            self.quiet.end()

    def open(self, serial, count):
        sys.stdout.flush()
        sys.stderr.flush()
        self.saved = [os.dup(number) for number in (1, 2)]
        for number, pipe in zip((1, 2), self.pipes):
            os.dup2(pipe, number)
        self.write_mark("begin:%s" % serial)
        if self.may_be_quiet and count >= QUIET_ITEMS:
            self.quiet = Quiet(self)

    def close(self, serial):
        if self.quiet:
            self.quiet.close()
            self.quiet = None
        self.write_mark("end:%s" % serial)
        for number, saved in zip((1, 2), self.saved):
            os.dup2(saved, number)
            os.close(saved)


class Ear(threading.Thread):
    """In the driver on Ray: takes what all workers print, and knows which batches are complete."""

    def __init__(self, host, token):
        super().__init__(daemon=True)
        self.token = token
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.create_server((host, 0), family=family, backlog=256)
        self.address = [host, self.listener.getsockname()[1]]
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        self.change = threading.Condition()
        # By serial of a batch: streams that have begun, and that have ended.
        self.begun, self.ended = collections.Counter(), collections.Counter()
        # Results that have come ahead of their batches: index and JSON.
        self.handed_in = collections.deque()

    def run(self):
        while True:
            for key, _ in self.selector.select():
                if key.data is None:
                    link, _ = self.listener.accept()
                    self.selector.register(link, selectors.EVENT_READ, Heard(self))
                    continue
                try:
                    chunk = key.fileobj.recv(1 << 18)
                except OSError:
                    chunk = b""
                if not key.data.feed(chunk) or not chunk:
                    self.selector.unregister(key.fileobj)
                    key.fileobj.close()

    def note(self, counter, serial):
        with self.change:
            counter[serial] += 1
            self.change.notify_all()

    def drain(self, serials, seconds):
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

    def __init__(self, ear):
        self.ear = ear
        self.greeting = b""
        self.splitter = None
        self.serial = None

    def feed(self, chunk):
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

    def begin(self, serial):
        self.serial = serial
        self.ear.note(self.ear.begun, serial)

    def done(self, index, text):
        self.ear.handed_in.append((index, text))

    def end(self, serial):
        self.serial = None
        self.ear.note(self.ear.ended, serial)


