"""What becomes of a finding: open where its code is, fixed only where that is really gone."""

import difflib
import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from reviewbot.change.model import Change, Sources
from reviewbot.change.parse import parse_diff
from reviewbot.publishing.fingerprint import with_fingerprint
from reviewbot.publishing.life import Life, Lives, Seen, State, born, lived
from reviewbot.review.anchor import Anchors
from reviewbot.review.answer import Category, Remark, Severity
from reviewbot.review.finding import Finding

Files = Mapping[str, str]

BASE = {"a.py": "def a(user):\n    check(user)\n    return user\n\n\ndef z():\n    pass\n"}
BAD = "    skip_all_checks(user)"
HEAD = {"a.py": BASE["a.py"].replace("    check(user)", BAD)}


def seen(base: Files, head: Files, *, unread: tuple[str, ...] = (), **facts: object) -> Seen:
    """The head against its base, with the texts that a host would give."""
    paths = [p for p in dict.fromkeys([*base, *head]) if base.get(p) != head.get(p)]
    change = parse_diff("".join(section(p, base.get(p), head.get(p)) for p in paths))
    texts = {path: text for path, text in head.items() if path not in unread}
    absent = frozenset(path for path in base if path not in head)
    usual = Seen(replace(change, head="2" * 40), Sources(texts, {}, absent), {}, frozenset())
    return usual._replace(**facts)


def section(path: str, old: str | None, new: str | None) -> str:
    lines = [text.splitlines(keepends=True) if text else [] for text in (old, new)]
    names = [f"{side}/{path}" if text is not None else "/dev/null" for side, text in
             (("a", old), ("b", new))]  # fmt: skip
    kind = "new file mode 100644\n" if old is None else ""
    kind = "deleted file mode 100644\n" if new is None else kind
    return f"diff --git a/{path} b/{path}\n{kind}" + "".join(
        difflib.unified_diff(lines[0], lines[1], *names)
    )


def remark(change: Change, quote: str = BAD, *, line: int = 2, **facts: object) -> Finding:
    """As a model says it, with its place proved."""
    said = Remark(
        path="a.py", line=line, end_line=None, quote=quote, severity=Severity.HIGH,
        category=Category.SECURITY, title="Nobody is checked", body="Check.", suggestion=None,
        confidence=0.9,
    )  # fmt: skip
    return with_fingerprint(replace(Anchors(change).anchor(said, engine="claude"), **facts))


@pytest.fixture
def life() -> Life:
    """Of a finding on the first head, with a comment."""
    first = seen(BASE, HEAD)
    return replace(born(remark(first.change), "r:0", first), inline=True)


def after(life: Life, now: Seen, *said: Finding) -> Lives:
    return lived([life], said, now)


def test_code_that_only_moved_is_open_at_its_new_line(life: Life) -> None:
    moved = {"a.py": "import os\nimport re\n" + HEAD["a.py"].replace(BAD, f"    {BAD}")}

    lives = after(life, seen(BASE, moved))

    [now] = lives.open
    assert (now.finding.line, now.finding.anchored, now.since) == (4, True, life.since)
    assert (lives.fixed_now, lives.new) == ((), ())


def test_code_that_was_changed_is_fixed_once(life: Life) -> None:
    mended = seen(BASE, {"a.py": HEAD["a.py"].replace(BAD, "    check_well(user)")})

    first = after(life, mended)
    second = after(first.all[0], mended._replace(change=replace(mended.change, head="3" * 40)))

    assert [one.fixed_in for one in first.fixed_now] == ["2" * 40]
    assert first.open == second.open == second.fixed_now == ()
    assert second.all[0].fixed_in == "2" * 40


def test_a_file_that_is_as_the_base_has_it_is_fixed_or_not_by_its_text(life: Life) -> None:
    reverted = seen(BASE, {**BASE, "b.py": "x = 1\n"})
    same_lines_in_the_base = seen(HEAD, {**HEAD, "b.py": "x = 1\n"})

    assert after(life, reverted).all[0].state is State.FIXED
    [still] = after(life, same_lines_in_the_base).open
    assert (still.finding.anchored, still.finding.line) == (False, 2)
    assert "not in the diff" in still.finding.unanchored_reason


def test_of_a_file_that_could_not_be_read_nothing_is_fixed(life: Life) -> None:
    mended = {"a.py": HEAD["a.py"].replace(BAD, "    check_well(user)")}

    unread = after(life, seen(BASE, mended, unread=("a.py",)))
    gone_from_the_diff = after(life, seen(BASE, BASE, unread=("a.py",)))

    assert unread.open == gone_from_the_diff.open == (life,)


def test_a_deleted_file_is_fixed_unless_its_code_moved(life: Life) -> None:
    deleted = seen(BASE, {})
    moved = seen(
        BASE, {"lib/b.py": "import os\n\n\ndef b(user):\n" + BAD + "(again)\n" + BAD + "\n"}
    )

    assert after(life, deleted).all[0].state is State.FIXED
    [there] = after(life, moved).open
    assert (there.finding.path, there.finding.line) == ("lib/b.py", 6)
    assert there.mark == life.mark != there.finding.fingerprint


