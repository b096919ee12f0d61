"""Settings → live clients, engines and stores; the only module that constructs them."""

import hashlib
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reviewbot.asking import Asker, Books
from reviewbot.change.source import Fetched
from reviewbot.config.engines_document import EngineChoice, NamedEngine, parse_engines
from reviewbot.config.kept_app import PRIVATE_KEY, kept_app, kept_secret
from reviewbot.config.policy import Policy, load_policy
from reviewbot.config.settings import Settings
from reviewbot.costs.budget import Account
from reviewbot.costs.calls import Call
from reviewbot.costs.local import LocalRates
from reviewbot.costs.operator_prices import parse_operator_prices
from reviewbot.costs.prices import PriceBook
from reviewbot.errors import EngineError, SettingsError, UsageError
from reviewbot.past_spending import with_past
from reviewbot.pipeline import Setup, effective_policy, review_change
from reviewbot.publishing.result import Review
from reviewbot.review.engine import Engine, EngineFacts, Lineup, Role, named_role
from reviewbot.routing.rules import RuleSet, shipped_rules, with_own_rules
from reviewbot.steps import LiveModels, PlainSteps, Reporter, TokenPost

if TYPE_CHECKING:
    from reviewbot.engines.claude import ClaudeEngine
    from reviewbot.engines.openai_compatible import OpenAICompatibleEngine
    from reviewbot.evaluating import Bench
    from reviewbot.github.app import GitHubApp
    from reviewbot.store.reports import ReportStore

#: Longest wait for a local server to name its models, seconds.
DISCOVERY_SECONDS = 10.0


@dataclass(frozen=True)
class Crew:
    """The engines that there are, by role, and why."""

    engines: Mapping[Role, Engine]
    notes: tuple[str, ...]
    choice: EngineChoice = field(default_factory=EngineChoice)
    """Which named engine is for what."""

    @property
    def lineup(self) -> Lineup:
        """What the flow must know of them."""
        facts = {role: EngineFacts.of(engine) for role, engine in self.engines.items()}
        return Lineup(facts, self.notes, self.choice)


