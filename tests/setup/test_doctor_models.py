"""`reviewbot doctor` and models: each thing that can be wrong, once; and never a paid call."""

import socket
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from doctoring import Patient, closed_port
from model_servers.claude import ClaudeServer
from model_servers.openai import OpenAIServer
from pydantic import SecretStr
from tiny_gguf import Shape, write_model

from reviewbot.engines.llama import machine
from reviewbot.engines.llama.machine import Machine
from reviewbot.engines.llama.models import model_of
from reviewbot.engines.llama.seal import Seal, sha256_of, write_seal

pytestmark = pytest.mark.usefixtures("one_core")

SMALLEST = Shape(layers=1, width=32, heads=2, kv_heads=1, feed_forward=64, context=8_192)


@pytest.fixture
def patient(claude_server: ClaudeServer, tmp_path: Path) -> Iterator[Patient]:
    """One with a good key for Claude, and no local model."""
    yield Patient(
        {
            "data_dir": tmp_path,
            "anthropic_api_key": SecretStr(claude_server.key),
            "anthropic_api_url": claude_server.root,
        }
    )
    assert claude_server.asked == []
    assert claude_server.bill == []


def test_a_good_key_is_told_by_a_free_question(
    patient: Patient, claude_server: ClaudeServer
) -> None:
    patient.settings["monthly_budget_usd"] = Decimal(50)

    seen = {check.name: check.seen for check in patient.seen("Claude")}

    assert patient.wrong("Claude") == {}
    assert seen["key"] == ("takes claude-opus-5-5 (GET /v1/models/claude-opus-5-5, which is free)")
    assert seen["price"].startswith("claude-opus-5-5: 4 and 20 USD a million tokens")
    assert seen["budget"] == "50 USD a month at most"
    assert {one.path for one in claude_server.requests} == {"/v1/models/claude-opus-5-5"}


def test_without_a_key_there_is_nothing_to_mend(patient: Patient) -> None:
    patient.settings["anthropic_api_key"] = None

    assert [check.state for check in patient.seen("Claude")] == ["off"]


def test_no_cap_is_told_and_is_no_mistake(patient: Patient) -> None:
    assert patient.one("Claude", "budget").state == "off"


def test_a_wrong_key(patient: Patient) -> None:
    patient.settings["anthropic_api_key"] = SecretStr("sk-ant-wrong-0123456789")

    assert "the key was refused (HTTP 401)" in patient.wrong("Claude")["key"]


def test_a_key_that_can_be_none(patient: Patient) -> None:
    patient.settings["anthropic_api_key"] = SecretStr("two words\n")

    assert "the Claude key" in patient.wrong("Claude")["key"]


def test_claude_is_away(patient: Patient) -> None:
    patient.settings["anthropic_api_url"] = f"http://127.0.0.1:{closed_port()}"

    assert "no connection" in patient.wrong("Claude")["key"]


def test_a_model_that_there_is_not_and_that_has_no_price(patient: Patient) -> None:
    patient.settings["claude_fallback_model"] = "claude-nonesuch"

    found = patient.wrong("Claude")

    assert "no such model" in found["key"]
    assert "claude-nonesuch" in found["price"]


def test_prices_that_cannot_be_read_do_not_hide_the_key(patient: Patient, tmp_path: Path) -> None:
    patient.settings["prices_file"] = tmp_path / "prices.yml"
    patient.settings["prices_file"].write_text("- nonsense\n")

    states = {check.name: check.state for check in patient.seen("Claude")}

    assert (states["key"], states["price"]) == ("ok", "wrong")


@pytest.fixture
def server(patient: Patient, openai_server: OpenAIServer) -> OpenAIServer:
    patient.settings["local_engine"] = "openai"
    patient.settings["local_url"] = openai_server.url
    return openai_server


def test_a_server_that_serves_the_model(patient: Patient, server: OpenAIServer) -> None:
    patient.settings["local_model"] = server.models[0]

    assert patient.one("local model", "server").seen == f"{server.models[0]} at {server.url}"
    assert server.asked == []


