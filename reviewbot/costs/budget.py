"""Caps on what external engines may cost: whose money a call is, what is spent, and what fits.

Months are calendar months in UTC; a call belongs to the one in which it began.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple, Self

from reviewbot.costs.money import decimal_text
from reviewbot.costs.prices import PriceBook
from reviewbot.review.engine import Prompt

AccountKind = Literal["pull", "repository", "operator"]
"""Who may run out of money: one pull request, for ever; a repository, or all that one database
knows of, within a month."""

#: From this share of a cap on, people are told.
NOTED_SHARE = Decimal("0.8")


class Scope(NamedTuple):
    """One account that calls are booked on."""

    kind: AccountKind
    name: str
    """`22`, `22#7`; empty for the operator's."""
    period: str
    """The month, `2026-11`; empty for a pull request's."""


class Payer(NamedTuple):
    """For whom a call is made."""

    repository: str
    """`owner/name`; empty for a change that nobody has named."""
    repository_id: int | None
    """The host's, which outlives a rename; None where only the name is known."""
    number: int | None
    """Pull request."""

    def scopes(self, at: datetime) -> tuple[Scope, ...]:
        """The accounts of a call that begins at `at`, in the order in which all stores lock them."""
        month = at.astimezone(UTC).strftime("%Y-%m")
        name = self.repository if self.repository_id is None else str(self.repository_id)
        of_month = (Scope("repository", name, month), Scope("operator", "", month))
        if self.number is None:
            return of_month
        return (Scope("pull", f"{name}#{self.number}", ""), *of_month)


@dataclass(frozen=True)
class Caps:
    """Most USD for external engines by account; None: no cap."""

    pull_usd: Decimal | None = None
    repository_usd: Decimal | None = None
    operator_usd: Decimal | None = None

    def of(self, kind: AccountKind) -> Decimal | None:
        """The cap of one kind of account."""
        caps = {
            "pull": self.pull_usd,
            "repository": self.repository_usd,
            "operator": self.operator_usd,
        }
        return caps[kind]


#: Nothing is capped.
NO_CAPS = Caps()


