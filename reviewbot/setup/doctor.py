"""Everything that reviewbot depends on, looked at side by side."""

from collections.abc import Sequence
from functools import partial

from reviewbot.config.settings import Settings
from reviewbot.setup.checks import Checked, Family, look_at
from reviewbot.setup.github_checks import github
from reviewbot.setup.machine_checks import documents, versions
from reviewbot.setup.model_checks import claude, local
from reviewbot.setup.store_checks import database, disk

#: Longest wait for a family, seconds; `--deep` loads a model, which takes what it takes.
SECONDS, DEEP_SECONDS = 30.0, 900.0


def examine(settings: Settings, *, deep: bool = False, seconds: float = SECONDS) -> list[Checked]:
    """All checks, the same families in the same order each time. No paid call is made."""
    return look_at(_families(settings, deep=deep, seconds=seconds))


def _families(settings: Settings, *, deep: bool, seconds: float) -> Sequence[Family]:
    return (
        Family("GitHub", partial(github, settings), seconds),
        Family("Claude", partial(claude, settings), seconds),
        Family(
            "local model", partial(local, settings, deep=deep), DEEP_SECONDS if deep else seconds
        ),
        Family("database", partial(database, settings), seconds),
        Family("data folder", partial(disk, settings), seconds),
        Family("versions", partial(versions, settings), seconds),
        Family("documents", partial(documents, settings), seconds),
    )


def is_well(seen: Sequence[Checked]) -> bool:
    """Whether nothing is wrong."""
    return all(check.state != "wrong" for family in seen for check in family.checks)
