# ---- In a local worker process -------------------------------------------------------------------

def worker_main(inbox: int, outbox: int) -> None:
    # Whole lines, so that workers that print at the same time do not cut into each other.
    out: Any = sys.stdout
    out.reconfigure(line_buffering=True, write_through=False)
    kept = [os.dup(number) for number in (1, 2)]
    for number in (inbox, outbox):
        os.set_inheritable(number, False)
    with os.fdopen(inbox, "rb") as messages, os.fdopen(outbox, "wb", buffering=0) as answers:
        first = messages.readline()
        if not first:
            return  # there was nothing to do
        job = json.loads(first)

        def answer(message: bytes) -> None:
            rest = memoryview(message + b"\n")
            while rest:
                rest = rest[answers.write(rest) :]

        def report(index: int, ok: bool, text: str) -> None:
            answer((b"=%d " if ok else b"!%d ") % index + as_bytes(text))

        def begin(index: int) -> None:
            mark("item:%d" % index)

        def mark(word: str) -> None:
            write_marks(mark_of(job["token"], word), kept)

        for line in messages:
            try:
                run_items(job, json.loads(line), report, begin)
            except Problem as problem:
                answer(b"#" + json.dumps([str(problem), problem.hint]).encode())
            mark("end:0")
            answer(b"end")


def start_worker() -> None:
    global __file__
    driver, _, inbox, outbox = sys.argv[1:]
    __file__ = driver
    sys.argv[:] = [driver]
    worker_main(int(inbox), int(outbox))


