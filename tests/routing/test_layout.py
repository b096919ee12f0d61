"""What only stands otherwise on the page is no change; what moved may be one."""

import pytest

from reviewbot.change.model import FileChange, Hunk, Status
from reviewbot.routing.layout import same_hunk
from reviewbot.routing.matcher import Matcher
from reviewbot.routing.rules import RuleSet


@pytest.fixture(scope="module")
def matcher(rules: RuleSet) -> Matcher:
    return Matcher(rules.rules)


def hunk(*body: str) -> Hunk:
    old, new = (sum(row[0] in marks for row in body) for marks in (" -", " +"))
    return Hunk(1, old, 1, new, "", body)


@pytest.mark.parametrize(
    "body",
    [
        ("-x = a \\", "-    or b", "+x = a or b"),
        ("-f(a, 'b')", "+f(", "+    a,", '+    "b",', "+)"),
        ("-f(a)  # why", "-g()", "+f(", "+    a", "+)  # why", "+g()"),
    ],
)
def test_commas_quotes_and_line_breaks_are_layout(body: tuple[str, ...]):
    assert same_hunk(hunk(*body), "python")


@pytest.mark.parametrize(
    "body",
    [
        ("-x = (a + b) * c", "+x = a + b * c"),
        ("-return (a", "-  || b)", "-  && c;", "+return a", "+  || b", "+  && c;"),
        ("-x = a == (b", "-  ? c : d)", "+x = a == b", "+  ? c : d"),
        ("-x = (a,)", "+x = a"),
        ("-x = a", "+x = b"),
        ("-f((a))", "+f(a)"),
        ("-allowed = x,", "+allowed = x"),
        ("-# always", "-return check(u)", "+# always return check(u)"),
        ("-pay(x) // now", "-log(x)", "+pay(x)", "+// now log(x)"),
        ("-return pay(x)", "+return", "+  pay(x)"),
        ("-require_login(user)", "+require_login", "+(user)"),
        ("-authorize! user", "+authorize!", "+user"),
        ("-total = price - discount", "+total = price", "+- discount"),
        ("-pay(x)", " if debug:", "+    pay(x)"),
        ("-pay(x, y)", " if debug:", "+    pay(", "+        x, y", "+    )"),
    ],
)
def test_other_words_or_another_order_are_a_change(body: tuple[str, ...]):
    assert not same_hunk(hunk(*body), "go")


@pytest.mark.parametrize(
    "body",
    [
        ("-if debug: log()", "-check(user)", "+if debug:", "+    log()", "+    check(user)"),
        (" if debug:", "-log(a, 'b')", "+log(", "+  a,", "+  'b')", "-check(u)", "+    check(u)"),
        ("-# always \\", "-check(user)", "+# always check(user)"),
    ],
)
def test_a_check_that_moved_beside_new_layout_is_a_change(body: tuple[str, ...]):
    assert not same_hunk(hunk(*body), "python")


@pytest.mark.parametrize(("language", "sign"), [("erlang", "%"), ("clojure", ";")])
def test_each_language_has_its_sign_of_a_comment(language: str, sign: str):
    joined = hunk(f"-{sign} always", "-check(user)", f"+{sign} always check(user)")

    assert not same_hunk(joined, language)


def test_where_signs_end_statements_the_end_of_a_line_says_nothing():
    assert same_hunk(hunk("-if (x) pay(y);", "+if (x)", "+    pay(y);"), "java")


def test_indents_alone_are_layout_where_blocks_end_by_signs():
    deeper = hunk(" {", "-bank.pay(x)", "+    bank.pay(x)", " }")

    assert same_hunk(deeper, "c#")
    assert not same_hunk(deeper, "python")
    assert not same_hunk(deeper, None)


def test_a_new_layout_is_no_evidence_and_a_new_condition_around_it_is(matcher: Matcher):
    wrapped = hunk("-x = bank.pay(a, b)", "+x = bank.pay(", "+    a, b", "+)")
    moved = hunk("-x = bank.pay(a, b)", "+if x:", "+    x = bank.pay(a, b)")

    def fired(part: Hunk) -> list[str]:
        change = FileChange("a.py", status=Status.MODIFIED, hunks=(part,), language="python")
        return [match.rule for match in matcher.find(change).matches]

    assert fired(wrapped) == []
    assert fired(moved) == ["pay.call"]


def test_a_bracket_and_a_semicolon_in_a_line_are_no_layout(matcher: Matcher):
    always = hunk("-if (!bank.pay(x)) return;", "+if (!bank.pay(x)); return;")
    other = hunk("-x = a && (b || bank.pay(x))", "+x = (a && b) || bank.pay(x)")

    def fired(part: Hunk) -> list[str]:
        change = FileChange("a.js", status=Status.MODIFIED, hunks=(part,), language="javascript")
        return [match.rule for match in matcher.find(change).matches]

    assert fired(always) == ["pay.call"]
    assert fired(other) == ["pay.call"]
