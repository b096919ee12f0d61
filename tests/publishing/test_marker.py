"""Hidden marks: ours are known, look-alikes are nothing."""

import pytest

from reviewbot.publishing.marker import Kind, Marks, Scope, own_marker

SCOPE = Scope(12, "345", 7, "a" * 40, "b" * 40, "auto")
MARKS = Marks(b"secret", SCOPE)


def test_our_mark_is_known_at_the_end_of_a_text() -> None:
    text = f"Some words\n\n{MARKS.mark('review')}"

    assert MARKS.mark("review").startswith("<!-- reviewbot:v1 review ")
    assert MARKS.is_own(text, "review")
    assert MARKS.is_own(text + "\r\n", "review")


@pytest.mark.parametrize(
    "scope",
    [
        SCOPE._replace(installation=13),
        SCOPE._replace(repository="346"),
        SCOPE._replace(number=8),
        SCOPE._replace(head="c" * 40),
        SCOPE._replace(base="c" * 40),
        SCOPE._replace(request="comment:9"),
    ],
)
def test_each_run_has_its_own_mark(scope: Scope) -> None:
    assert not own_marker(MARKS.mark("review"), b"secret", "review", scope)


def test_a_pull_request_keeps_its_summary_over_pushes() -> None:
    pushed = SCOPE._replace(head="c" * 40, base="d" * 40, request="comment:9")

    assert own_marker(MARKS.mark("summary"), b"secret", "summary", pushed)
    assert not own_marker(MARKS.mark("summary"), b"secret", "summary", SCOPE._replace(number=8))


def test_look_alikes_are_nothing() -> None:
    forged = Marks(b"guess", SCOPE).mark("review")
    mark = MARKS.mark("review")
    kind = mark.replace(" review ", " summary ")

    for text in (forged, kind, mark[:-5] + "0 -->", mark + " x", f"> {mark}", f"{mark}\nmore", ""):
        assert not MARKS.is_own(text, "review")
        assert not MARKS.is_own(text, "summary")


def test_odd_texts_are_nothing() -> None:
    for text in ("\ud800", "é" * 300, "<!-- reviewbot:v1 -->", "\n" * 9):
        assert not MARKS.is_own(text, "review")
        assert MARKS.fingerprint_in(text) is None


def test_a_comment_on_a_line_says_which_finding_it_is() -> None:
    mark = MARKS.finding_mark("00ab54a98ceb1f0a")
    later = Marks(b"secret", SCOPE._replace(head="c" * 40))
    elsewhere = Marks(b"secret", SCOPE._replace(number=8))

    assert later.fingerprint_in(f"Body\n\n{mark}") == "00ab54a98ceb1f0a"
    assert elsewhere.fingerprint_in(mark) is None
    assert Marks(b"guess", SCOPE).fingerprint_in(mark) is None
    assert MARKS.fingerprint_in(MARKS.mark("review")) is None


@pytest.mark.parametrize("kind", ["review", "moved"])
def test_a_summary_says_which_run_wrote_it(kind: Kind) -> None:
    summary = f"Words\n\n{MARKS.mark(kind)}\n\n{MARKS.mark('summary')}\n"
    pushed = Marks(b"secret", SCOPE._replace(head="c" * 40))

    assert MARKS.is_of_run(summary)
    assert not pushed.is_of_run(summary)
    assert pushed.is_own(summary, "summary")
    assert not MARKS.is_of_run(f"Words\n\n{MARKS.mark('summary')}")
    assert not MARKS.is_of_run(f"Words\n\n{MARKS.mark(kind)}")
    assert not Marks(b"guess", SCOPE).is_of_run(summary)


def test_the_secret_is_not_shown() -> None:
    assert "secret" not in repr(MARKS)
