"""The hidden record of a summary: it comes back as it was, and nothing else counts as one."""

import base64
import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from reviewbot.publishing.record import MAX_LINE, Place, seal, unseal, with_record

SECRET = b"a state key"
PLACE = Place(1234, 7)
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=20)
DATA = st.dictionaries(
    st.text(max_size=8),
    st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4), max_leaves=8),
    max_size=6,
)
TEXTS = st.text(max_size=200)


def sealed(data: dict[str, object]) -> str:
    line = seal(SECRET, PLACE, data)
    assert line is not None
    return line


@given(data=DATA, above=TEXTS, below=TEXTS)
def test_a_record_comes_back_from_any_comment(
    data: dict[str, object], above: str, below: str
) -> None:
    line = sealed(data)

    assert unseal(SECRET, PLACE, f"{above}\n{line}\n{below}") == (data, "")
    assert "\n" not in line
    assert "--" not in line.removeprefix("<!--").removesuffix("-->")


@given(data=DATA, at=st.integers(min_value=0), to=st.characters(codec="ascii"))
def test_a_changed_character_makes_it_nothing(data: dict[str, object], at: int, to: str) -> None:
    line = sealed(data)
    at %= len(line)
    changed = line[:at] + to + line[at + 1 :]

    opened = unseal(SECRET, PLACE, changed)

    assert opened.data is None or changed == line


@given(data=DATA, repository=st.integers(0, 2**63), number=st.integers(0, 2**40))
def test_a_record_of_another_pull_request_is_nothing(
    data: dict[str, object], repository: int, number: int
) -> None:
    elsewhere = Place(repository, number)

    opened = unseal(SECRET, elsewhere, sealed(data))

    if elsewhere != PLACE:
        assert opened == (None, "it is not signed by our key for this pull request")


@given(data=DATA, secret=st.binary(max_size=40))
def test_without_the_key_nobody_makes_one(data: dict[str, object], secret: bytes) -> None:
    forged = seal(secret, PLACE, data)

    assert forged
    assert secret == SECRET or unseal(SECRET, PLACE, forged).data is None


def test_another_version_is_named_even_if_its_hmac_were_right() -> None:
    older = sealed({"a": 1}).replace("record:v1 ", "record:v0 ")

    assert unseal(SECRET, PLACE, older) == (
        None,
        "it is of version 0, this reviewbot reads 1",
    )


def test_a_record_cannot_be_passed_off_as_one_of_another_version() -> None:
    """The version is signed, too: relabelled as today's, an old one is still nothing."""
    payload = base64.b64encode(b'{"a":1}').decode()
    old = "\0".join(["reviewbot-record", "0", "1234", "7", payload]).encode()
    code = hmac.new(SECRET, old, hashlib.sha256).hexdigest()

    relabelled = f"<!-- reviewbot-record:v1 {payload} {code} -->"

    assert unseal(SECRET, PLACE, relabelled).data is None


def test_what_only_looks_like_one_is_named_and_plain_comments_are_not() -> None:
    assert unseal(SECRET, PLACE, "<!-- reviewbot-record:v1 nonsense -->").ignored
    assert unseal(SECRET, PLACE, "No record here.") == (None, "")


def test_the_last_of_several_counts() -> None:
    """A model's text stands above ours; it could repeat a true record that it was shown."""
    comment = f"{sealed({'n': 1})}\n\nwords\n\n{sealed({'n': 2})}\n\n<!-- a mark -->"

    assert unseal(SECRET, PLACE, comment).data == {"n": 2}


def test_a_record_is_changed_in_its_place() -> None:
    comment = f"## Summary\n\n{sealed({'n': 1})}\n\n<!-- a mark -->"

    changed = with_record(comment, sealed({"n": 2}))

    assert changed == f"## Summary\n\n{sealed({'n': 2})}\n\n<!-- a mark -->"
    assert with_record("## No record", sealed({})) == "## No record"


def test_one_that_is_too_long_is_none() -> None:
    room = (MAX_LINE - 200) * 3 // 4

    assert seal(SECRET, PLACE, {"a": "x" * room})
    assert seal(SECRET, PLACE, {"a": "x" * (room + 400)}) is None
