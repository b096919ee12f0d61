"""Finished reviews to show: a usual one with everything in it, and a hostile one."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from reviewbot.change.model import Change, Kind
from reviewbot.change.parse import parse_diff
from reviewbot.costs.budget import Account, Scope, Spending
from reviewbot.costs.calls import Call, CallStart
from reviewbot.costs.summary import summarize
from reviewbot.privacy.egress import EgressEntry
from reviewbot.publishing.fingerprint import with_fingerprint
from reviewbot.publishing.life import Life, State
from reviewbot.publishing.result import Review
from reviewbot.publishing.rounds import Progress, Round
from reviewbot.review.answer import Category, Severity
from reviewbot.review.engine import Outcome, Usage
from reviewbot.review.finding import Coverage, CoverageStatus, Finding
from reviewbot.routing.model import FileRoute, Match, Route, Tier

SHOP_DIFF = """\
diff --git a/shop/refund.py b/shop/refund.py
index 1111111..2222222 100644
--- a/shop/refund.py
+++ b/shop/refund.py
@@ -38,9 +38,10 @@ class Refunds:
 
     def amount(self, order, share):
         \"\"\"What to pay back, in cents.\"\"\"
-        due = Decimal(order.paid) * share
-        return int(due.quantize(Decimal(1), ROUND_HALF_UP))
+        due = order.paid * float(share)
+        log.debug("refund of %s", due)
+        return int(due)
 
     def pay(self, order, share):
         self.gateway.refund(order.charge, self.amount(order, share))
 
diff --git a/shop/basket.py b/shop/basket.py
index 3333333..4444444 100644
--- a/shop/basket.py
+++ b/shop/basket.py
@@ -10,6 +10,4 @@ def total(lines):
 def remove(basket, item):
-    if item not in basket.lines:
-        return
     basket.lines.remove(item)
     basket.save()
 
diff --git a/docs/refunds.md b/docs/refunds.md
index 5555555..6666666 100644
--- a/docs/refunds.md
+++ b/docs/refunds.md
@@ -1,3 +1,3 @@
 # Refunds
 
-Refunds take a week.
+Refunds take a day.
diff --git a/uv.lock b/uv.lock
index 7777777..8888888 100644
--- a/uv.lock
+++ b/uv.lock
@@ -1,2 +1,2 @@
 version = 1
