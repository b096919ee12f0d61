"""The repository's policy, `.github/reviewbot.yml`, and how it narrows the operator's."""

import re
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from difflib import get_close_matches
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, Field, StringConstraints, ValidationError

from reviewbot.config.documents import MAX_BYTES, load_document, validate
from reviewbot.config.engines_document import EngineChoice
from reviewbot.config.narrowing import ADDS, LOWERS, OPERATOR, REPOSITORY, Narrowing
from reviewbot.config.rule_document import (
    AreaName,
    Closed,
    PathPattern,
    PathPatterns,
    PolicyRule,
)
from reviewbot.errors import DocumentError

#: The keys of `budget` that limit money.
_CAPS = ("monthly_usd", "per_pr_usd")
#: What may be a key, `never_send` misspelled among them.
_KEY_LIKE = re.compile(r"[A-Za-z][A-Za-z_-]{5,14}")

SeverityName = Literal["critical", "high", "medium", "low"]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Words = Annotated[tuple[Word, ...], Field(max_length=200)]
Usd = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=6)]


class Ignore(Closed):
    """Pull requests that are routed but not reviewed, and paths that are not read. `*` is a wildcard."""

    authors: Annotated[Words, ADDS] = Field(
        ("*[bot]",), description="Logins whose pull requests are routed only."
    )
    labels: Annotated[Words, ADDS] = Field((), description="Labels that stop the review.")
    branches: Annotated[Words, ADDS] = Field((), description="Head branches that are routed only.")
    titles: Annotated[Words, ADDS] = Field((), description="Titles that are routed only.")
    paths: Annotated[PathPatterns, ADDS] = Field(
        (),
        description="Files not worth reading, gitignore-style. A file that a rule matches is read all the same.",
    )


class AreaPolicy(Closed):
    """Thresholds of one area; only values below the rule file's count."""

    threshold: float | None = Field(None, gt=0, le=1_000)
    uncertain: float | None = Field(None, gt=0, le=1_000)


class Large(Closed):
    """What happens to a change that is long for the local model."""

    over_units: Annotated[int, OPERATOR] = Field(
        4, ge=1, le=1_000, description="A change of more local prompts than this is large."
    )
    to: Annotated[Literal["claude", "local"], OPERATOR] = Field(
        "local", description="Where a large change goes that no rule flags."
    )


class RoutePolicy(Closed):
    """Where changes go."""

    granularity: Annotated[Literal["pull_request", "file"], OPERATOR] = Field(
        "pull_request",
        description="What a flagged area sends to Claude: the whole pull request, or its files.",
    )
    areas: Annotated[dict[AreaName, AreaPolicy], LOWERS] = Field(
        {},
        max_length=50,
        description="`{area: {threshold, uncertain}}`; a value counts only if it is below the rule file's.",
    )
    always_claude: Annotated[PathPatterns, ADDS] = Field(
        (), description="Files that go to Claude without a rule, gitignore-style."
    )
    never_send: Annotated[PathPatterns, ADDS] = Field(
        (),
        description="Files that never leave for an external engine; if risky, the review says so.",
    )
    large: Large = Field(Large(), description="Changes that are long for the local model.")
    uncertain: Annotated[Literal["claude", "local", "ask", "ask_claude"], OPERATOR] = Field(
        "claude",
        description="Where a change goes whose score is between the two thresholds; `ask`: to Claude unless the local model says that it needs no careful review; `ask_claude`: unless Claude itself says so of the doubtful blocks.",
    )
    ordinary: Annotated[Literal["local", "ask"], OPERATOR] = Field(
        "local",
        description="Where a change goes that would go to the local model; `ask`: to Claude if the local model, asked first, says clearly that it needs a careful review.",
    )
    learned: Annotated[bool, OPERATOR] = Field(
        True,
        description="Weigh how evidence lies in a change and the words beside it, as learned from labelled changes; off: the rules' points alone.",
    )
    also: Annotated[tuple[AreaName, ...], ADDS] = Field(
        (),
        max_length=50,
        description="Areas that are off unless named here: `complexity` flags difficult changes. See rules.md.",
    )
    engines: EngineChoice = Field(
        EngineChoice(), description="Which of the engines that the operator offers are for what."
    )
    rules: Annotated[tuple[PolicyRule, ...], ADDS] = Field(
        (), max_length=50, description="Further rules; each names its `area`. See rules.md."
    )


class PathInstruction(Closed):
    """What to look at in some files."""

    paths: Annotated[tuple[PathPattern, ...], Field(min_length=1, max_length=50)]
    text: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]


