"""Rules look at changed lines of code, and at nothing else."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewbot.change.model import FileChange, Hunk, Status
from reviewbot.routing.matcher import Matcher
from reviewbot.routing.rules import RuleSet, load_rules
from reviewbot.routing.text import MAX_LINE


@pytest.fixture(scope="module")
def matcher(rules: RuleSet) -> Matcher:
    return Matcher(rules.rules)


def fired(matcher: Matcher, changed: FileChange) -> list[str]:
    return [match.rule for match in matcher.find(changed).matches]


def test_a_match_says_rule_place_and_reason(matcher: Matcher, file: Any):
    changed = file("a.py", added=["x = 1", "  bank.pay(x)"], context=["before"])

    (match,) = matcher.find(changed).matches

    assert (match.rule, match.area, match.weight, match.why) == (
        "pay.call",
        "pay",
        3,
        "Calls the bank",
    )
    assert (match.path, match.side, match.line, match.excerpt) == (
        "a.py",
        "RIGHT",
        12,
        "bank.pay(x)",
    )


def test_a_removed_line_is_placed_on_the_old_side(matcher: Matcher, file: Any):
    (match,) = matcher.find(file("a.py", removed=["y", "bank.pay(x)"], context=["c"])).matches

    assert (match.side, match.line) == ("LEFT", 12)


def test_an_added_line_is_shown_before_a_removed_one(matcher: Matcher, file: Any):
    (match,) = matcher.find(file("a.py", added=["bank.b()"], removed=["bank.a()"])).matches

    assert match.excerpt == "bank.b()"


def test_each_section_looks_at_its_own_side_only(matcher: Matcher, file: Any):
    assert fired(matcher, file("a.py", added=["money"])) == ["pay.word"]
    assert fired(matcher, file("a.py", removed=["money"])) == []
    assert fired(matcher, file("a.py", removed=["  guard()"])) == ["pay.guard"]
    assert fired(matcher, file("a.py", added=["  guard()"])) == []
    assert fired(matcher, file("a.py", context=["bank.pay()", "money"], added=["x"])) == []


def test_a_line_that_not_rules_out_leaves_the_next_one(matcher: Matcher, file: Any):
    assert fired(matcher, file("a.py", added=["bank.ping()"])) == []
    (match,) = matcher.find(file("a.py", added=["bank.ping()", "bank.pay()"])).matches
    assert match.line == 11


@pytest.mark.parametrize(
    "line",
    [
        "# bank.pay(x)",
        "   // bank.pay(x)",
        " * bank.pay(x)",
        "/* bank.pay(x) */",
        "-- bank.pay(x)",
        "<!-- bank.pay(x) -->",
        '"""bank.pay(x) pays"""',
        "x = 1  # bank.pay(x)",
        "import bank.pay()",
        "from bank.pay() import x",
        "const x = require('bank.pay()')",
        "use bank::pay::{bank.pay()};",
        "/* bank.pay(x)",
        " * @return bank.pay(x)",
        " * @Bank bank.pay(x)",
        "#[allow(money)]",
        "#![cfg_attr(test, allow(money))]",
        '@SuppressWarnings("money")',
        "Money that is owed to the bank should be paid before it is due.",
        'log.Infof("money %s", id)',
        "logger.LogInformation('money');",
        "$this->logger->warning('money');",
        "util.log_info('money', path=path)",
        "Bank.deprecate 'money goes'",
        "trigger_deprecation('bank', '1.2', 'money');",
        '@Deprecated(since = "money")',
        "use Bank\\Money as Cash;",
    ],
)
def test_comments_imports_and_prose_are_no_evidence(matcher: Matcher, file: Any, line: str):
    assert fired(matcher, file("a.py", added=[line])) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("__version__ = '1.2.3'", []),
        ('    public const string Version = "v10.0.1-rc.2";', []),
        ('  "version": "2.0",', []),
        ("version = bank.pay('1.2')", ["pay.call"]),
        ("money_version = '2.0'", ["pay.word"]),
        ("money_conversion = '1.25'", ["pay.word"]),
    ],
)
def test_the_version_of_a_project_is_no_evidence(
    matcher: Matcher, file: Any, line: str, said: list[str]
):
    assert fired(matcher, file("a.py", added=[line])) == said


@pytest.mark.parametrize(
    "line",
    [
        "#[derive(bank.pay())]",
        "*p = bank.pay(x);",
        "--i; bank.pay(x);",
        'url = "https://x" + bank.pay(x)',
        "if it is None: bank.pay(x)",
        "/* fine */ bank.pay(x)",
        "*/ bank.pay(x)",
        "x = 1 /* fine */ + bank.pay(x)",
        "import bank; bank.pay(x)",
        '"""fine"""; bank.pay(x)',
        "<!-- fine --> bank.pay(x)",
        '@SuppressWarnings("unchecked") int x = bank.pay(x)',
        "#[allow(dead_code)] fn f() { bank.pay(x) } // )]",
        " * @Bank\\Pays(bank.pay(x))",
        "log_in(bank.pay(x))",
        "deprecate(bank.pay(x))",
        "#[cfg_attr(test, allow(dead_code))] fn f() { bank.pay(x) }",
        "catalog.error(bank.pay(x))",
    ],
)
def test_code_that_looks_like_a_comment_is_evidence(matcher: Matcher, file: Any, line: str):
    assert fired(matcher, file("a.rs", added=[line])) == ["pay.call"]


def test_what_a_formatter_changes_is_no_change(matcher: Matcher, file: Any):
    quotes = file("a.py", removed=["bank.pay('x')"], added=['bank.pay("x")'])
    aligned = file("a.py", removed=["a = bank.pay(x)"], added=["a     = bank.pay(x)"])

    assert fired(matcher, quotes) == fired(matcher, aligned) == []


def test_another_indent_is_a_change_since_a_check_may_have_moved_under_a_condition(
    matcher: Matcher, file: Any
):
    moved = file("a.py", removed=["bank.pay(x)"], added=["if debug:", "    bank.pay(x)"])

    assert fired(matcher, moved) == ["pay.call"]


def test_a_word_that_stays_while_its_line_changes_beside_it_is_no_evidence(
    matcher: Matcher, file: Any
):
    beside = file("a.py", removed=["f(bank.pay(x), 1)"], added=["f(bank.pay(x), 2)"])
    inside = file("a.py", removed=["f(bank.pay(x), 1)"], added=["f(bank.pay(y), 1)"])
    once_more = file("a.py", removed=["f(bank.pay(x))"], added=["f(bank.pay(x), bank.pay(x))"])

    assert fired(matcher, beside) == []
    assert fired(matcher, inside) == fired(matcher, once_more) == ["pay.call"]


def test_any_other_argument_of_a_call_is_evidence(matcher: Matcher, file: Any):
    text = file("a.py", removed=["bank.pay('a', 1)"], added=["bank.pay('b', 1)"])
    number = file("a.py", removed=["bank.pay('a', 1)"], added=["bank.pay('a', 2)"])

    assert fired(matcher, text) == fired(matcher, number) == ["pay.call"]


def test_what_is_commented_out_is_gone(matcher: Matcher, file: Any):
    out = file("a.py", removed=["bank.pay(x)"], added=["# bank.pay(x)"])
    in_again = file("a.js", removed=["  // bank.pay(x);"], added=["  bank.pay(x);"])
    moved = file("a.py", removed=["# bank.pay(x)", "y = 1"], added=["y = 2", "#  bank.pay(x)"])

    assert fired(matcher, out) == fired(matcher, in_again) == ["pay.call"]
    assert fired(matcher, moved) == []


def test_what_a_linter_is_told_behind_code_is_no_change_but_code_there_is(
    matcher: Matcher, file: Any
):
    told = file("a.go", removed=["bank.pay(x)"], added=["bank.pay(x) //nolint:errcheck // fine"])
    hidden = file("a.py", removed=["y = 1"], added=["bank.pay(x)  # noqa"])
    behind = file(
        "a.js", removed=["y = ' // nolint' + 1"], added=["y = ' // nolint' + bank.pay(x)"]
    )

    assert fired(matcher, told) == []
    assert fired(matcher, hidden) == fired(matcher, behind) == ["pay.call"]


def test_a_condition_counts_whatever_changes_beside_it(matcher: Matcher, file: Any):
    weaker = file("a.py", removed=["if mine and bank.pay(x):"], added=["if bank.pay(x):"])

    assert fired(matcher, weaker) == ["pay.call"]


def test_context_tells_that_a_line_is_in_a_comment(matcher: Matcher, file: Any):
    assert fired(matcher, file("a.go", context=["/* how to"], added=["bank.pay(x)"])) == []
    assert fired(matcher, file("a.go", context=["/* how to */"], added=["bank.pay(x)"])) == [
        "pay.call"
    ]


def test_a_sentence_in_a_string_is_no_evidence_but_code_behind_it_is(matcher: Matcher, file: Any):
    says = 'log("The bank.pay(x) call has failed")'

    assert fired(matcher, file("a.py", added=[says])) == []
    assert fired(matcher, file("a.py", added=[f"{says}; bank.pay(x)"])) == ["pay.call"]


def test_what_is_removed_here_and_added_there_is_not_gone(matcher: Matcher, file: Any):
    assert fired(matcher, file("a.py", removed=["guard()"], added=["    guard()"])) == []


def test_paths_are_looked_at_as_gitignore_does_in_any_case(matcher: Matcher, file: Any):
    assert fired(matcher, file("src/Till/a.py", added=["x"])) == ["pay.place"]
    assert fired(matcher, file("src/till/README.py", added=["x"])) == []
    assert fired(matcher, file("src/stillness/a.py", added=["x"])) == []


def test_a_file_moved_out_of_a_place_still_counts_as_there(matcher: Matcher, file: Any):
    moved = file("src/misc/a.py", added=["x"], status=Status.RENAMED, old_path="till/a.py")

    assert fired(matcher, moved) == ["pay.place"]


def test_kinds_that_a_rule_does_not_name_are_not_looked_at(matcher: Matcher, file: Any):
    for path in ("tests/test_a.py", "docs/a.md", "poetry.lock", "locale/de/a.po", "till/b.md"):
        assert fired(matcher, file(path, added=["bank.pay(money)"])) == [], path


def test_a_file_without_text_is_known_by_its_path(matcher: Matcher, file: Any):
    assert fired(matcher, file("till/a.py", patch_missing=True)) == ["pay.place"]
    assert fired(matcher, file("src/a.py", patch_missing=True)) == []


def test_a_file_without_text_is_not_known_by_a_path_that_holds_everything(file: Any):
    text = "area: x\ntitle: X\nrules:\n  - {id: r, why: w, paths: ['**', '!gen/**'], added: [x]}\n"

    found = Matcher(load_rules({"x.yml": text}).rules).find(file("src/a.py", patch_missing=True))

    assert found.matches == ()


def test_a_carriage_return_is_no_part_of_a_line(matcher: Matcher, file: Any):
    assert fired(matcher, file("a.py", removed=["guard()\r"])) == ["pay.guard"]


def test_a_long_line_is_cut_and_said_so_but_padding_hides_nothing(matcher: Matcher, file: Any):
    far = matcher.find(file("a.js", added=["x" * MAX_LINE + " bank.pay()"]))
    padded = matcher.find(file("a.js", added=["x = 1;" + " " * 9_000 + "bank.pay()"]))

    assert (far.cut, far.matches) == (True, ())
    assert padded.cut
    assert [match.rule for match in padded.matches] == ["pay.call"]


def test_text_that_is_not_unicode_is_matched_all_the_same(matcher: Matcher, file: Any):
    assert fired(matcher, file("a.py", added=["\udce9 é 𝄞 bank.pay()"])) == ["pay.call"]


HOSTILE = [
    "(a+)+b",
    "(a|aa)+c",
    "(?:a*)*d",
    "(.*)(.*)(.*)(.*)e",
    "(a?){30}a{30}f",
    r"(\w+\s?)+g",
    r"[\w.]+@([\w.]+)+h",
]


def test_patterns_that_make_other_engines_hang_are_linear(file: Any):
    text = "area: x\ntitle: X\nrules:\n" + "".join(
        f"  - {{id: r{i}, why: w, added: ['{pattern}']}}\n" for i, pattern in enumerate(HOSTILE)
    )
    matcher = Matcher(load_rules({"x.yml": text}).rules)

    found = matcher.find(file("a.js", added=["a" * 1_900 + "!"] * 200))

    assert found.matches == ()


def test_fifty_thousand_lines_that_stay_or_move_are_linear(matcher: Matcher, file: Any):
    same = ["bank.pay(x)"] * 50_000
    moved = [f"a{number} = bank.pay({number})" for number in range(50_000)]
    there = [f"b{number} = bank.pay({number})" for number in range(50_000)]

    assert fired(matcher, file("a.py", added=same, removed=[f"{line} " for line in same])) == []
    found = matcher.find(file("a.py", added=moved, removed=there)).matches

    assert [match.rule for match in found] == ["pay.call"]


def test_rules_too_large_for_one_filter_still_match(file: Any):
    words = [f"{number:07d}zyxw" for number in range(12_000)]
    patterns = ["|".join(words[start : start + 60]) for start in range(0, len(words), 60)]
    rules = "".join(
        f"  - {{id: big{i}, why: w, added: {json.dumps(patterns[i : i + 50])}}}\n"
        for i in range(0, len(patterns), 50)
    )
    text = f"area: x\ntitle: X\nrules:\n{rules}  - {{id: small, why: w, added: [needle]}}\n"
    matcher = Matcher(load_rules({"x.yml": text}).rules)

    assert fired(matcher, file("a.js", added=["needle"])) == ["small"]
    assert fired(matcher, file("a.js", added=[words[7]])) == ["big0"]


lines = st.lists(
    st.sampled_from(
        ["bank.pay(x)", "# bank.pay(x)", "money", "guard()", "x = 1", "", "bank.ping()"]
    )
    | st.text(max_size=30).filter(lambda line: "\n" not in line),
    max_size=8,
)


@settings(deadline=None)
@given(added=lines, removed=lines, context=lines)
def test_context_is_never_looked_at(
    matcher: Matcher, added: list[str], removed: list[str], context: list[str]
):
    body = (*(f"-{line}" for line in removed), *(f"+{line}" for line in added))
    bare = FileChange("a.py", Status.MODIFIED, hunks=(Hunk(1, 0, 1, 0, "", body),))
    around = tuple(f" {line}" for line in context)
    wrapped = FileChange(
        "a.py", Status.MODIFIED, hunks=(Hunk(1, 0, 1, 0, "bank.pay(x)", (*around, *body, *around)),)
    )

    assert fired(matcher, bare) == fired(matcher, wrapped)


@settings(deadline=None)
@given(added=lines)
def test_every_match_stands_on_a_line_that_its_pattern_matches(matcher: Matcher, added: list[str]):
    body = tuple(f"+{line}" for line in added)
    changed = FileChange("a.py", Status.MODIFIED, hunks=(Hunk(0, 0, 1, len(body), "", body),))

    for match in matcher.find(changed).matches:
        assert match.line is not None
        text = added[match.line - 1].lower()
        assert ("bank." in text) if match.rule == "pay.call" else ("money" in text)
