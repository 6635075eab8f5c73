# ---- Start ---------------------------------------------------------------------------------------


def listen_for_stop() -> None:
    hear_of_children()
    signal.signal(signal.SIGTERM, ask_stop)
    signal.signal(signal.SIGINT, ask_stop)


def read_spec(path: str) -> tuple[Fields, list[str]]:
    """The spec is one line of JSON, and each task one more, which stays as it is written.

    @returns the spec and the texts of the tasks
    """
    with open(path, "rb") as file:
        spec, *texts = file.read().decode("utf-8", "surrogatepass").split("\n")
    return json.loads(spec), texts


CODE = (".py", ".pyi", ".pyx", ".sh", ".bash", ".r", ".jl", ".pl", ".js", ".ts", ".so", ".toml", ".cfg",
    ".ini", ".yaml", ".yml")
LARGEST_CODE = 1 << 20


def code_digest(folder: str) -> str:
    """Of code that no sync has brought: sources, settings and programs; not what tasks write beside them."""
    digest = hashlib.sha256()
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__pycache__")
        for name in sorted(names):
            path = os.path.join(place, name)
            try:
                facts = os.stat(path)
                is_code = name.lower().endswith(CODE) or facts.st_mode & 0o111
                if not is_code or not os.path.isfile(path):
                    continue
                digest.update(("%s\0%d\0" % (os.path.relpath(path, folder), facts.st_size)).encode("utf-8", "surrogateescape"))
                if facts.st_size > LARGEST_CODE:
                    digest.update(b"%d" % facts.st_mtime_ns)
                else:
                    with open(path, "rb") as file:
                        digest.update(file.read())
            except OSError:
                pass  # gone meanwhile
    return digest.hexdigest()


def drive(spec: Fields, texts: list[str]) -> None:
    if spec.get("code") is None and spec["cwd"] is not None:
        spec["work"] += " " + code_digest(spec["cwd"])
    results = Results(spec, texts)
    results.announce()
    missing = results.missing()
    if results.adopted:
        words = "grid: %d of %d results are kept from an earlier attempt, %d are left to do"
        write_line(2, words % (results.adopted, len(texts), len(missing)))
    queue = Queue(texts, missing, spec["batch_size"])
    names = ("item_timeout", "item_retries", "item_retry_on", "setup")
    job = {
        "id": spec["id"],
        "target": spec["target"],
        "cwd": spec["cwd"],
        "root": spec.get("root"),
        "node": spec["node"],
        # Values come from this process's environment, so that secrets are in no file.
        "env": {name: os.environ[name] for name in spec["forward"] if name in os.environ},
        **{name: spec[name] for name in names if spec.get(name)},
    }
    job["env"][MARK_NAME] = spec["id"]
    try:
        if queue:
            MODES[spec["mode"]](spec, job, queue, results)
    finally:
        results.announce()
    if spec.get("say_results"):
        publish(results)


def main(path: str) -> None:
    listen_for_stop()
    spec, texts = read_spec(path)
    if not spec.get("say_results"):
        os.remove(path)  # what it holds may have come from a secret, and nobody reads it again
    try:
        drive(spec, texts)
        code = 0
    except Stopped:
        code = 143
    except Problem as problem:
        say(spec["mark"], {"problem": str(problem), "hint": problem.hint})
        code = 3
    end_unused()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # Ray's own shutdown may take seconds; nothing here is left to close


if __name__ == "__main__":
    main(sys.argv[1])