class ReviewPolicy(Closed):
    """What a review looks for and says."""

    instructions: Annotated[str, REPOSITORY] = Field(
        "", max_length=4_000, description="What reviewers of this repository should know."
    )
    path_instructions: Annotated[tuple[PathInstruction, ...], ADDS] = Field(
        (), max_length=50, description="The same for some files: `[{paths: […], text: …}]`."
    )
    guidelines: Annotated[bool, REPOSITORY] = Field(
        True, description="Show AGENTS.md and CONTRIBUTING.md of the base branch to the reviewer."
    )
    checklists: Annotated[bool, REPOSITORY] = Field(
        False,
        description="Give the reviewer short lists of questions: concurrency, security, inverted logic, use of APIs, loss of data.",
    )
    context: Annotated[Literal["function", "diff"], REPOSITORY] = Field(
        "function",
        description="What a model sees around a change: the enclosing function, or what the diff shows.",
    )
    fixes: Annotated[bool, OPERATOR] = Field(
        False,
        description="Decide first what is wrong, then ask how to mend it: a question of its own, about the findings that are shown.",
    )
    min_severity: Annotated[SeverityName, REPOSITORY] = Field(
        "low", description="Findings below it are left out."
    )
    max_findings: Annotated[int, LOWERS] = Field(
        20, ge=1, le=100, description="Most findings of one review; the worst stay."
    )
    drafts: Annotated[bool, OPERATOR] = Field(False, description="Review drafts too.")
    language: Annotated[str, REPOSITORY] = Field(
        "English",
        pattern=r"^[^\W\d_][\w ()-]{1,39}$",
        description="Language of the findings.",
    )
    sql_dialect: Annotated[
        Literal["auto", "postgresql", "mysql", "sqlite", "mssql", "oracle"], REPOSITORY
    ] = Field("auto", description="Database that migrations are checked for.")
    passes: Annotated[int, LOWERS] = Field(
        1,
        ge=1,
        le=5,
        description="How often the local model reads each part of a change; what half of the passes, and at least two, find is kept.",
    )
    verify: Annotated[bool, OPERATOR] = Field(
        False,
        description="Ask the local model a second time whether each of its findings is true; wrong ones are dropped.",
    )
    regret_percent: Annotated[float, LOWERS] = Field(
        0.0,
        ge=0,
        le=100,
        description="Share of automatic local reviews that Claude reads as well, to compare, %.",
    )


class Escalate(Closed):
    """Which findings of the local model Claude is asked about, each with its own lines only."""

    severity: Annotated[SeverityName, OPERATOR] = Field(
        "high", description="Findings of at least this severity …"
    )
    confidence_below: Annotated[float, LOWERS] = Field(
        0.6, ge=0, le=1, description="… that the local model is less sure of, 0 to 1 …"
    )
    max_per_pr: Annotated[int, LOWERS] = Field(
        0,
        ge=0,
        le=100,
        description="… are put to Claude, at most so many of a review: it confirms, corrects or withdraws them.",
    )


class Budget(Closed):
    """Most money for external engines."""

    monthly_usd: Annotated[Usd | None, LOWERS] = Field(
        None, description="USD a calendar month (UTC) for this repository; empty: no limit here."
    )
    per_pr_usd: Annotated[Usd | None, LOWERS] = Field(
        None,
        description="USD for one pull request, all its reviews together; empty: no limit here.",
    )
    when_exhausted: Annotated[Literal["local", "hold"], OPERATOR] = Field(
        "local",
        description="What Claude can't be paid for: `local`, the local model reads it and the review says so; `hold`, the review waits for a person.",
    )


class Publish(Closed):
    """What appears on the pull request."""

    summary: Annotated[bool, REPOSITORY] = Field(True, description="The summary comment.")
    inline: Annotated[bool, REPOSITORY] = Field(
        True,
        description="Comments on lines; from the third round of a pull request on of high and"
        " critical findings only.",
    )
    check: Annotated[bool, REPOSITORY] = Field(True, description="The check run.")
    fail_on: Annotated[SeverityName | None, REPOSITORY] = Field(
        None, description="The check fails from this severity on; empty: never."
    )


class Report(Closed):
    """The monthly cost report."""

    issue: Annotated[bool, OPERATOR] = Field(
        True, description="Post each month's report on this repository as an issue in it."
    )


class Policy(Closed):
    """All keys of `.github/reviewbot.yml`."""

    version: Annotated[Literal[1], OPERATOR] = Field(1, description="Version of this format.")
    ignore: Ignore = Ignore()
    route: RoutePolicy = RoutePolicy()
    review: ReviewPolicy = ReviewPolicy()
    strategy: Annotated[Literal["review", "refine"], OPERATOR] = Field(
        "review",
        description="How Claude reads what goes to it: by itself, or after the local model, whose findings it confirms, corrects and adds to (`refine`).",
    )
    escalate: Escalate = Escalate()
    budget: Budget = Budget()
    publish: Publish = Publish()
    report: Report = Report()


