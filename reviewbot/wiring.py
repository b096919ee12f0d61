"""Settings → what all runs need: set-ups, clients and stores; the only module that constructs them."""

import hashlib
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reviewbot import operator_files
from reviewbot.asking import Asker, Books
from reviewbot.change.source import Fetched
from reviewbot.config.kept_app import PRIVATE_KEY, kept_app, kept_secret
from reviewbot.config.settings import Settings
from reviewbot.costs.budget import Account
from reviewbot.costs.calls import Call
from reviewbot.costs.local import LocalRates
from reviewbot.costs.prices import PriceBook
from reviewbot.crews import Crew, energy_of, engines
from reviewbot.errors import SettingsError, UsageError
from reviewbot.past_spending import with_past
from reviewbot.pipeline import Setup, effective_policy, review_change
from reviewbot.publishing.result import Review
from reviewbot.review.engine import Lineup
from reviewbot.steps import LiveModels, PlainSteps, Reporter, TokenPost

if TYPE_CHECKING:
    from reviewbot.evaluating import Bench
    from reviewbot.github.app import GitHubApp
    from reviewbot.store.reports import ReportStore


def setup(settings: Settings, crew: Crew | None = None) -> Setup:
    """What all reviews share.

    Raises DocumentError, SettingsError or PriceError for what the operator gave.
    """
    lineup, book = crew.lineup if crew else Lineup(), operator_files.prices(settings)
    local = lineup.get("local")
    if crew:  # before anything is paid for
        book.price_of("anthropic", settings.claude_model)
        for facts in lineup.engines.values():
            if facts.provider:
                book.price_of(facts.provider, facts.model)
    return Setup(
        rules=operator_files.rules(settings),
        policy=operator_files.operator_policy(settings),
        lineup=lineup,
        prices=book,
        claude_model=settings.claude_model,
        claude_context_tokens=book.context_window("anthropic", settings.claude_model) or 200_000,
        local_context_tokens=local.context_tokens if local else settings.local_context_tokens,
    )


@dataclass(frozen=True)
class Occasion:
    """Why a change is reviewed here and now, and what is known of it; the default: a person at a
    terminal wants to see it."""

    request: str = "cli"
    automatic: bool = False
    """Nobody asked for it: drafts and what the policy ignores are routed only."""
    tolerant: bool = False
    """A repository's broken policy is told on the review, which goes on without it."""
    dismissed: frozenset[str] = frozenset()
    """Fingerprints of findings that people do not want to see again."""
    past: tuple[Account, ...] = ()
    """What is spent besides what the database knows."""


def occasional_setup(settings: Settings, occasion: Occasion, crew: Crew | None = None) -> Setup:
    """`setup` for one occasion."""
    return replace(
        setup(settings, crew),
        automatic=occasion.automatic,
        tolerant=occasion.tolerant,
        dismissed=occasion.dismissed,
    )


def review_here(
    settings: Settings,
    source: Callable[[], Fetched],
    reporter: Reporter,
    *,
    post: TokenPost | None = None,
    occasion: Occasion = Occasion(),
) -> Review:
    """Review one change in this process. The ledger is opened, and closed again."""
    # the store takes a tenth of a second to import: only reviews need it
    from reviewbot.engines.analyzers import LocalAnalyzers
    from reviewbot.store.ledger import open_store

    crew = engines(settings)
    prepared = occasional_setup(settings, occasion, crew)
    review_id = str(uuid.uuid4())

    def read() -> Fetched:
        fetched = source()
        if post:
            post.prepare(fetched, effective_policy(prepared, fetched).policy)
        return fetched

    with open_store(settings.database) as ledger:
        steps = PlainSteps(
            review_id=review_id,
            source=read,
            analyzers=LocalAnalyzers(),
            asker=asker(settings, crew, with_past(ledger, occasion.past), prepared.prices),
            ledger=ledger,
            reporter=reporter,
            post=post,
            request=occasion.request,
        )
        return review_change(steps, prepared, review_id=review_id, now=datetime.now(UTC))


def token_post(
    settings: Settings,
    token: str | None,
    reporter: Reporter,
    *,
    request: str,
    key: bytes | None = None,
) -> TokenPost:
    """What posts a review with somebody's own token; `key` signs its marks, else a terminal's own.

    Raises UsageError without one, SourceError if GitHub does not take it.
    """
    if not token:
        raise UsageError("to post, GITHUB_TOKEN must hold a token that may write pull requests")
    from reviewbot.github.client import connect
    from reviewbot.github.posting import login_of

    open_client = partial(connect, settings.github_api_url, token)
    with open_client() as client:
        author = login_of(client)
    return TokenPost(open_client, author, key or terminal_marker_key(settings), reporter, request)


