"""What models were asked besides plain reviews: strategies, second thoughts and comparisons."""

from collections.abc import Iterator, Sequence
from typing import Any

from reviewbot.costs.money import decimal_text
from reviewbot.publishing.figures import usd
from reviewbot.reporting.page import Block, Paragraph, Table
from reviewbot.reporting.sums import ZERO, PurposeSum
from reviewbot.review.second import PURPOSE as SECOND_OPINION
from reviewbot.review.second import Word
from reviewbot.routing.wording import plural

_NAMES = {
    "draft": "drafts for Claude (strategy refine)",
    "escalate": "doubtful findings put to Claude",
    "fix": "changes proposed for findings",
    "refine": "Claude with drafts (strategy refine)",
    "regret": "sampled comparisons",
    "route": "doubtful routes",
    "verify": "findings judged by the local model",
}


def purpose_tables(purposes: Sequence[PurposeSum]) -> Iterator[Block]:
    """What models were asked besides plain reviews, and what Claude said of doubtful findings."""
    said = {each.word: each.calls for each in purposes if each.purpose == SECOND_OPINION}
    if said:
        asked = sum(said.values())
        yield Paragraph(
            f"Claude was asked about {plural(asked, 'doubtful finding')} of the local model: "
            f"{said.get(Word.CONFIRM, 0)} confirmed, {said.get(Word.CORRECT, 0)} corrected, "
            f"{said.get(Word.WITHDRAW, 0)} withdrawn, {said.get('', 0)} without an answer."
        )
    by_purpose: dict[str, list[PurposeSum]] = {}
    for each in purposes:
        by_purpose.setdefault(each.purpose, []).append(each)
    yield Table(
        ("what", "calls", "billed", "power and hardware"),
        [
            (
                _NAMES.get(purpose, purpose),
                f"{sum(each.calls for each in same):,}",
                usd(sum((each.usd for each in same), ZERO)),
                usd(sum((each.local_usd for each in same), ZERO)),
            )
            for purpose, same in by_purpose.items()
        ],
    )


def purposes_json(purposes: Sequence[PurposeSum]) -> list[dict[str, Any]]:
    """The same for programs; USD as decimal strings."""
    return [
        {
            "purpose": each.purpose,
            "verdict": each.word or None,
            "calls": each.calls,
            "usd": decimal_text(each.usd),
            "local_usd": decimal_text(each.local_usd),
        }
        for each in purposes
    ]