-revision = 2
+revision = 3
"""


def shop_change() -> Change:
    change = parse_diff(SHOP_DIFF, title="Refund a share of an order")
    return replace(
        change,
        base="0123456789abcdef0123456789abcdef01234567",
        head="89abcdef0123456789abcdef0123456789abcdef",
        repository="acme/shop",
        number=7,
    )


def shop_findings() -> tuple[Finding, ...]:
    findings = (
        Finding(
            path="shop/refund.py",
            line=41,
            end_line=43,
            side="RIGHT",
            severity=Severity.CRITICAL,
            category=Category.CORRECTNESS,
            title="Refunds are cut down to whole cents",
            body=(
                "`int(due)` drops the fraction, and `float` can't hold most shares: "
                "an order of 1 005 cents refunded by 0.7 pays 703 instead of 704.\n\n"
                "- customers get **less** than they should\n"
                "- the ledger and the gateway drift apart\n\n"
                "Keep the `Decimal` and round half up, as before."
            ),
            quote='        due = order.paid * float(share)\n        log.debug("refund of %s", due)\n        return int(due)',
            confidence=0.93,
            engine="claude",
            suggestion=(
                "        due = Decimal(order.paid) * share\n"
                '        log.debug("refund of %s", due)\n'
                "        return int(due.quantize(Decimal(1), ROUND_HALF_UP))"
            ),
            agreed=("openai",),
        ),
        Finding(
            path="shop/basket.py",
            line=11,
            end_line=12,
            side="LEFT",
            severity=Severity.MEDIUM,
            category=Category.CORRECTNESS,
            title="Removing a missing item now raises ValueError",
            body="`list.remove` raises where the item is not there. Two clicks on *remove* are enough.",
            quote="    if item not in basket.lines:\n        return",
            confidence=0.71,
            engine="claude",
        ),
        Finding(
            path="shop/basket.py",
            line=None,
            end_line=None,
            side="RIGHT",
            severity=Severity.LOW,
            category=Category.TESTS,
            title="No test removes an item twice",
            body="Add one:\n\n```python\ndef test_remove_twice(basket, item):\n    remove(basket, item)\n    remove(basket, item)\n```",
            quote="def test_remove",
            confidence=0.5,
            engine="claude",
            anchored=False,
            unanchored_reason="the quoted code is not in the diff",
        ),
    )
    return tuple(with_fingerprint(finding) for finding in findings)


def shop_route() -> Route:
    reasons = (
        Match("refund-path", "payments", "shop/refund.py", None, "RIGHT", "A path of refunds", 2.0),
        Match("float-money", "payments", "shop/refund.py", 41, "RIGHT", "Money as a float", 3.0),
    )
    files = (
        FileRoute("shop/refund.py", Kind.SOURCE, Tier.CLAUDE, ("payments",), reasons),
        FileRoute("shop/basket.py", Kind.SOURCE, Tier.CLAUDE, why="part of a flagged change"),
        FileRoute("docs/refunds.md", Kind.DOCS, Tier.LOCAL),
        FileRoute("uv.lock", Kind.LOCKFILE, Tier.SKIP, why="lockfile"),
    )
    return Route(
        tier=Tier.CLAUDE,
        areas=("payments",),
        certainty="sure",
        scores={"payments": 5.0},
        reasons=reasons,
        files=files,
        why="Claude: payments has 5 points, 3 flag it.",
        notes=("lockfile changed: uv.lock",),
    )


def call(
    number: int,
    *,
    engine: str,
    provider: str | None,
    model: str,
    usd: str = "0",
    usage: Usage | None = None,
    scripted: bool = False,
) -> Call:
    at = datetime(2026, 5, 4, 12, 0, number, tzinfo=UTC)
    local = provider is None
    return Call(
        start=CallStart(
            id=f"00000000-0000-4000-8000-{number:012}",
            review_id="r",
            repository="acme/shop",
            number=7,
            installation=None,
            repository_id=None,
            purpose="review",
            unit=number,
            attempt=1,
            engine=engine,
            provider=provider,
            model=model,
            reserved_usd=Decimal(usd) * 2,
            started_at=at,
        ),
        outcome=Outcome.ANSWERED,
        model=model,
        settled_at=at,
        latency_seconds=3.5,
        usage=usage,
        usd=Decimal(usd),
        energy_usd=Decimal("0.000044") if local else Decimal(0),
        amortisation_usd=Decimal("0.000052") if local else Decimal(0),
        joules=1225.0 if local else 0.0,
        joules_how="watts × seconds" if local else "none",
        busy_seconds=3.5 if local else 0.0,
        scripted=scripted,
    )


def shop_review() -> Review:
    """Two engines, three findings, one of them without a place."""
    calls = (
        call(
            1,
            engine="claude",
            provider="anthropic",
            model="claude-opus-5-5",
            usd="0.0412",
            usage=Usage(7300, 600),
        ),
        call(2, engine="openai", provider=None, model="qwen2.5-coder", usage=Usage(2100, 210)),
    )
    return Review(
        id="11111111-2222-4333-8444-555555555555",
        change=shop_change(),
        route=shop_route(),
        findings=shop_findings(),
        coverage=(
            Coverage("shop/refund.py", CoverageStatus.FULL, "claude"),
            Coverage("shop/basket.py", CoverageStatus.FULL, "claude"),
            Coverage("docs/refunds.md", CoverageStatus.FULL, "openai"),
            Coverage("uv.lock", CoverageStatus.SKIPPED, "none", "lockfile"),
        ),
        calls=calls,
        cost=summarize(calls, all_claude_usd=Decimal("0.0538")),
        created_at=datetime(2026, 5, 4, 12, 0, tzinfo=UTC),
        egress=(EgressEntry("shop/basket.py", 812, 0), EgressEntry("shop/refund.py", 2204, 1)),
        walkthrough=(
            "Refunds can pay back a share of an order. The basket no longer checks for a missing item.",
        ),
        notes=(
            "local engine: qwen2.5-coder at http://127.0.0.1:8000/v1 (ours: nothing leaves)",
            "lockfile changed: uv.lock",
        ),
        dropped={"merged": 1, "below severity": 2},
    )


def scripted_review() -> Review:
    """The same from hand-written answers, with a risky file that Claude did not see."""
    review = shop_review()
    calls = tuple(
        replace(
            each, scripted=True, usage=replace(each.usage, estimated=True) if each.usage else None
        )
        for each in review.calls
    )
    return replace(
        review,
        calls=calls,
        cost=summarize(calls, all_claude_usd=Decimal("0.0538")),
        findings=tuple(replace(finding, scripted=True) for finding in review.findings),
        attention=("RISKY, NOT REVIEWED BY CLAUDE: shop/refund.py (no Claude key is configured)",),
    )


def _usd(**amounts: str) -> dict[str, Decimal]:
    return {f"{name}_usd": Decimal(amount) for name, amount in amounts.items()}


#: What was spent before the shop's review, and with it; the repository and all have a cap.
PULL = Account(
    Scope("pull", "22#7", ""),
    **_usd(external="0.0912", claude="0.0912", local="0.0002", all_claude="0.05"),
    joules=2_450.0,
    calls=4,
)
MONTH = Account(
    Scope("repository", "22", "2026-05"),
    **_usd(
        external="12.5", claude="12.25", local="0.31", all_claude="31", reserved="0.4", cap="20"
    ),
    joules=3_100_000.0,
    calls=812,
)
ALL = Account(Scope("operator", "", "2026-05"), **_usd(external="430", claude="430", cap="500"))
SPENDING = Spending((PULL, MONTH, ALL))


def with_spending(spending: Spending = SPENDING) -> Review:
    """The shop's review, with what was spent."""
    return replace(shop_review(), spending=spending)


