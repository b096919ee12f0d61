"""A finding stands where the code it quotes stands, or it says why it has no place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewbot.change.model import Change
from reviewbot.change.parse import parse_diff
from reviewbot.review.anchor import Anchors
from reviewbot.review.answer import Remark
from reviewbot.review.finding import Finding


def remark(**said: object) -> Remark:
    usual = {
        "path": "app/login.py",
        "line": 7,
        "end_line": None,
        "quote": "    if user.digest == digest(password):",
        "severity": "high",
        "category": "security",
        "title": "Comparison leaks timing",
        "body": "Use hmac.compare_digest.",
        "suggestion": None,
        "confidence": 0.9,
    }
    return Remark.model_validate(usual | said)


def anchor(
    said: Remark,
    change: Change,
    *,
    engine: str,
    source: dict[str, str] | None = None,
    shown: dict[str, list[str]] | None = None,
) -> Finding:
    return Anchors(change, source).anchor(said, engine=engine, shown=shown)


def test_quoted_code_beats_a_wrong_number(login_change: Change) -> None:
    finding = anchor(remark(line=3), login_change, engine="claude")

    assert (finding.anchored, finding.side, finding.line, finding.end_line) == (True, "RIGHT", 7, 7)


@pytest.mark.parametrize(
    "quote",
    [
        "if user.digest == digest(password):",
        "7 +    if user.digest == digest(password):",
        "+    if user.digest == digest(password):",
        "    if user.digest  ==  digest(password):\r\n",
    ],
)
def test_a_quote_may_lack_indentation_or_carry_number_and_marker(
    login_change: Change, quote: str
) -> None:
    finding = anchor(remark(quote=quote), login_change, engine="claude")

    assert finding.line == 7


def test_several_quoted_lines_become_a_range_without_the_removed_ones(login_change: Change) -> None:
    quote = "        return None\n    if user.digest == digest(password):\n        audit(user)"

    finding = anchor(remark(line=6, end_line=8, quote=quote), login_change, engine="claude")

    assert (finding.line, finding.end_line) == (6, 8)


def test_a_removed_line_is_commented_on_the_left(login_change: Change) -> None:
    finding = anchor(remark(quote="raise Denied", line=6), login_change, engine="claude")

    assert (finding.side, finding.line) == ("LEFT", 6)


def test_of_two_equal_lines_the_one_nearest_to_the_number_is_meant() -> None:
    diff = "--- a/a.py\n+++ b/a.py\n@@ -0,0 +1,5 @@\n+retry()\n+x = 1\n+y = 2\n+z = 3\n+retry()\n"
    change = parse_diff("diff --git a/a.py b/a.py\nnew file mode 100644\n" + diff)

    first = anchor(remark(path="a.py", quote="retry()", line=2), change, engine="e")
    last = anchor(remark(path="a.py", quote="retry()", line=4), change, engine="e")

    assert (first.line, last.line) == (1, 5)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"path": "nowhere.py"}, "the change has no such file"),
        ({"quote": ""}, "no code is quoted"),
        ({"quote": "launch_missiles()"}, "the quoted code is not in the diff"),
    ],
)
def test_what_has_no_place_is_kept_with_its_reason(
    login_change: Change, said: dict[str, object], reason: str
) -> None:
    finding = anchor(remark(**said), login_change, engine="claude")

    assert not finding.anchored
    assert finding.line is None
    assert finding.unanchored_reason == reason
    assert finding.title == "Comparison leaks timing"


def test_a_lone_bracket_anchors_only_near_its_number() -> None:
    lines = "".join(f"+line {n}\n" for n in range(1, 30))
    change = parse_diff(
        "diff --git a/a.c b/a.c\nnew file mode 100644\n--- /dev/null\n+++ b/a.c\n"
        "@@ -0,0 +1,30 @@\n" + lines + "+}\n"
    )

    near = anchor(remark(path="a.c", quote="}", line=29), change, engine="e")
    far = anchor(remark(path="a.c", quote="}", line=2), change, engine="e")

    assert near.line == 30
    assert not far.anchored


def test_a_quote_of_redacted_code_finds_its_line(login_change: Change) -> None:
    shown = {"app/login.py": ["=== app/login.py", "8 +        [redacted:token](user)"]}

    finding = anchor(
        remark(quote="[redacted:token](user)", line=8), login_change, engine="e", shown=shown
    )

    assert finding.line == 8


@pytest.mark.parametrize("path", ["a/app/login.py", "b/app/login.py", "./app/login.py"])
def test_a_path_may_carry_a_diff_prefix(login_change: Change, path: str) -> None:
    assert anchor(remark(path=path), login_change, engine="e").path == "app/login.py"


def test_a_clean_suggestion_gets_its_indentation_back(
    login_change: Change, login_source: dict[str, str]
) -> None:
    said = remark(suggestion="if hmac.compare_digest(user.digest, digest(password)):")

    finding = anchor(said, login_change, engine="e", source=login_source)

    assert finding.suggestion == "    if hmac.compare_digest(user.digest, digest(password)):"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"suggestion": "    if hmac.compare_digest(user.digest"}, "it no longer parses"),
        ({"suggestion": "    pass", "end_line": 9}, "it names more lines than it quotes"),
        (
            {"suggestion": "    raise Refused", "quote": "raise Denied", "line": 6},
            "the line is gone",
        ),
        ({"suggestion": "    pass", "quote": "nothing like it"}, "it has no place"),
    ],
)
def test_a_suggestion_that_does_not_apply_becomes_prose(
    login_change: Change, login_source: dict[str, str], said: dict[str, object], why: str
) -> None:
    finding = anchor(
        remark(**{"quote": "    if user.digest == digest(password):\n        audit(user)"} | said),
        login_change,
        engine="e",
        source=login_source,
    )

    assert finding.suggestion is None, why
    assert "Suggested code" in finding.body


def test_a_suggestion_that_changes_nothing_is_dropped(login_change: Change) -> None:
    said = remark(suggestion="    if user.digest == digest(password):")

    finding = anchor(said, login_change, engine="e")

    assert finding.suggestion is None
    assert "Suggested" not in finding.body


@given(
    path=st.sampled_from(["app/login.py", "x"]) | st.text(max_size=20),
    line=st.integers(-(10**12), 10**12),
    end_line=st.none() | st.integers(-(10**12), 10**12),
    quote=st.text(max_size=60)
    | st.lists(
        st.sampled_from(
            ["import hmac", "        return None", "    return None", "}", "audit(user)"]
        )
    ).map("\n".join),
    suggestion=st.none() | st.text(max_size=40),
)
def test_every_anchored_finding_is_on_lines_that_github_takes(
    login_change: Change,
    path: str,
    line: int,
    end_line: int | None,
    quote: str,
    suggestion: str | None,
) -> None:
    said = remark(path=path, line=line, end_line=end_line, quote=quote, suggestion=suggestion)

    finding = anchor(said, login_change, engine="e")

    if finding.anchored:
        file = login_change.by_path[finding.path]
        assert finding.line is not None
        assert finding.end_line is not None
        assert finding.line <= finding.end_line
        first, last = (file.by_number[finding.side, n] for n in (finding.line, finding.end_line))
        assert first[0] == last[0], "both ends are in one hunk"
    else:
        assert finding.unanchored_reason


MOVED = """\
diff --git a/m.py b/m.py
--- a/m.py
+++ b/m.py
@@ -1,4 +1,5 @@
 def one():
-    return None
+    if ready:
+        return None
     # end
 x = 1
@@ -40,3 +41,2 @@
 def two():
-    return None
     # end
"""


@pytest.mark.parametrize(
    ("line", "quote", "place"),
    [
        (3, "return None", ("RIGHT", 3)),
        (2, "        return None", ("RIGHT", 3)),
        (41, "    return None", ("LEFT", 41)),
    ],
)
def test_exact_text_and_the_new_side_win_over_equal_words(
    line: int, quote: str, place: tuple[str, int]
) -> None:
    finding = anchor(remark(path="m.py", line=line, quote=quote), parse_diff(MOVED), engine="e")

    assert (finding.side, finding.line) == place


def test_a_fragment_of_a_quote_counts_only_near_its_number() -> None:
    quote = "x = 1\nimport os\nos.system(cmd)\nos.remove(path)"
    change = parse_diff(MOVED)

    near = anchor(remark(path="m.py", line=6, quote=quote), change, engine="e")
    far = anchor(remark(path="m.py", line=30, quote=quote), change, engine="e")

    assert near.line == 5
    assert not far.anchored
