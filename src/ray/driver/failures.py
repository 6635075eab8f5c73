# ---- In a worker: what is said of an item that failed --------------------------------------------


def describe(error: BaseException) -> str:
    """Class and words first, then where; short enough for a report."""
    import itertools
    import traceback

    is_ours = isinstance(error, (ItemTimeout, NotJson))
    head = middle_cut(str(error) if is_ours else words_of(error), ERROR_CHARACTERS // 2)
    notes = getattr(error, "__notes__", None)
    for note in notes if isinstance(notes, list) else []:
        head += "\n" + middle_cut(str(note), 1000)
    for one in itertools.islice(members(error), MOST_MEMBERS):
        head += "\namong them " + middle_cut(words_of(one), 500)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not is_foreign(frame.filename)]
    where = "".join(traceback.format_list(own[-5:])).rstrip()
    words = head + "\n" + where if where else head
    cause = error.__cause__
    if cause is not None and not isinstance(error, NotJson):
        words += "\nbecause of " + middle_cut(words_of(cause), 1000)
    return words[:ERROR_CHARACTERS]


# Of a group of exceptions so many are named.
MOST_MEMBERS = 5


def words_of(error: BaseException) -> str:
    try:
        words = str(error)
    except BaseException as other:  # exceptions may do anything when they are looked at
        words = "(its words cannot be read: %s)" % type(other).__name__
    return "%s: %s" % (type(error).__name__, words)


def members(error: BaseException) -> Iterator[BaseException]:
    """Of a group, those of its groups included."""
    parts = getattr(error, "exceptions", None)
    for part in parts if isinstance(parts, tuple) else ():
        if isinstance(part, BaseException):
            yield part
            yield from members(part)


def middle_cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    half = most // 2
    return "%s … %d characters … %s" % (text[:half], len(text) - 2 * half, text[-half:])


def is_foreign(file: str) -> bool:
    """Frames that say nothing about the user's code: this driver and Python's own library."""
    library = os.path.dirname(os.__file__) + os.sep
    packages = os.sep + "site-packages" + os.sep
    in_library = file.startswith((library, "<frozen")) and packages not in file
    return in_library or os.path.basename(file) == "batch_driver.py"


def describe_exit(code: int) -> str:
    if code >= 0:
        return "exit code %d" % code
    try:
        return "signal %s" % signal.Signals(-code).name
    except ValueError:
        return "signal %d" % -code


