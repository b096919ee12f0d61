"""Edits are known again wherever they stand, and only they."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reviewbot.change.identity import edits_in, followed, with_edits
from reviewbot.change.identity import edits_of as found_in
from reviewbot.change.model import Change, FileChange, Hunk, Status
from reviewbot.change.parse import parse_diff

#: Lines of code: no two of a file are the same by chance.
LINES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1, max_size=20)
CONTEXT = LINES.map(lambda text: f" {text}")
EDIT = st.lists(LINES.map(lambda text: f"+{text}"), min_size=1, max_size=4) | st.lists(
    LINES.map(lambda text: f"-{text}"), min_size=1, max_size=4
)


@st.composite
def hunks(draw: st.DrawFn) -> Hunk:
    """Edits with context between and around them."""
    body = draw(st.lists(CONTEXT, min_size=1, max_size=4))
    for _ in range(draw(st.integers(1, 3))):
        body += draw(EDIT) + draw(st.lists(CONTEXT, min_size=1, max_size=4))
    return hunk(body, draw(st.integers(1, 500)))


def hunk(body: list[str], start: int = 1, section: str = "") -> Hunk:
    old, new = (sum(raw[:1] in (" ", mark) for raw in body) for mark in "-+")
    return Hunk(start, old, start, new, section, tuple(body))


def edits_of(one: Hunk) -> tuple[str, ...]:
    """Identities, in their order."""
    return tuple(edit.identity for edit in found_in(one))


def file(*parts: Hunk, path: str = "a.py") -> FileChange:
    return FileChange(path, Status.MODIFIED, hunks=parts)


@given(hunks(), st.integers(1, 10_000), st.text(max_size=10))
def test_numbers_and_the_function_around_do_not_matter(one: Hunk, start: int, section: str) -> None:
    moved = replace(one, old_start=start, new_start=start + 7, section=section)

    assert edits_of(moved) == edits_of(one)


@given(hunks(), st.lists(CONTEXT, max_size=5), st.lists(CONTEXT, max_size=5))
def test_more_context_does_not_matter(one: Hunk, above: list[str], below: list[str]) -> None:
    wider = hunk([*above, *one.body, *below])

    assert edits_of(wider) == edits_of(one)


@given(hunks(), hunks())
def test_how_edits_are_joined_to_hunks_does_not_matter(one: Hunk, other: Hunk) -> None:
    joined = hunk([*one.body, *other.body])

    assert Counter(edits_of(joined)) == edits_in(file(one, other)) == edits_in(file(other, one))


@given(st.lists(hunks(), min_size=1, max_size=4), st.randoms())
def test_the_order_of_files_and_their_names_do_not_matter(parts: list[Hunk], chance) -> None:
    files = [file(part, path=f"{n}.py") for n, part in enumerate(parts)]
    known = {each.path: set(edits_in(each)) for each in files}
    renamed = [replace(each, path=f"new/{each.path}") for each in files]
    chance.shuffle(renamed)

    names = followed(Change(tuple(renamed)), known)

    assert names.keys() == {each.path for each in renamed}
    for each in renamed:
        assert edits_in(each).keys() <= known[names[each.path]]


@given(hunks(), st.data())
def test_changed_content_always_matters(one: Hunk, data: st.DataObject) -> None:
    changed = [n for n, raw in enumerate(one.body) if raw[:1] != " "]
    at = data.draw(st.sampled_from(changed))
    other = data.draw(LINES.filter(lambda text: text != one.body[at][1:]))
    body = [*one.body[:at], one.body[at][:1] + other, *one.body[at + 1 :]]

    assert edits_of(hunk(body)) != edits_of(one)


@given(hunks(), st.data())
def test_a_line_more_or_less_matters(one: Hunk, data: st.DataObject) -> None:
    changed = [n for n, raw in enumerate(one.body) if raw[:1] != " "]
    at = data.draw(st.sampled_from(changed))
    twice = [*one.body[: at + 1], *one.body[at:]]

    assert Counter(edits_of(hunk(twice))) != Counter(edits_of(one))


@given(hunks())
def test_the_same_lines_added_or_removed_are_two_things(one: Hunk) -> None:
    turned = [{"+": "-", "-": "+"}.get(raw[:1], " ") + raw[1:] for raw in one.body]

    assert edits_of(hunk(turned)) != edits_of(one)


def test_a_line_in_another_function_is_another_edit() -> None:
    """Nobody has read it there: `return True` is not the same everywhere."""
    harmless = hunk([" def is_open(shop):", "+    return True", "     "])
    bad = hunk([" def may_refund(user):", "+    return True", "     "])

    assert edits_of(harmless) != edits_of(bad)


def test_equal_edits_of_a_file_are_counted() -> None:
    part = [" def a():", "+    log()", " "]
    once, twice = file(hunk(part)), file(hunk(part), hunk(part, 40))

    assert edits_in(twice) == Counter(dict.fromkeys(edits_in(once), 2))


def test_the_end_of_a_file_without_a_line_feed_matters() -> None:
    body = [" a", "-b", "+b"]
    lost = replace(hunk(body), new_no_newline=True)
    given_back = replace(hunk(body), old_no_newline=True)

    assert edits_of(lost) != edits_of(given_back)


def test_a_rename_that_git_tells_and_one_that_it_does_not() -> None:
    told = parse_diff(
        "diff --git a/old.py b/new.py\nsimilarity index 90%\nrename from old.py\nrename to new.py\n"
        "--- a/old.py\n+++ b/new.py\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
    )
    added = parse_diff(
        "diff --git a/now.py b/now.py\nnew file mode 100644\n--- /dev/null\n+++ b/now.py\n"
        "@@ -0,0 +1,2 @@\n+a\n+b\n"
    )
    whole = set(edits_in(added.files[0]))

    assert followed(told, {"old.py": {"0" * 32}}) == {"new.py": "old.py"}
    assert followed(added, {"then.py": whole, "other.py": {"1" * 32}}) == {"now.py": "then.py"}
    assert followed(added, {"now.py": whole, "then.py": whole}) == {}
    assert followed(added, {"then.py": {"2" * 32}}) == {}


PARAGRAPHS = [f"def f{n}(x):\n    y = x + {n}\n    return y * {n}\n" for n in range(20)]


def new_file(paragraphs: list[str]) -> FileChange:
    lines = "\n".join(paragraphs).split("\n")
    [made] = parse_diff(
        "diff --git a/n.py b/n.py\nnew file mode 100644\n--- /dev/null\n+++ b/n.py\n"
        f"@@ -0,0 +1,{len(lines)} @@\n" + "".join(f"+{line}\n" for line in lines)
    ).files
    return made


@given(st.integers(0, 19))
def test_of_a_long_new_file_only_what_changed_is_new(at: int) -> None:
    before = new_file(PARAGRAPHS)
    changed = [*PARAGRAPHS[:at], "def g():\n    return None\n", *PARAGRAPHS[at + 1 :]]
    after = new_file(changed)

    unread = edits_in(after).keys() - edits_in(before).keys()
    parts = with_edits(after.hunks[0], unread)

    shown = [line for part in parts for line in part.lines]
    whole = {line.new: line.text for line in after.hunks[0].lines}
    assert "def g():" in {line.text for line in shown}
    assert len(shown) < 25 < len(whole)
    assert all(whole[line.new] == line.text for line in shown)
    assert unread <= {edit for part in parts for edit in edits_of(part)}


@given(hunks(), st.randoms())
def test_a_part_of_a_hunk_has_the_same_edits_at_the_same_lines(one: Hunk, chance) -> None:
    long = hunk([*(f" {n}" for n in range(20)), *one.body, *(f" {n}" for n in range(20))], 7)
    edits = edits_of(long)
    wanted = frozenset(chance.sample(edits, chance.randint(0, len(edits))))

    parts = with_edits(long, wanted)

    known = {edit for part in parts for edit in edits_of(part)}
    assert wanted <= known
    lines = set(long.lines)
    assert all(line in lines for part in parts for line in part.lines)
