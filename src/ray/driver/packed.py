# ---- How a batch travels to a worker of Ray, and back --------------------------------------------
#
# Lists of pairs cost both processes more than many a small task does. So a batch is one text, and what
# comes back, where all of its items have succeeded, is the lines of the results file as they are to stand there.


def pack(items: Items, ordinals: list[int] | None) -> Fields:
    indices: Any = [index for index, _ in items]
    whole = range(indices[0], indices[0] + len(indices))
    return {
        "indices": whole if indices == list(whole) else indices,
        # No text of JSON on one line holds the end of one.
        "texts": "\n".join([text for _, text in items]),
        "ordinals": ordinals and [ordinals[index] for index in indices],
    }


def answer_of(batch: Fields, outcomes: list[tuple[int, bool, str]]) -> Fields:
    """`lines` for the results file and `ordered` for Grid where all have succeeded, else `outcomes`.

    Large values are the same work in each form, and would be there twice.
    """
    if not all(ok for _, ok, _ in outcomes) or sum(len(text) for _, _, text in outcomes) > LARGE_VALUES:
        return {"outcomes": [(index, ok, as_bytes(text)) for index, ok, text in outcomes]}
    values = [text for _, _, text in outcomes]
    digest = item_digest
    ordinals = batch["ordinals"] or itertools.repeat(0)
    whole = zip(as_bytes(batch["texts"]).split(b"\n"), ordinals, batch["indices"], values)
    lines = [VALUE_LINE % (digest(text), ordinal, index, value) for text, ordinal, index, value in whole]
    return {"lines": as_bytes("".join(lines)), "ordered": as_bytes("=%s\n" % "\n=".join(values))}


# Characters of a batch's results together.
LARGE_VALUES = 4 << 20