def held_review() -> Review:
    """One that waits for a higher cap."""
    why = "acme/shop may spend $20.00 a month"
    review = replace(with_spending(), findings=(), calls=(), cost=summarize(()), held=why)
    return replace(review, attention=(f"HELD: budget used up ({why})",))


HOSTILE = (
    "\x1b]0;pwned\x07\x1b[31m[red]x[/red] @octocat closes #1 \u202e <img src=x onerror=alert(1)> "
    "![a](http://evil.example/?d=1) [docs](http://evil.example) `|` <!-- x --> /approve"
)


def hostile_review(text: str = HOSTILE, name: str = "[red] é`|@octocat.py") -> Review:
    """Every text that others control tries to act: it is `text`, and in a file of that name."""
    path = f"src/{name}"
    quoted = path.replace("\\", "\\\\").replace('"', '\\"')
    line = " ".join(text.split("\n"))
    change = Change(
        parse_diff(
            f'diff --git "a/{quoted}" "b/{quoted}"\n--- "a/{quoted}"\n+++ "b/{quoted}"\n'
            f"@@ -1,1 +1,2 @@\n context {line}\n+/approve {line}\n"
        ).files,
        title=text,
        repository=text,
        number=1,
        head="[bold]",
    )
    finding = Finding(
        path=path,
        line=2,
        end_line=2,
        side="RIGHT",
        severity=Severity.HIGH,
        category=Category.SECURITY,
        title=text,
        body=f"/approve\n\n{text}\n\n```suggestion\n{text}\n```\n\n```\n/merge\n",
        quote=f"/approve {line}",
        confidence=0.5,
        engine="claude",
        suggestion=text,
        fingerprint="0" * 16,
    )
    match = Match(text, text, path, 2, "RIGHT", text, 1.0)
    file = FileRoute(path, Kind.SOURCE, Tier.CLAUDE, (text,), (match,), text)
    calls = (call(1, engine="claude", provider="anthropic", model=text, usage=Usage(1, 1)),)
    return Review(
        id="r",
        change=change,
        route=Route(Tier.CLAUDE, (text,), "uncertain", {}, (match,), (file,), text, (text,)),
        findings=(
            finding,
            replace(finding, anchored=False, line=None, end_line=None, unanchored_reason=text),
        ),
        coverage=(Coverage(path, CoverageStatus.PARTIAL, text, text),),
        calls=calls,
        cost=summarize(calls),
        created_at=datetime(2026, 5, 4, 12, 0, tzinfo=UTC),
        walkthrough=(text,),
        attention=(text,),
        notes=(text,),
    )


def large_review(files: int, findings: int) -> Review:
    """As many files and findings as asked for, each finding with a body of usual length."""
    review = shop_review()
    paths = [f"service/module_{number:04}/handlers/request_handler.py" for number in range(files)]
    finding = replace(
        review.findings[0],
        body="When the handler is called twice, the second call overwrites the first. " * 8,
        suggestion=None,
    )
    return replace(
        review,
        change=parse_diff(
            "".join(f"--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-a\n+b\n" for path in paths)
        ),
        findings=tuple(
            replace(
                finding,
                path=paths[number % files],
                line=1,
                end_line=1,
                quote="b",
                title=f"Problem {number}",
            )
            for number in range(findings)
        ),
        coverage=tuple(Coverage(path, CoverageStatus.FULL, "openai") for path in paths),
        walkthrough=("It changes many handlers. " * 20,) * 64,
        notes=tuple(f"note {number} " + "x" * 200 for number in range(300)),
        attention=tuple(f"REVIEWED IN PART: {path}: cut off" for path in paths[:200]),
    )


def later_review() -> Review:
    """Of a push with nothing new in it: two findings are still open, one is fixed by it."""
    review = shop_review()
    lives = tuple(
        Life(f"r:{n}", finding, finding.fingerprint, "e" * 40, inline=finding.anchored)
        for n, finding in enumerate(review.findings)
    )
    fixed = replace(lives[2], state=State.FIXED, fixed_in=review.change.head or "")
    line = Round("e" * 40, review.created_at, 4, 2, 3, 0, 3, Decimal("0.0412"))
    progress = Progress((line,), (*lives[:2], fixed), lives[:2], (fixed,))
    return replace(review, findings=(), walkthrough=(), progress=progress)