def setup(settings: Settings, crew: Crew | None = None) -> Setup:
    """What all reviews share.

    Raises DocumentError, SettingsError or PriceError for what the operator gave.
    """
    lineup, book = crew.lineup if crew else Lineup(), prices(settings)
    local = lineup.get("local")
    if crew:  # before anything is paid for
        book.price_of("anthropic", settings.claude_model)
        for facts in lineup.engines.values():
            if facts.provider:
                book.price_of(facts.provider, facts.model)
    return Setup(
        rules=rules(settings),
        policy=operator_policy(settings),
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


def engines(settings: Settings, *, low: bool = False) -> Crew:
    """The engine of each role, as the settings say, and in words which were chosen and why; with
    `low` the cheap Claude model beside a local one, too."""
    chosen: dict[Role, Engine] = {}
    notes: list[str] = []
    key = settings.anthropic_api_key.get_secret_value() if settings.anthropic_api_key else ""
    if key:
        chosen["claude"] = claude_engine(settings, key, settings.claude_model)
        if settings.claude_fallback_model:
            chosen["fallback"] = claude_engine(settings, key, settings.claude_fallback_model)
    else:
        notes.append("no Claude: set ANTHROPIC_API_KEY to have risky changes reviewed by it")
    local, note = _local(settings)
    notes.append(note)
    if local:
        chosen["local"] = local
    if key and (low or (not local and settings.without_local == "claude")):
        chosen["low"] = claude_engine(settings, key, settings.claude_model_low)
    if settings.engines is None:
        return Crew(chosen, tuple(notes))
    named = parse_engines(_read(settings.engines, "REVIEWBOT_ENGINES"), str(settings.engines))
    for name, wanted in named.engines.items():
        if engine := _named(settings, key, wanted):
            chosen[named_role(wanted.tier, name)] = engine
        else:
            notes.append(f"engine {name}: no Claude, set ANTHROPIC_API_KEY")
    for tier, name in named.use.tiers.items():  # it is that tier's engine, whatever else there is
        if engine := chosen.get(named_role(tier, name)):
            chosen[tier] = engine
    return Crew(chosen, tuple(notes), named.use)


def offered(settings: Settings) -> Lineup:
    """The engines that the settings name, as a forecast must know them. Raises DocumentError,
    SettingsError, PriceError."""
    if settings.engines is None:
        return Lineup()
    from reviewbot.engines.named import named_lineup
    from reviewbot.reporting.replay import PAID_CONTEXT_TOKENS

    text = _read(settings.engines, "REVIEWBOT_ENGINES")
    named = parse_engines(text, str(settings.engines))
    lineup = named_lineup(named, claude_context=PAID_CONTEXT_TOKENS)
    book = prices(settings)
    for facts in lineup.engines.values():
        if facts.provider:
            book.price_of(facts.provider, facts.model)
    return lineup


def _named(settings: Settings, key: str, wanted: NamedEngine) -> Engine | None:
    """An engine of the engines file; None where Claude's key is missing."""
    if wanted.tier == "claude":
        return claude_engine(settings, key, wanted.model) if key else None
    secret = _read(wanted.key_file, "key_file").strip() if wanted.key_file else None
    return _server(wanted.url, wanted.model, secret, wanted.context_tokens, wanted.private)


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
        energy=_energy(settings, crew),
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


def prices(settings: Settings) -> PriceBook:
    """The price library, and the operator's own prices over it."""
    if settings.prices_file is None:
        return PriceBook()
    text = _read(settings.prices_file, "REVIEWBOT_PRICES_FILE")
    return PriceBook(parse_operator_prices(text, str(settings.prices_file)))


def claude_engine(settings: Settings, key: str, model: str) -> "ClaudeEngine":
    """Claude, by the settings; asks nobody. Raises EngineError for a key or URL that can't be one."""
    from reviewbot.engines.claude import ClaudeEngine

    context = prices(settings).context_window("anthropic", model) or 200_000
    return ClaudeEngine(
        key=key, model=model, url=settings.anthropic_api_url, context_tokens=context
    )


def _local(settings: Settings) -> tuple[Engine | None, str]:
    """The engine of the local tier and why it is that one; or why there is none."""
    if settings.local_engine == "none":
        return None, "no local model: switched off by REVIEWBOT_LOCAL_ENGINE=none"
    why_not = "no server is asked"
    if settings.local_engine in ("auto", "llama"):
        from reviewbot.engines.llama.choice import choose_local
        from reviewbot.engines.llama.engine import LlamaEngine

        chosen = choose_local(settings)
        if chosen.plan:
            return LlamaEngine(chosen.plan), chosen.note
        why_not = chosen.note
    if not settings.local_url:
        if settings.local_engine == "openai":
            raise SettingsError("REVIEWBOT_LOCAL_ENGINE=openai needs REVIEWBOT_LOCAL_URL")
        return None, (
            f"no local model: {why_not}; or set REVIEWBOT_LOCAL_URL to an OpenAI-compatible"
            " server, such as http://127.0.0.1:8000/v1"
        )
    engine = local_server(settings)
    if not engine.model:
        try:
            engine.discover_model(timeout=DISCOVERY_SECONDS)
        except EngineError as error:
            if settings.local_engine == "openai":
                raise
            return None, f"no local model: {error}"
    how = "outside: redacted and priced" if engine.external else "ours: nothing leaves"
    return engine, f"local engine: {engine.model} at {settings.local_url} ({how})"


def local_server(settings: Settings) -> "OpenAICompatibleEngine":
    """The server of REVIEWBOT_LOCAL_URL; asks nobody. Raises SettingsError, EngineError."""
    from reviewbot.engines.address import is_loopback

    if not settings.local_url:
        raise SettingsError("REVIEWBOT_LOCAL_ENGINE=openai needs REVIEWBOT_LOCAL_URL")
    private = settings.local_url_private or is_loopback(settings.local_url)
    if not private and not settings.local_model:
        raise SettingsError("REVIEWBOT_LOCAL_URL is outside: its price needs REVIEWBOT_LOCAL_MODEL")
    return _server(
        settings.local_url,
        settings.local_model,
        settings.local_api_key.get_secret_value() if settings.local_api_key else None,
        settings.local_context_tokens,
        settings.local_url_private,
    )


def _server(
    url: str, model: str, key: str | None, context_tokens: int, private: bool
) -> "OpenAICompatibleEngine":
    from reviewbot.engines.named import server_provider
    from reviewbot.engines.openai_compatible import OpenAICompatibleEngine

    return OpenAICompatibleEngine(
        url=url,
        model=model,
        key=key,
        context_tokens=context_tokens,
        provider=server_provider(url, private=private),
        private=private,
    )


def _energy(settings: Settings, crew: Crew) -> Callable[[], float] | None:
    """The meter of the machine that the local engine runs on, if that is this one."""
    from reviewbot.engines.address import is_loopback
    from reviewbot.engines.energy import energy_meter

    local = crew.engines.get("local")
    if local is None or not (local.name == "llama" or is_loopback(settings.local_url)):
        return None
    return energy_meter()


def rules(settings: Settings) -> RuleSet:
    """The shipped rules and the operator's own."""
    if settings.rules is None:
        return shipped_rules()
    files = sorted(settings.rules.glob("*.yml")) if settings.rules.is_dir() else [settings.rules]
    own = {str(file): _read(file, "REVIEWBOT_RULES") for file in files}
    return with_own_rules(own)


def operator_policy(settings: Settings) -> Policy:
    """The operator's policy, or the default one. Raises DocumentError, SettingsError."""
    if settings.policy is None:
        return Policy()
    return load_policy(_read(settings.policy, "REVIEWBOT_POLICY"), str(settings.policy))


def _read(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name}: cannot read {path}: {error}") from None