def test_the_flagged_one_of_twins_is_fixed_though_the_other_stays() -> None:
    twin = BASE["a.py"] + f"\n\n\n\n\ndef old(user):\n{BAD}\n"
    both = {"a.py": twin.replace("    check(user)", BAD)}
    first = seen({"a.py": twin}, both)
    life = born(remark(first.change), "r:0", first)

    mended = seen({"a.py": twin}, {"a.py": twin.replace("    check(user)", "    check_well(user)")})

    assert life.count == 2
    assert after(life, mended).all[0].state is State.FIXED


def test_of_unchanged_twins_nobody_knows_which_is_gone() -> None:
    context = {"a.py": "a = 1\nshared()\nb = 2\nc = 3\nd = 4\nshared()\n"}
    head = {"a.py": context["a.py"].replace("a = 1", "a = 9")}
    first = seen(context, head)
    life = born(remark(first.change, "shared()"), "r:0", first)

    fewer = seen(context, {"a.py": head["a.py"].replace("d = 4\nshared()\n", "d = 4\n")})

    assert (life.added, life.count) == (False, 2)
    assert after(life, fewer).all[0].state is State.OPEN


def test_what_comes_back_is_open_again_and_no_news(life: Life) -> None:
    mended = seen(BASE, {"a.py": HEAD["a.py"].replace(BAD, "    check_well(user)")})
    fixed = after(replace(life, comment_id=77), mended).all[0]

    back = after(fixed, seen(BASE, HEAD))
    said = after(fixed, seen(BASE, HEAD), remark(seen(BASE, HEAD).change))

    for lives in (back, said):
        [now] = lives.open
        assert (now.fixed_in, now.comment_id, now.since) == ("", 77, life.since)
        assert lives.new == ()


def test_what_is_said_again_in_other_words_is_no_news(life: Life) -> None:
    now = seen(BASE, HEAD)
    longer = remark(now.change, f"{BAD}\n    return user", title="Nobody is checked here")
    other = remark(now.change, "    return user", line=3, title="It returns the wrong thing")

    lives = after(life, now, longer, other)

    assert longer.fingerprint != life.mark
    assert lives.new == (other,)
    assert [one.finding.end_line for one in lives.open] == [3]


def test_what_is_dismissed_is_silent_whatever_happens(life: Life) -> None:
    now = seen(BASE, HEAD, dismissed=frozenset({life.mark}))
    longer = remark(now.change, f"{BAD}\n    return user")

    silent = after(life, now, longer)
    later = after(silent.all[0], now._replace(dismissed=frozenset()))

    assert silent.open == silent.new == ()
    assert silent.all[0].state is State.DISMISSED
    assert later.open == ()


def test_removed_code_is_fixed_when_it_is_put_back() -> None:
    head = {"a.py": BASE["a.py"].replace("    check(user)\n", "")}
    first = seen(BASE, head)
    life = born(remark(first.change, "    check(user)"), "r:0", first)
    still = seen(BASE, {"a.py": "import os\n" + head["a.py"]})
    put_back = seen(BASE, {"a.py": "import os\n" + BASE["a.py"]})
    base_removed_it = seen(head, {"a.py": "import os\n" + head["a.py"]})

    assert life.finding.side == "LEFT"
    assert after(life, still).all[0].state is State.OPEN
    assert after(life, put_back).all[0].state is State.FIXED
    assert after(life, base_removed_it).all[0].state is State.OPEN


def test_a_remark_without_a_place_ends_when_its_file_is_read_again_without_it() -> None:
    first = seen(BASE, HEAD)
    life = born(remark(first.change, "def test_it"), "r:0", first)

    untouched = after(life, first)
    read_again = after(life, first._replace(read=frozenset({"a.py"})))
    said_again = after(life, first._replace(read=frozenset({"a.py"})), life.finding)

    assert life.finding.line is None
    assert untouched.all == (life,)
    assert read_again.all[0].state is State.LAPSED
    assert read_again.fixed_now == ()
    assert said_again.all[0].state is State.OPEN


@pytest.mark.parametrize("quote", [BAD, ""])
def test_what_an_analyser_says_no_more_is_fixed_if_it_looked(quote: str) -> None:
    first = seen(BASE, HEAD)
    finding = remark(first.change, engine="ruff", rule="F821")
    life = born(with_fingerprint(replace(finding, quote=quote)), "r:0", first)
    looked = first._replace(ran=frozenset({"ruff"}), analyzed=frozenset({"a.py"}))

    assert after(life, first).all[0].state is State.OPEN
    assert after(life, looked).all[0].state is State.FIXED
    assert after(life, looked, life.finding).all[0].state is State.OPEN


def test_a_renamed_file_keeps_its_findings(life: Life) -> None:
    renamed = seen({}, {"b.py": HEAD["a.py"]}, names={"b.py": "a.py"})
    said = with_fingerprint(replace(life.finding, path="b.py"))

    lives = after(life, renamed, said)

    [now] = lives.open
    assert (now.finding.path, now.finding.line, now.mark) == ("b.py", 2, life.mark)
    assert lives.new == ()


def test_a_life_survives_being_written_down(life: Life) -> None:
    assert Life.from_json(json.loads(json.dumps(life.to_json()))) == life
