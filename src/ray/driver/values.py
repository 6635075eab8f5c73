# ---- In a worker: results as JSON ----------------------------------------------------------------


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


class NotJson(ValueError):
    """A result has no JSON form; the words say what it is and where it stands."""


def as_json(value: Any) -> str:
    """The value as JSON text: exact, or in a form that docs/ray.md names, or `NotJson`."""
    try:
        kind = type(value)
        if kind is int:
            return repr(value)
        if kind is str:
            return json.encoder.encode_basestring_ascii(value)
        if kind is Printed:
            return printed_json(value)
        return json.dumps(plain(value, "result", 0))
    except (NotJson, RecursionError) as error:
        words = str(error) or "it is nested too deeply"
    except Exception as error:  # objects may do anything when they are looked at
        words = "%s: %s" % (type(error).__name__, error)
    raise NotJson("the result is not JSON: %.500s" % words)


def printed_json(text: str) -> str:
    """Digit for digit where it is JSON, else as text."""
    try:
        json.loads(text)
    except ValueError:
        return json.dumps(str(text))
    if text.count("[") + text.count("{") > MOST_NESTING:
        plain(json.loads(text), "result", 0)
    # Between the parts of JSON the end of a line is a blank; inside its texts it cannot stand.
    return text.replace("\r", " ").replace("\n", " ")


def plain(value: Any, place: str, depth: int) -> object:
    """The value made of what `json` knows."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if depth > MOST_NESTING:
        raise NotJson("it is nested more than %d deep" % MOST_NESTING)
    if isinstance(value, enum.Enum):
        return plain(value.value, place, depth + 1)
    if isinstance(value, dict) or hasattr(value, "keys") and hasattr(value, "__getitem__"):
        if not hasattr(value, "to_dict"):
            return plain_dict(value, place, depth)
    if isinstance(value, (list, tuple, collections.deque, range)):
        return [plain(item, "%s[%d]" % (place, at), depth + 1) for at, item in enumerate(value)]
    if isinstance(value, (set, frozenset)):
        return plain_set(value, place, depth)
    text = as_text(value)
    if text is not None:
        return text
    import datetime

    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    for kind in (int, float, str):  # classes derived from these, such as numpy's float64
        if isinstance(value, kind):
            return kind(value)
    if hasattr(type(value), "__dataclass_fields__"):
        fields = {name: getattr(value, name) for name in value.__dataclass_fields__}
        return plain_dict(fields, place, depth)
    return plain_array(value, place, depth)


def as_text(value: object) -> str | None:
    """Kinds that have one usual way to be written; None for all others."""
    import base64
    import datetime
    import decimal
    import fractions
    import uuid

    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (decimal.Decimal, fractions.Fraction, uuid.UUID)):
        return str(value)
    if isinstance(value, os.PathLike):
        return os.fsdecode(os.fspath(value))
    return None


def plain_dict(value: Any, place: str, depth: int) -> dict[str, object]:
    made = {}
    for key in value.keys():
        name = key_text(key, place)
        if name in made:
            raise NotJson("at %s: two keys become %r" % (place, name))
        made[name] = plain(value[key], "%s.%s" % (place, name), depth + 1)
    return made


def key_text(key: object, place: str) -> str:
    if isinstance(key, enum.Enum):
        key = key.value
    if isinstance(key, str):
        return str(key)
    if key is None or isinstance(key, (bool, int, float)):
        return json.dumps(key)
    text = as_text(key)
    if text is None:
        raise NotJson("at %s: a key is a %s" % (place, type_name(key)))
    return text


def plain_set(value: Iterable[object], place: str, depth: int) -> list[object]:
    items = [plain(item, place + "{}", depth + 1) for item in value]
    return sorted(items, key=lambda item: (type(item).__name__, json.dumps(item)))


def plain_array(value: Any, place: str, depth: int) -> object:
    """Numbers and arrays of numpy and torch, tables of pandas; told by what they can do."""
    dtype = getattr(getattr(value, "dtype", None), "kind", None)
    if dtype in ("m", "M") and getattr(value, "shape", None) == ():
        return str(value)  # as a number it would depend on its unit
    made = value
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        made = value.to_dict(orient="records")
    elif dtype in ("m", "M"):
        made = value.astype(str).tolist()
    elif hasattr(value, "detach") and hasattr(value, "cpu"):
        made = value.detach().cpu().tolist()
    elif hasattr(value, "tolist"):
        made = value.tolist()
    if type(made) is type(value) or made is value:
        raise NotJson("at %s: %s%s" % (place, type_name(value), ADVICE.get(type(value).__name__, "")))
    if dtype in ("b", "i", "u", "f") and isinstance(made, list) and value.dtype.itemsize <= 8:
        return made  # nothing but numbers that Python has, too
    return plain(made, place, depth + 1)


ADVICE = {
    "coroutine": ", of an `async def`: let the function run it by `asyncio.run(…)`",
    "generator": ": let the function return `list(…)`",
}


def type_name(value: object) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else kind.__module__ + "." + kind.__qualname__


