"""What the operator's own files say: rules, policy, prices."""

from pathlib import Path

from reviewbot.config.policy import Policy, load_policy
from reviewbot.config.settings import Settings
from reviewbot.costs.operator_prices import parse_operator_prices
from reviewbot.costs.prices import PriceBook
from reviewbot.errors import SettingsError
from reviewbot.routing.rules import RuleSet, shipped_rules, with_own_rules


def prices(settings: Settings) -> PriceBook:
    """The price library, and the operator's own prices over it."""
    if settings.prices_file is None:
        return PriceBook()
    text = read_text(settings.prices_file, "REVIEWBOT_PRICES_FILE")
    return PriceBook(parse_operator_prices(text, str(settings.prices_file)))


def rules(settings: Settings) -> RuleSet:
    """The shipped rules and the operator's own."""
    if settings.rules is None:
        return shipped_rules()
    files = sorted(settings.rules.glob("*.yml")) if settings.rules.is_dir() else [settings.rules]
    own = {str(file): read_text(file, "REVIEWBOT_RULES") for file in files}
    return with_own_rules(own)


def operator_policy(settings: Settings) -> Policy:
    """The operator's policy, or the default one. Raises DocumentError, SettingsError."""
    if settings.policy is None:
        return Policy()
    return load_policy(read_text(settings.policy, "REVIEWBOT_POLICY"), str(settings.policy))


def read_text(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name}: cannot read {path}: {error}") from None