def github_app(settings: Settings) -> "GitHubApp":
    """What mints tokens: the only one that reads a kept private key. Raises SettingsError."""
    from reviewbot.github.app import GitHubApp

    if settings.github_app_id is None:
        raise SettingsError(
            "REVIEWBOT_GITHUB_APP_ID is not set: the worker needs it; `reviewbot setup` makes an App"
        )
    key, kept = settings.github_private_key, kept_app(settings.data_dir)
    if key is not None:
        pem = key.get_secret_value()
    elif kept and kept.id == settings.github_app_id:
        pem = kept_secret(settings.data_dir, PRIVATE_KEY)
    else:
        raise SettingsError("REVIEWBOT_GITHUB_PRIVATE_KEY_FILE is not set: the worker needs it")
    return GitHubApp(settings.github_app_id, pem, settings.github_api_url)


def marker_key(settings: Settings) -> bytes:
    """Signs our hidden marks. Raises SettingsError if there is nothing to make it of."""
    if settings.marker_key is not None:
        return settings.marker_key.get_secret_value().encode()
    if settings.webhook_secret is None:
        raise SettingsError(
            "neither REVIEWBOT_WEBHOOK_SECRET nor REVIEWBOT_MARKER_KEY is set: one of them signs our"
            " hidden marks"
        )
    secret = settings.webhook_secret.get_secret_value().encode()
    return hashlib.sha256(b"reviewbot marker\0" + secret).digest()


def terminal_marker_key(settings: Settings) -> bytes:
    """The same at a terminal, where a key of its own is made if nothing is set."""
    if settings.marker_key is None and settings.webhook_secret is None:
        from reviewbot.store.key_file import kept_key

        return kept_key(settings.data_dir / "marker.key")
    return marker_key(settings)


def asker(settings: Settings, crew: Crew, ledger: Books, book: PriceBook) -> Asker:
    """What makes the calls."""
    claude, local = settings.claude_timeout_seconds, settings.local_timeout_seconds
    return Asker(
        engines=crew.engines,
        timeouts={"claude": claude, "fallback": claude, "low": claude, "local": local},
        ledger=ledger,
        prices=book,
        rates=local_rates(settings),
        monthly_usd=settings.monthly_budget_usd,
        energy=energy_of(settings, crew),
    )


def local_rates(settings: Settings) -> LocalRates:
    """What the operator's hardware and power cost."""
    return LocalRates(
        settings.hardware_usd,
        settings.hardware_months,
        settings.electricity_usd_per_kwh,
        settings.watts,
    )


def past_calls(settings: Settings) -> list[Call]:
    """Settled calls of the ledger; none where there is no database yet, and none is made."""
    _, is_sqlite, file = settings.database.partition("sqlite:///")
    if is_sqlite and not Path(file).is_file():
        return []
    from reviewbot.store.ledger import open_store

    with open_store(settings.database) as ledger:
        return [call for call in ledger.calls() if isinstance(call, Call)]


@contextmanager
def bench(
    settings: Settings, folder: Path, *, corpus: str, budget: Decimal, replay: bool
) -> "Iterator[Bench]":
    """What an evaluation is done with, kept in `folder`; with `replay` no model is asked.

    All of its paid calls together cost at most `budget` USD. Raises UsageError for a folder of
    another corpus or of other models.
    """
    from reviewbot.engines.analyzers import LocalAnalyzers
    from reviewbot.evaluating import Answers, Bench, Silent, lineup_json, lineup_of
    from reviewbot.store.evaluations import EvaluationFolder
    from reviewbot.store.ledger import open_store

    kept = EvaluationFolder(folder)
    about = kept.about()
    if about and about["corpus"] != corpus:
        raise UsageError(
            f"{folder} holds the evaluation of another corpus: give another with --out"
        )
    if replay and not about:
        raise UsageError(f"{folder} holds no evaluation")
    crew = Crew({}, ()) if replay else engines(settings, low=True)
    lineup = lineup_of(about["lineup"]) if replay and about else crew.lineup
    if about and about["lineup"] != lineup_json(lineup):
        raise UsageError(f"{folder} was begun with other models: give another folder with --out")
    if not about:
        about = {
            "corpus": corpus,
            "lineup": lineup_json(lineup),
            "started_at": datetime.now(UTC).isoformat(),
        }
        kept.begin(about)
    began = datetime.fromisoformat(about["started_at"])
    prepared = setup(settings, crew)
    local = lineup.get("local")
    prepared = replace(
        prepared,
        lineup=lineup,
        local_context_tokens=local.context_tokens if local else prepared.local_context_tokens,
    )
    with open_store(kept.database) as ledger:
        # one month for all of it: the cap holds however long it takes
        made = replace(
            asker(settings, crew, ledger, prepared.prices), monthly_usd=budget, now=lambda: began
        )
        live = None if replay else LiveModels("evaluation", made, ledger, Silent())
        answers = Answers(kept, lineup, live)
        yield Bench(prepared, LocalAnalyzers(), kept, answers, began)


@contextmanager
def report_store(settings: Settings) -> "Iterator[ReportStore | None]":
    """What reports read; None where there is no database yet: to report makes none."""
    _, is_sqlite, file = settings.database.partition("sqlite:///")
    if is_sqlite and not Path(file).is_file():
        yield None
        return
    from reviewbot.store.reports import open_report_store

    with open_report_store(settings.database) as store:
        yield store
