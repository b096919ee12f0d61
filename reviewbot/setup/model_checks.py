"""Checks of the models, and of what they cost. No question that is paid for."""

from collections.abc import Iterator
from pathlib import Path

from reviewbot import crews, operator_files
from reviewbot.config.settings import Settings
from reviewbot.costs.money import decimal_text
from reviewbot.engines.openai_compatible import OpenAICompatibleEngine
from reviewbot.errors import EngineError, PriceError, ReviewbotError
from reviewbot.setup.checks import Check, off, ok, wrong

#: Longest wait for a server to answer a question that costs it nothing, seconds.
_SECONDS = 15.0


def claude(settings: Settings) -> Iterator[Check]:
    """The key, each model that may be asked, and its price."""
    if settings.anthropic_api_key is None:
        yield off("key", "no Claude: risky changes are not read by it", "set ANTHROPIC_API_KEY")
        yield from _budget(settings, pays=False)
        return
    key = settings.anthropic_api_key.get_secret_value()
    models = [settings.claude_model]
    models += [settings.claude_fallback_model] if settings.claude_fallback_model else []
    models += [settings.claude_model_low] if settings.without_local == "claude" else []
    for model in dict.fromkeys(models):
        yield _known(settings, key, model)
        yield _price(settings, "anthropic", model)
    yield from _budget(settings, pays=True)


def _known(settings: Settings, key: str, model: str) -> Check:
    asked = f"GET /v1/models/{model}, which is free"
    plain = settings.model_copy(update={"prices_file": None})  # a broken one is told elsewhere
    try:
        problem = crews.claude_engine(plain, key, model).problem(timeout=_SECONDS)
    except EngineError as error:
        return wrong("key", str(error), "check ANTHROPIC_API_KEY and REVIEWBOT_ANTHROPIC_API_URL")
    if not problem:
        return ok("key", f"takes {model} ({asked})")
    return wrong("key", f"{problem} ({asked})", "check the key, and REVIEWBOT_CLAUDE_MODEL")


def _price(settings: Settings, provider: str, model: str) -> Check:
    try:
        price = operator_files.prices(settings).price_of(provider, model)
    except PriceError as error:
        return wrong("price", str(error), "give it in REVIEWBOT_PRICES_FILE")
    except ReviewbotError as error:
        return wrong("price", str(error), "mend REVIEWBOT_PRICES_FILE")
    each = f"{decimal_text(price.input)} and {decimal_text(price.output)} USD"
    return ok("price", f"{model}: {each} a million tokens in and out ({price.source})")


def _budget(settings: Settings, *, pays: bool) -> Iterator[Check]:
    cap = settings.monthly_budget_usd
    if cap is not None:
        yield ok("budget", f"{decimal_text(cap)} USD a month at most")
    elif pays:
        yield off(
            "budget", "no cap on what Claude may cost", "set REVIEWBOT_MONTHLY_BUDGET_USD for one"
        )


def local(settings: Settings, *, deep: bool) -> Iterator[Check]:
    """The model on this machine, or the server that is asked instead."""
    from reviewbot.engines.llama.choice import choose_local, downloaded, models_folder

    if settings.local_engine == "none":
        yield off("model", "switched off by REVIEWBOT_LOCAL_ENGINE=none")
        return
    try:
        chosen = choose_local(settings)
    except EngineError as error:
        yield wrong("model", str(error), "`reviewbot model list` shows what fits this machine")
        return
    if chosen.plan:
        yield ok("model", chosen.note)
        yield _seal(chosen.plan.model)
        if deep:
            yield _trial(settings)
    elif settings.local_url or settings.local_engine == "openai":
        yield from _server(settings)
    elif downloaded(models_folder(settings)) or settings.local_model:
        yield wrong("model", chosen.note, "`reviewbot model list` shows what fits this machine")
    else:
        yield off("model", chosen.note, "`reviewbot model pull auto`, or set REVIEWBOT_LOCAL_URL")


def _seal(model: Path) -> Check:
    from reviewbot.engines.llama.seal import read_seal

    seal = read_seal(model)  # `choose_local` has checked the file against it
    if seal is None:
        return off(
            "checksum", f"none is kept beside {model.name}", "pull it by `reviewbot model pull`"
        )
    return ok("checksum", f"SHA-256 {seal.sha256[:12]}…, the file is as it was pulled")


def _trial(settings: Settings) -> Check:
    from reviewbot.engines.llama.choice import planned
    from reviewbot.engines.llama.machine import usable_machine
    from reviewbot.engines.llama.trial import run_trial

    try:
        plan = planned(settings, usable_machine()).plan
        trial = run_trial(plan, timeout=settings.local_timeout_seconds, say=lambda _: None)
    except EngineError as error:
        return wrong("loads", str(error), "`reviewbot model check` says more")
    return ok(
        "loads",
        f"in {trial.load_seconds:.1f} s; reads {trial.prompt_tokens_per_second:.0f} and writes"
        f" {trial.answer_tokens_per_second:.1f} tokens a second",
    )


def _server(settings: Settings) -> Iterator[Check]:
    """REVIEWBOT_LOCAL_URL, without a question to a model."""
    try:
        engine = crews.local_server(settings)
        served = engine.served(timeout=_SECONDS)
    except ReviewbotError as error:
        yield wrong("server", str(error), "start it, and check REVIEWBOT_LOCAL_URL and its key")
        return
    name = settings.local_model
    if name and name not in served:
        listed = ", ".join(served[:5]) or "none"
        yield wrong(
            "server", f"it does not serve {name}, but: {listed}", "set REVIEWBOT_LOCAL_MODEL"
        )
    elif not served:
        yield wrong("server", "it serves no model", "load one, or set REVIEWBOT_LOCAL_MODEL")
    else:
        yield ok("server", f"{name or served[0]} at {settings.local_url}")
    yield from _outside(settings, engine)


def _outside(settings: Settings, engine: OpenAICompatibleEngine) -> Iterator[Check]:
    if engine.external and engine.provider:
        yield _price(settings, engine.provider, settings.local_model)
