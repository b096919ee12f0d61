"""A ledger that knows only its own calls, with what was spent before it beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from reviewbot.asking import Books
from reviewbot.costs.budget import Account, AccountKind, Caps, Payer, Refusal, Scope, Spending
from reviewbot.costs.calls import CallStart


def with_past(books: Books, past: Sequence[Account]) -> Books:
    """The same books, if nothing was spent before."""
    return PastBooks(books, {each.scope: each for each in past}) if past else books


@dataclass(frozen=True)
class PastBooks:
    """Caps hold for what these books and the past have together."""

    books: Books
    past: Mapping[Scope, Account]

    def start_call(self, start: CallStart, caps: Caps) -> Refusal | None:
        """Under what the past leaves of each cap; a refusal names the whole cap."""
        payer = Payer(start.repository, start.repository_id, start.number)
        used = {
            scope.kind: self.past[scope].used_usd
            for scope in payer.scopes(start.started_at)
            if scope in self.past
        }
        left = Caps(
            pull_usd=_left(caps, "pull", used),
            repository_usd=_left(caps, "repository", used),
            operator_usd=_left(caps, "operator", used),
        )
        refusal = self.books.start_call(start, left)
        if refusal is None:
            return None
        return refusal._replace(cap_usd=caps.of(refusal.kind) or Decimal(0))

    def spending(self, payer: Payer, at: datetime, *, review_id: str | None) -> Spending:
        """Both together."""
        known = self.books.spending(payer, at, review_id=review_id)
        return replace(known, accounts=tuple(map(self._with_past, known.accounts)))

    def _with_past(self, account: Account) -> Account:
        before = self.past.get(account.scope)
        return account if before is None else added(account, before)


def added(one: Account, other: Account) -> Account:
    """Both on one scope; the cap is the first one's."""
    return replace(
        one,
        reserved_usd=one.reserved_usd + other.reserved_usd,
        unknown_usd=one.unknown_usd + other.unknown_usd,
        external_usd=one.external_usd + other.external_usd,
        claude_usd=one.claude_usd + other.claude_usd,
        local_usd=one.local_usd + other.local_usd,
        all_claude_usd=one.all_claude_usd + other.all_claude_usd,
        joules=one.joules + other.joules,
        calls=one.calls + other.calls,
    )


def _left(caps: Caps, kind: AccountKind, used: Mapping[AccountKind, Decimal]) -> Decimal | None:
    cap = caps.of(kind)
    return None if cap is None else max(cap - used.get(kind, Decimal(0)), Decimal(0))