@dataclass(frozen=True)
class Account:
    """What is booked on one scope, USD, and its cap."""

    scope: Scope
    reserved_usd: Decimal = Decimal(0)
    """Reserves of calls without a settlement: they run, or their process died."""
    unknown_usd: Decimal = Decimal(0)
    """Reserves of calls that may have been billed without an answer."""
    external_usd: Decimal = Decimal(0)
    """Settled bills of external engines."""
    claude_usd: Decimal = Decimal(0)
    """The part of `external_usd` that is Claude's."""
    local_usd: Decimal = Decimal(0)
    """Energy and amortisation of our own hardware; no cap limits it."""
    all_claude_usd: Decimal = Decimal(0)
    """What the reviews that ended would have cost on Claude alone."""
    joules: float = 0.0
    calls: int = 0
    """Settled calls that were made."""
    cap_usd: Decimal | None = None

    @property
    def used_usd(self) -> Decimal:
        """What counts against the cap: bills, and whatever may still become one."""
        return self.external_usd + self.unknown_usd + self.reserved_usd

    @property
    def left_usd(self) -> Decimal | None:
        """What is left of the cap; None without one."""
        return None if self.cap_usd is None else max(self.cap_usd - self.used_usd, Decimal(0))

    @property
    def share(self) -> Decimal:
        """The used part of the cap; 0 without a cap, 1 for a cap of nothing."""
        if self.cap_usd is None:
            return Decimal(0)
        return self.used_usd / self.cap_usd if self.cap_usd else Decimal(1)

    @property
    def total_usd(self) -> Decimal:
        """All that is known to be spent, our own hardware included."""
        return self.external_usd + self.local_usd

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; USD as decimal strings."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        plain = {k: decimal_text(v) if isinstance(v, Decimal) else v for k, v in values.items()}
        del plain["scope"]
        left = self.left_usd
        return {
            **self.scope._asdict(),
            **plain,
            "used_usd": decimal_text(self.used_usd),
            "left_usd": None if left is None else decimal_text(left),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The account that `to_json` wrote."""
        values = {f.name: data[f.name] for f in fields(cls) if f.name != "scope"}
        money = {
            name: Decimal(value)
            for name, value in values.items()
            if name.endswith("_usd") and value is not None
        }
        return cls(Scope(data["kind"], data["name"], data["period"]), **{**values, **money})


@dataclass(frozen=True)
class Spending:
    """What is spent for a review's pull request, its repository and everything, at one moment."""

    accounts: tuple[Account, ...]
    counted: bool = False
    """`all_claude_usd` has this very review in it already."""

    def of(self, kind: AccountKind) -> Account | None:
        """The account of this kind, if there is one."""
        return next((each for each in self.accounts if each.scope.kind == kind), None)

    @property
    def tightest(self) -> Account | None:
        """The account with the least money left; None where nothing is capped."""
        capped = [each for each in self.accounts if each.cap_usd is not None]
        return min(capped, key=_left, default=None)

    def under(self, caps: Caps) -> "Spending":
        """The same under other caps."""
        known = (replace(each, cap_usd=caps.of(each.scope.kind)) for each in self.accounts)
        return replace(self, accounts=tuple(known))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; USD as decimal strings."""
        return {"counted": self.counted, "accounts": [each.to_json() for each in self.accounts]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The spending that `to_json` wrote."""
        return cls(tuple(Account.from_json(each) for each in data["accounts"]), data["counted"])


class Budgets(NamedTuple):
    """How all budgets stand at one moment, for whoever watches the service."""

    operator: Account
    """This month's."""
    fullest: tuple[Account, ...]
    """Of repositories and of pull requests the one that is nearest to its cap, of those that were
    booked on this month."""
    refused: Mapping[AccountKind, int]
    """Calls that did not fit under a cap, since the beginning."""


class Refusal(NamedTuple):
    """Why a call is not made: its reserve does not fit under a cap."""

    kind: AccountKind
    cap_usd: Decimal
    may_fit_later: bool = False
    """Reserves of calls that still run stand in its way: they will shrink to bills."""


def refused(accounts: Sequence[Account], need: Decimal) -> Refusal | None:
    """Why `need` USD more do not fit on these accounts, by the tightest cap; None if they do."""
    short = {
        each: each.used_usd + need - each.cap_usd for each in accounts if each.cap_usd is not None
    }
    short = {each: by for each, by in short.items() if by > 0}
    if not short:
        return None
    tightest = min(short, key=_left)
    later = all(each.reserved_usd >= by for each, by in short.items())
    return Refusal(tightest.scope.kind, tightest.cap_usd or Decimal(0), later)


def _left(account: Account) -> Decimal:
    return account.left_usd or Decimal(0)


def whose(kind: AccountKind, repository: str) -> str:
    """An account's owner in words."""
    if kind == "pull":
        return "this pull request"
    return (repository or "this repository") if kind == "repository" else "all repositories"


def limit_text(kind: AccountKind, cap_usd: Decimal, repository: str) -> str:
    """`acme/shop may spend $20.00 a month`."""
    rate = "" if kind == "pull" else " a month"
    who = "all repositories together" if kind == "operator" else whose(kind, repository)
    return f"{who} may spend {cap_text(cap_usd)}{rate}"


def cap_text(cap_usd: Decimal) -> str:
    """`$20.00`, `$0.0125`: all the digits that somebody set."""
    written = decimal_text(cap_usd)
    return f"${cap_usd:,.2f}" if len(written.partition(".")[2]) <= 2 else f"${written}"


def reserve_of(
    prices: PriceBook, provider: str | None, model: str, prompt: Prompt, at: datetime | None = None
) -> Decimal:
    """A proven upper bound of what a call can cost, USD; 0 on our own hardware.

    Raises PriceError for a model without a price.
    """
    if provider is None:
        return Decimal(0)
    return prices.reserve(
        provider,
        model,
        prompt.text,
        prompt.max_output_tokens,
        schema=prompt.schema,
        cache="5m" if prompt.cache_prefix else "none",
        at=at,
    )


def noted(accounts: Iterable[Account]) -> list[Account]:
    """Accounts of whose cap `NOTED_SHARE` or more is used, the fullest first."""
    full = [each for each in accounts if each.cap_usd and each.share >= NOTED_SHARE]
    return sorted(full, key=lambda each: -each.share)
