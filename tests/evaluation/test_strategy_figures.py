"""Figures of reviews whose every count can be seen: they are what a person would count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewbot.change.model import Change
from reviewbot.change.source import Fetched
from reviewbot.evaluation.corpus import Case, Remark
from reviewbot.evaluation.figures import Figures, Tally, figures_of, matched
from reviewbot.evaluation.judges import Pairs
from reviewbot.evaluation.said import Result, Said


@dataclass(frozen=True)
class ByTitle:
    """A judge for whom a finding says a remark where its title is the remark's text."""

    name: str = "title"

    def pairs(self, case: Case, result: Result, remarks: Sequence[Remark]) -> Pairs:
        return {
            (i, j): 1.0
            for i, said in enumerate(result.findings)
            for j, remark in enumerate(remarks)
            if said.title == remark.comment
        }


def case(name: str, golden: str, rejected: str = "") -> Case:
    return Case(name, Fetched(Change(())), _remarks(golden), _remarks(rejected))


def _remarks(letters: str) -> tuple[Remark, ...]:
    return tuple(Remark(file="a.py", line=1, comment=letter) for letter in letters)


def result(name: str, titles: str, *, usd: str = "0", severity: str = "high", **more) -> Result:
    findings = tuple(
        Said("a.py", 1, 1, "right", severity, title, "", title != "u", "m") for title in titles
    )
    return Result(
        name, "local", 1, findings=findings, usd=Decimal(usd), **{"tier": "local", **more}
    )


@pytest.fixture
def figures() -> Figures:
    """Three pull requests: on one nobody remarked, one review failed."""
    cases: Mapping[str, Case] = {
        "one": case("one", "abc", rejected="x"),
        "clean": case("clean", ""),
        "broken": case("broken", "de"),
    }
    results = [
        result("one", "aabxu", usd="0.30", seconds=4.0, areas=("auth",), tier="claude"),
        result("clean", "q", usd="0.10", seconds=2.0, severity="low"),
        result("broken", "", seconds=1.0, complete=False, problem="it could not be read"),
    ]
    return figures_of("local", cases, results, ByTitle())


def test_a_remark_counts_once_and_failures_stay_in_the_denominator(figures: Figures) -> None:
    whole = figures.tally

    assert (whole.findings, whole.matched, whole.golden) == (6, 2, 5)
    assert whole.precision == pytest.approx(2 / 6)
    assert whole.recall == pytest.approx(2 / 5)
    assert whole.f(1) == pytest.approx(4 / 11)
    assert whole.f(0.5) == pytest.approx(1.25 * 2 / (6 + 0.25 * 5))
    assert (figures.failed, figures.incomplete, figures.reviews) == (1, 1, 3)


def test_what_else_is_told_of_findings(figures: Figures) -> None:
    whole = figures.tally

    assert (whole.repeated, whole.rejected, whole.anchored) == (1, 1, 5)
    assert (figures.clean_cases, figures.findings_on_clean) == (1, 1)


def test_money_is_exact_and_by_what_it_bought(figures: Figures) -> None:
    assert figures.usd == Decimal("0.40")
    assert figures.usd_per_match == Decimal("0.20")
    assert figures.usd_per_pull == Decimal("0.40") / 3


def test_breakdowns_add_up(figures: Figures) -> None:
    assert figures.by_severity["high"].tally.matched == 2
    assert figures.by_severity["low"].tally == Tally(findings=1, anchored=1)
    assert list(figures.by_severity) == ["high", "low"], "the worst first"
    assert set(figures.by_area) == {"auth", "none"}
    assert sum((group.tally for group in figures.by_tier.values()), Tally()) == figures.tally


def test_recall_is_told_by_the_severity_that_people_gave(figures: Figures) -> None:
    rated = Case(
        "rated",
        Fetched(Change(())),
        tuple(
            Remark(file="a.py", line=1, comment=letter, severity=severity)
            for letter, severity in (
                ("a", "Low"),
                ("b", "critical"),
                ("c", "critical"),
                ("d", None),
            )
        ),
    )
    cases = {"rated": rated, "other": case("other", "x")}
    found = figures_of("local", cases, [result("rated", "abz"), result("other", "y")], ByTitle())

    assert list(found.by_remark) == ["critical", "low", "not rated"]
    by_remark = {name: group.tally for name, group in found.by_remark.items()}
    assert by_remark["critical"] == Tally(matched=1, golden=2)
    assert by_remark["low"] == Tally(matched=1, golden=1)
    assert by_remark["not rated"] == Tally(golden=2)
    assert sum(by_remark.values(), Tally()) == Tally(matched=2, golden=found.tally.golden)
    value, interval = found.by_remark["critical"].measured["recall"]
    assert value == 0.5
    assert interval == (0.5, 0.5), "all of them are on one pull request"
    assert set(found.by_remark["critical"].measured) == {"recall"}, "no finding is of a remark"
    assert set(found.by_severity["high"].measured) == {"precision"}


def test_each_area_and_route_has_all_figures_with_their_intervals(figures: Figures) -> None:
    for groups in (figures.by_area, figures.by_tier):
        for group in groups.values():
            assert set(group.measured) == set(figures.measured)
    auth = figures.by_area["auth"].measured
    assert auth["recall"].value == pytest.approx(2 / 3)
    assert auth["precision"].value == pytest.approx(2 / 5)
    assert auth["f1"].interval is not None


def test_percentiles_are_of_reviews(figures: Figures) -> None:
    assert (figures.percentile(0.5), figures.percentile(0.95)) == (2.0, 4.0)


def test_an_interval_holds_the_figure_and_is_the_same_again(figures: Figures) -> None:
    again = figures_of("local", {"one": case("one", "a")}, [result("one", "a")], ByTitle())

    value, interval = figures.measured["recall"]
    assert interval is not None
    assert interval.low <= (value or 0) <= interval.high
    assert again.measured["recall"] == (1.0, None), "one pull request tells of no other"


def test_figures_of_nothing_are_none() -> None:
    nothing = figures_of("local", {"one": case("one", "")}, [result("one", "")], ByTitle())

    assert nothing.measured["precision"].value is None
    assert nothing.usd_per_match is None


PAIRS = st.dictionaries(
    st.tuples(st.integers(0, 6), st.integers(0, 6)), st.floats(0.01, 1.0), max_size=30
)


@given(PAIRS)
def test_matching_is_one_to_one_and_leaves_no_pair_that_is_free(pairs: Pairs) -> None:
    found = matched(pairs)

    assert len(set(found.values())) == len(found)
    assert all((i, j) in pairs for i, j in found.items())
    assert all(i in found or j in found.values() for i, j in pairs)


@given(PAIRS)
def test_the_surest_pair_is_always_matched(pairs: Pairs) -> None:
    if pairs:
        best = max(pairs.values())
        assert any(pairs[pair] == best for pair in matched(pairs).items())
