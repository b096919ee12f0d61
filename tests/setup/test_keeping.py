"""The key is written whole or not at all, and never over another."""

from pathlib import Path

import pytest
from github_simulator.server import GitHubSimulator
from setting_up import SetUp, clean_environment

from reviewbot import wiring
from reviewbot.config.kept_app import KeptApp, app_folder, kept_app
from reviewbot.config.settings import Settings, load_settings
from reviewbot.errors import SettingsError, StoreError, UsageError
from reviewbot.setup.keeping import check_free, keep

APP = KeptApp(7, "reviews", "https://github.com/apps/reviews", "https://api.github.com", "webhook")


def settings_of(data: Path, **more: str) -> Settings:
    return load_settings(clean_environment(DATA_DIR=str(data), **more))


def test_what_is_kept_is_found_by_the_settings(tmp_path: Path) -> None:
    keep(tmp_path, APP, "PEM", "hook", replace=False)

    settings = settings_of(tmp_path)

    assert kept_app(tmp_path) == APP
    assert settings.github_app_id == 7
    assert settings.webhook_secret
    assert settings.webhook_secret.get_secret_value() == "hook"
    assert len(wiring.marker_key(settings)) == 64
    assert settings.github_private_key is None  # read where tokens are minted, nowhere else


def test_only_what_mints_tokens_needs_the_key(tmp_path: Path) -> None:
    """As the listener, which has no sight of it."""
    folder = keep(tmp_path, APP, "PEM", "hook", replace=False)
    (folder / "private-key.pem").unlink()

    settings = settings_of(tmp_path)

    assert settings.webhook_secret
    with pytest.raises(SettingsError, match=r"private-key\.pem"):
        wiring.github_app(settings)


def test_an_app_of_the_environment_comes_first(tmp_path: Path) -> None:
    keep(tmp_path, APP, "PEM", "hook", replace=False)

    settings = settings_of(tmp_path, GITHUB_APP_ID="8")

    assert (settings.github_app_id, settings.webhook_secret) == (8, None)
    with pytest.raises(SettingsError, match="PRIVATE_KEY"):
        wiring.github_app(settings)


def test_single_settings_of_the_environment_come_first_too(tmp_path: Path) -> None:
    keep(tmp_path, APP, "PEM", "hook", replace=False)

    settings = settings_of(tmp_path, WEBHOOK_SECRET="rotated", DELIVERY="poll")

    assert settings.webhook_secret
    assert settings.webhook_secret.get_secret_value() == "rotated"
    assert (settings.github_app_id, settings.delivery) == (7, "poll")


def test_another_app_is_refused_and_the_old_key_stays(tmp_path: Path) -> None:
    keep(tmp_path, APP, "OLD", "hook", replace=False)

    with pytest.raises(UsageError, match=r"reviews \(id 7\)"):
        check_free(tmp_path, replace=False)
    with pytest.raises(StoreError, match="the new App's files are in"):
        keep(tmp_path, APP, "NEW", "hook", replace=False)

    assert (app_folder(tmp_path) / "private-key.pem").read_text() == "OLD\n"
    [beside] = tmp_path.glob(".app.*")
    assert (beside / "private-key.pem").read_text() == "NEW\n"  # GitHub shows it once only


def test_a_replaced_app_is_moved_aside(tmp_path: Path) -> None:
    keep(tmp_path, APP, "OLD", "hook", replace=False)

    check_free(tmp_path, replace=True)
    keep(tmp_path, APP, "NEW", "hook", replace=True)

    assert (app_folder(tmp_path) / "private-key.pem").read_text() == "NEW\n"
    [aside] = tmp_path.glob("app.replaced-*")
    assert (aside / "private-key.pem").read_text() == "OLD\n"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"id": "7"}', '{"id": 0, "slug": "x"}'])
def test_a_damaged_file_says_what_to_do(tmp_path: Path, text: str) -> None:
    folder = keep(tmp_path, APP, "PEM", "hook", replace=False)
    (folder / "app.json").write_text(text)

    with pytest.raises(SettingsError, match="is damaged"):
        settings_of(tmp_path)
    with pytest.raises(UsageError, match="set up already"):
        check_free(tmp_path, replace=False)


def test_a_folder_that_cannot_be_written_is_told_before_an_app_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")

    with pytest.raises(StoreError, match="REVIEWBOT_DATA_DIR"):
        check_free(tmp_path / "file" / "data", replace=False)


def test_the_command_refuses_where_it_would_be_of_no_use(
    set_up, github: GitHubSimulator, tmp_path: Path
) -> None:
    named: SetUp = set_up(github, "--poll", GITHUB_APP_ID="5")
    secret: SetUp = set_up(github, "--poll", WEBHOOK_SECRET="another")
    nowhere: SetUp = set_up(github)

    assert (named.ended(), secret.ended(), nowhere.ended()) == (2, 2, 2)
    assert "REVIEWBOT_WEBHOOK_SECRET is set" in secret.said
    assert "REVIEWBOT_GITHUB_APP_ID is set" in named.said
    assert "--public-url" in nowhere.said
    assert github.requests == []
