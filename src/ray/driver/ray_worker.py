# ---- Mode "ray" ----------------------------------------------------------------------------------

# Of a worker process: its connection to the driver, by token.
taps: dict[str, Tap | None] = {}


# What took longer is worth more than the batch that it is part of, unless it is large.
HAND_IN_SECONDS = 0.2
HAND_IN_BYTES = 1 << 16


def ray_batch(job: Fields, serial: str, batch: Fields) -> Fields:
    """One Ray task. A problem is returned, so that it does not arrive wrapped in another error."""
    outcomes: list[tuple[int, bool, str]] = []
    deaf = None
    if job["id"] not in taps:
        taps[job["id"]] = None
        try:
            taps[job["id"]] = Tap(job["ear"], job["token"])
        except OSError as error:
            deaf = str(error)
        mark_forks(job["id"])
        if sys.stdin is None:  # as Ray starts its workers; elsewhere a task that reads finds the end
            sys.stdin = open(os.devnull, encoding="utf-8")
    tap = taps[job["id"]]
    texts = batch["texts"].split("\n")
    now = time.monotonic
    started = begun_at = now()

    def report(index: int, ok: bool, text: str) -> None:
        nonlocal begun_at
        keep((index, ok, text))
        if tap:
            if look:
                look()
            ended_at = now()
            if ended_at - begun_at > HAND_IN_SECONDS and ok and len(text) <= HAND_IN_BYTES:
                tap.hand_in(index, as_bytes(text))
            begun_at = ended_at

    keep = outcomes.append
    begin, look = tap.open(serial, len(texts)) if tap else (ignore, None)
    started = begun_at = now()
    try:
        run_items(job, zip(batch["indices"], texts), report, begin)
        answer = answer_of(batch, outcomes)
    except Problem as problem:
        answer = {"problem": str(problem), "hint": problem.hint}
    seconds = now() - started
    if tap:
        tap.close(serial)
    flush_streams([1, 2])
    node = os.environ.get("GRID_NODE", "?")
    gpus = os.environ.get("CUDA_VISIBLE_DEVICES") or os.environ.get("HIP_VISIBLE_DEVICES")
    return dict(answer, seconds=seconds, node=node, gpus=gpus, deaf=deaf, heard=tap is not None)


def ignore(_index: int) -> None:
    pass