def test_a_server_that_does_not_serve_it(patient: Patient, server: OpenAIServer) -> None:
    patient.settings["local_model"] = "llama"

    assert patient.wrong("local model")["server"] == (
        f"it does not serve llama, but: {server.models[0]}"
    )


def test_a_server_without_any_model(patient: Patient, server: OpenAIServer) -> None:
    server.models = ()

    assert patient.wrong("local model")["server"] == "it serves no model"


def test_a_server_that_wants_a_key(patient: Patient, server: OpenAIServer) -> None:
    server.key = "needed"

    assert "HTTP 401" in patient.wrong("local model")["server"]


def test_a_server_that_is_away(patient: Patient) -> None:
    patient.settings["local_url"] = f"http://127.0.0.1:{closed_port()}/v1"

    assert "no connection" in patient.wrong("local model")["server"]


def test_the_engine_of_servers_without_a_server(patient: Patient) -> None:
    patient.settings["local_engine"] = "openai"

    assert "needs REVIEWBOT_LOCAL_URL" in patient.wrong("local model")["server"]


def test_an_outside_server_without_a_price(patient: Patient, server: OpenAIServer) -> None:
    patient.settings["local_url"] = "https://model.invalid/v1"

    assert "its price needs REVIEWBOT_LOCAL_MODEL" in patient.wrong("local model")["server"]


def test_no_model_at_all_is_no_mistake(patient: Patient) -> None:
    [check] = patient.seen("local model")

    assert (check.state, check.name) == ("off", "model")


@pytest.fixture
def model(patient: Patient, tmp_path: Path) -> Path:
    """A downloaded one, with its checksum."""
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed (make llama)")
    patient.settings["local_model"] = "0.5b"
    file = tmp_path / "models" / model_of("0.5b").file
    file.parent.mkdir()
    write_model(file, SMALLEST)
    facts = file.stat()
    write_seal(file, Seal(sha256_of(file), facts.st_size, facts.st_mtime_ns, "hub", "2026"))
    return file


def test_a_model_is_loaded_only_if_that_is_asked(patient: Patient, model: Path) -> None:
    plain = patient.seen("local model")
    deep = patient.seen("local model", deep=True)

    assert [(check.name, check.state) for check in plain] == [("model", "ok"), ("checksum", "ok")]
    assert deep[-1].name == "loads"
    assert "tokens a second" in deep[-1].seen


def test_a_model_file_that_was_changed(patient: Patient, model: Path) -> None:
    data = bytearray(model.read_bytes())
    data[-1] ^= 1
    model.write_bytes(data)

    assert "SHA-256" in patient.wrong("local model")["model"]


def test_a_model_that_is_not_there(patient: Patient, model: Path) -> None:
    patient.settings.update(local_engine="llama", local_model="7b")

    assert "is not downloaded" in patient.wrong("local model")["model"]


def test_a_model_that_does_not_fit(
    patient: Patient, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = Machine(64 * 2**20, 2**20, 1)
    monkeypatch.setattr(machine, "read_machine", lambda: tiny)

    assert "does not fit" in patient.wrong("local model")["model"]


def test_a_model_that_cannot_be_loaded(patient: Patient, tmp_path: Path, model: Path) -> None:
    own = write_model(tmp_path / "own.gguf", SMALLEST)
    with own.open("r+b") as file:
        file.truncate(own.stat().st_size - 4_096)
    patient.settings.update(local_engine="llama", local_model=str(own))

    states = {check.name: check.state for check in patient.seen("local model", deep=True)}

    assert "wrong" in states.values()


def test_a_server_that_hangs_does_not_hide_the_rest(patient: Patient) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        patient.settings["anthropic_api_url"] = f"http://127.0.0.1:{silent.getsockname()[1]}"

        [late] = patient.seen("Claude", seconds=2)

    assert (late.state, late.seen) == ("wrong", "no more was seen within 2 s")
    assert patient.settings["data_dir"].exists()
