"""A finished review of one case, as figures want it: read from its JSON form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from reviewbot.costs.readability import ANSWERS
from reviewbot.review.engine import Outcome


@dataclass(frozen=True)
class Said:
    """One finding."""

    path: str
    line: int | None
    end_line: int | None
    side: str
    """`left` or `right`."""
    severity: str
    title: str
    body: str
    anchored: bool
    model: str
    """Empty for an analyser."""
    mended: bool = False
    """It has a change to take over, which applies."""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Said":
        return cls(
            path=data["path"],
            line=data["line"],
            end_line=data["end_line"],
            side=str(data["side"]).lower(),
            severity=str(data["severity"]),
            title=data["title"],
            body=data["body"],
            anchored=data["anchored"],
            model=data["model"] or "",
            mended=bool(data["suggestion"]),
        )


@dataclass(frozen=True)
class Result:
    """What one strategy made of one case, once."""

    case: str
    strategy: str
    repeat: int
    """From 1."""
    tier: str = ""
    areas: tuple[str, ...] = ()
    findings: tuple[Said, ...] = ()
    models: tuple[str, ...] = ()
    """All that were asked."""
    answers: int = 0
    unreadable: int = 0
    """Answers that were not of the asked form."""
    tokens_input: int = 0
    """Cached ones included."""
    tokens_output: int = 0
    usd: Decimal = Decimal(0)
    """Bills, and energy and amortisation of our own hardware."""
    external_usd: Decimal = Decimal(0)
    seconds: float = 0.0
    """Of all its calls together, as if they had been made one after the other."""
    complete: bool = True
    """Every file that goes to a model was read in full."""
    problem: str = field(default="", compare=False)
    """Why there is no review; it counts as one without findings."""

    @property
    def failed(self) -> bool:
        return bool(self.problem)


def result_of(
    case: str, strategy: str, repeat: int, review: Mapping[str, Any] | None, problem: str = ""
) -> Result:
    """The result from a review's JSON form; without one it has failed, for that reason."""
    if review is None:
        return Result(case, strategy, repeat, complete=False, problem=problem or "no review")
    calls: Sequence[Mapping[str, Any]] = review["calls"]
    usages = [call["usage"] for call in calls if call["usage"]]
    malformed = Outcome.MALFORMED.value
    return Result(
        case,
        strategy,
        repeat,
        tier=review["route"]["tier"],
        areas=tuple(review["route"]["areas"]),
        findings=tuple(Said.of(each) for each in review["findings"]),
        models=tuple(dict.fromkeys(call["model_asked"] for call in calls)),
        answers=sum(call["outcome"] in {*ANSWERS, malformed} for call in calls),
        unreadable=sum(
            call["outcome"] == malformed or call["unreadable_lines"] > 0 for call in calls
        ),
        tokens_input=sum(
            usage["input"] + usage["cache_read"] + usage["cache_write_5m"] + usage["cache_write_1h"]
            for usage in usages
        ),
        tokens_output=sum(usage["output"] for usage in usages),
        usd=sum((_usd(call) for call in calls), Decimal(0)),
        external_usd=sum((Decimal(call["usd"]) for call in calls), Decimal(0)),
        seconds=sum(call["latency_seconds"] for call in calls),
        complete=review["complete"],
    )


def _usd(call: Mapping[str, Any]) -> Decimal:
    return sum(
        (Decimal(call[name]) for name in ("usd", "energy_usd", "amortisation_usd")), Decimal(0)
    )
