"""The Markdown of a review."""

from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from publishing.sample_reviews import (
    hostile_review,
    large_review,
    later_review,
    scripted_review,
    shop_review,
)

from reviewbot.publishing.summary import LIMIT, route_markdown, summary_markdown

GOLDEN = Path(__file__).parent / "golden"


def test_a_review_reads_as_agreed() -> None:
    assert summary_markdown(shop_review()) == (GOLDEN / "summary.md").read_text(encoding="utf-8")


def test_attention_and_scripted_stand_before_everything_found() -> None:
    text = summary_markdown(scripted_review())

    assert text.startswith("## reviewbot: INCOMPLETE: 1 critical")
    assert (
        text.index("SCRIPTED")
        < text.index("RISKY, NOT REVIEWED BY CLAUDE")
        < text.index("### Findings")
    )


def test_a_finding_of_a_secret_shows_no_code() -> None:
    review = shop_review()
    secret = replace(review.findings[0], engine="secrets", quote="", suggestion=None, body="A key.")

    text = summary_markdown(replace(review, findings=(secret,)))

    assert "order.paid" not in text


def test_hostile_texts_act_nowhere() -> None:
    reader = MarkdownIt("gfm-like", {"html": True, "linkify": False}).disable("linkify")

    tokens = reader.parse(summary_markdown(hostile_review()))

    ours = ("<details>", "</details>")
    html = [token.content for token in tokens if token.type == "html_block"]
    assert all(content.startswith(ours) for content in html)
    inline = [child for token in tokens for child in token.children or []]
    assert not {child.type for child in inline} & {"image", "link_open", "html_inline"}
    text = " ".join(child.content for child in inline if child.type == "text")
    assert "@octocat" not in text
    assert "#1" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize(("files", "findings"), [(3_000, 500), (3_000, 0), (1, 500)])
def test_a_huge_review_is_folded_and_says_so(files: int, findings: int) -> None:
    review = large_review(files, findings)

    text = summary_markdown(review)

    assert len(text) <= LIMIT
    assert f"{files:,} file".replace(",", "") in text.replace(",", "")
    if findings:
        assert "Only by their titles" in text
    if files > 1:
        assert "more rows do not fit here" in text
    for title in ("### Why", "### Coverage", "### Cost", "**Egress:**"):
        assert title in text


def test_the_route_alone_lists_every_file() -> None:
    text = route_markdown(shop_review().route)

    assert text.startswith("## Route: claude\n\n**claude**: payments has 5 points")
    assert "| `docs/refunds.md` | docs | local |" in text


def test_a_later_push_names_what_is_open_and_what_it_fixed() -> None:
    summary = summary_markdown(later_review(), links={"r:0": "https://github.com/acme/shop/pull/7"})

    assert summary.startswith("## reviewbot: 1 critical, 1 medium\n")
    before, _, fixed = summary.partition("### Fixed by this push")
    assert "open since `eeeeeee` · [comment](https://github.com/acme/shop/pull/7)" in before
    assert "Removing a missing item now raises ValueError" in before
    assert "fixed in `89abcde`" in fixed
    assert "| `eeeeeee` | 2026-05-04 12:00 | 4 hunks of 2 files | 3 | 0 | 3 | $0.0412 |" in fixed
    assert "| `89abcde` | 2026-05-04 12:00 | nothing new | 0 | 1 | 2 |" in fixed
