"""`compose.yaml`: what it sets is what there is to set, and more than one box only where wanted."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from reviewbot.config.settings import PREFIX, SECRETS, Settings, load_settings
from reviewbot.crews import engines

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "compose.yaml").read_text()
#: Every setting, as a variable.
KNOWN = {PREFIX + name.upper() for name in Settings.model_fields} | {
    f"{PREFIX}{name.upper()}_FILE" for name in SECRETS
}


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
    return found


def example() -> dict[str, str]:
    """The variables that the comment at its top says to put into `.env`."""
    return dict(re.findall(r"^#   (\w+)=(.+)$", TEXT, re.MULTILINE))


def given_to(service: dict[str, Any], given: dict[str, str]) -> dict[str, str]:
    """A service's environment: what has no value is passed on where `.env` has it."""
    named = service["environment"]
    passed = {name: given[name] for name, value in named.items() if value is None and name in given}
    return passed | {n: filled(value, given) for n, value in named.items() if value is not None}


def filled(value: str, given: dict[str, str]) -> str:
    """A value with `${NAME:-default}` put in, as Compose does it."""
    return re.sub(r"\$\{(\w+):-([^}]*)\}", lambda m: given.get(m[1]) or m[2], value)


def test_every_variable_of_ours_is_a_setting() -> None:
    used = set(re.findall(rf"\b{PREFIX}\w+", TEXT))

    assert used
    assert used <= KNOWN


def test_the_settings_of_a_plain_start_are_accepted(services: dict[str, dict[str, Any]]) -> None:
    settings = load_settings(given_to(services["reviewbot"], {}))

    assert settings.bind == "0.0.0.0:8080"
    assert (settings.local_engine, settings.local_url) == ("auto", "")
    assert "local_context_tokens" not in settings.model_fields_set  # what fits, then
    assert [name for name in services if "profiles" not in services[name]] == ["reviewbot"]


def test_with_the_example_vllm_is_the_local_engine(services: dict[str, dict[str, Any]]) -> None:
    given, vllm = example(), services["vllm"]
    settings = load_settings(given_to(services["reviewbot"], given))

    local = engines(settings).engines["local"]

    arguments = [filled(argument, given) for argument in vllm["command"]]
    assert given["COMPOSE_PROFILES"] in vllm["profiles"]
    assert settings.local_url.startswith("http://vllm:8000/")
    assert (local.name, local.external) == ("openai", False)
    assert f"--served-model-name={local.model}" in arguments
    assert f"--max-model-len={local.context_tokens}" in arguments


def test_with_the_example_the_database_is_the_one_that_is_started(
    services: dict[str, dict[str, Any]],
) -> None:
    given = example()
    postgres, worker = services["postgres"], services["worker"]
    url = urlsplit(filled(worker["environment"]["REVIEWBOT_DATABASE_URL"], given))

    assert given["COMPOSE_PROFILES"] in postgres["profiles"]
    assert (url.username, url.password, url.hostname, url.path) == (
        postgres["environment"]["POSTGRES_USER"],
        filled(postgres["environment"]["POSTGRES_PASSWORD"], given),
        "postgres",
        "/reviewbot",  # made by the image: by default it has the user's name
    )


def test_ours_run_without_rights_on_a_read_only_root(services: dict[str, dict[str, Any]]) -> None:
    ours = [service for service in services.values() if "build" in service]

    assert len(ours) == 2
    for service in ours:
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_what_is_built_is_in_the_dockerfile(services: dict[str, dict[str, Any]]) -> None:
    targets = set(
        re.findall(r"^FROM .* AS (\w+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    )
    overriding = (ROOT / "compose.cpu.yaml").read_text()

    wanted = {service["build"]["target"] for service in services.values() if "build" in service}

    assert wanted | {*re.findall(r"target: (\w+)", overriding)} == {"cpu", "cuda"} <= targets


def test_every_setting_reaches_the_container(services: dict[str, dict[str, Any]]) -> None:
    named = set(services["reviewbot"]["environment"])
    elsewhere = {"DATA_DIR", "DELIVERY"}  # the image's; compose.poll.yaml's

    missing = {name.upper() for name in Settings.model_fields} - {
        name.removeprefix(PREFIX) for name in named
    }

    assert missing == elsewhere


def test_images_are_pinned_by_version(services: dict[str, dict[str, Any]]) -> None:
    images = [service["image"] for service in services.values() if "image" in service]

    assert images
    assert all(re.fullmatch(r"[\w./-]+:v?\d+(\.\d+)+", image) for image in images)


def test_only_the_listener_is_published_and_only_on_this_machine(
    services: dict[str, dict[str, Any]],
) -> None:
    published = {name: service.get("ports", []) for name, service in services.items()}

    assert published.pop("reviewbot") == ["127.0.0.1:8080:8080"]
    assert not any(published.values())