def load_policy(text: str | bytes, source: str = ".github/reviewbot.yml") -> Policy:
    """Read a policy file. Raises DocumentError."""
    return validate(Policy, load_document(text, source))


def without_policy(text: str | bytes, source: str) -> tuple[Policy, str]:
    """What still holds of a policy that is broken, and that in words.

    Only what it keeps from leaving and from being spent, since a slip elsewhere must not send a
    file out or lift a cap: its `never_send`, or every file where that can't be read; its `budget`,
    or no money at all.
    """
    try:
        document = load_document(text, source).data
    except DocumentError:
        document = None
    parts = document if isinstance(document, dict) else {}
    kept: dict[str, Any] = {}
    words = ["the defaults apply"]
    if spelled := _spelled(text, ("never_send",), 0.7):
        kept["route"], said = _kept_files(parts.get("route"), spelled)
        words.append(said)
    if spelled := _spelled(text, _CAPS, 0.8):
        kept["budget"], said = _kept_money(parts.get("budget"), spelled)
        words.append(said)
    return Policy.model_validate(kept), ", and ".join(words)


def _kept_files(route: Any, spelled: list[str]) -> tuple[dict[str, Any], str]:
    if spelled == ["never_send"] and isinstance(route, dict) and "never_send" in route:
        kept = {"never_send": route["never_send"]}
        with suppress(ValidationError):
            RoutePolicy.model_validate(kept)
            return kept, "its `never_send`"
    return {"never_send": ["**"]}, "no file is sent out: its `never_send` can't be read"


def _kept_money(budget: Any, spelled: list[str]) -> tuple[dict[str, Any], str]:
    if set(spelled) <= set(_CAPS) and isinstance(budget, dict) and set(spelled) <= budget.keys():
        with suppress(ValidationError):
            Budget.model_validate(budget)
            return budget, "its `budget`"
    return {"monthly_usd": 0}, "nothing is spent: its `budget` can't be read"


def _spelled(text: str | bytes, names: Sequence[str], alike: float) -> list[str]:
    """The words in it that are so much alike (1: the same) to one of these keys."""
    plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    words = {word.lower().replace("-", "_") for word in _KEY_LIKE.findall(plain[:MAX_BYTES])}
    close = (get_close_matches(name, sorted(words), n=5, cutoff=alike) for name in names)
    return list(dict.fromkeys(word for found in close for word in found))


PolicyPart = TypeVar("PolicyPart", bound=BaseModel)


def narrow(operator: PolicyPart, repository: PolicyPart) -> PolicyPart:
    """What holds where the operator says one thing and the repository another, key by key.

    A key that only one of them set is that one's. Both set: `Narrowing` of the key decides.
    """
    merged: dict[str, Any] = {}
    for name, info in type(operator).model_fields.items():
        ours, theirs = getattr(operator, name), getattr(repository, name)
        if isinstance(ours, BaseModel):
            merged[name] = narrow(ours, theirs)
        elif name not in repository.model_fields_set:
            merged[name] = ours
        elif name not in operator.model_fields_set:
            merged[name] = theirs
        else:
            how = next(item for item in info.metadata if isinstance(item, Narrowing))
            merged[name] = _meet(how, ours, theirs)
    set_keys = operator.model_fields_set | repository.model_fields_set
    return type(operator).model_construct(set_keys, **merged)


def _meet(how: Narrowing, ours: Any, theirs: Any) -> Any:
    if how is ADDS:
        return ours + tuple(item for item in theirs if item not in ours)
    if how is REPOSITORY:
        return theirs
    if how is OPERATOR:
        return ours
    if isinstance(ours, dict):
        return {area: _lower_area(ours.get(area), theirs.get(area)) for area in {**ours, **theirs}}
    return _lower(ours, theirs)


def _lower_area(ours: AreaPolicy | None, theirs: AreaPolicy | None) -> AreaPolicy:
    ours, theirs = ours or AreaPolicy(), theirs or AreaPolicy()
    return AreaPolicy(
        threshold=_lower(ours.threshold, theirs.threshold),
        uncertain=_lower(ours.uncertain, theirs.uncertain),
    )


def _lower(ours: Any, theirs: Any) -> Any:
    """The lower of two limits; None is no limit."""
    return theirs if ours is None else ours if theirs is None else min(ours, theirs)
