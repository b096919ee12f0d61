"""`reviewbot model`: list, pull from a loopback hub, and check by a real review."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from model_hub import Hub, running_hub
from tiny_gguf import Shape, write_model

from reviewbot.cli import main
from reviewbot.engines.llama import machine
from reviewbot.engines.llama.machine import Gpu, Machine, llama_installed
from reviewbot.engines.llama.models import CATALOGUE, model_of

GIB = 2**30
#: Answers in a second or two.
SMALLEST = Shape(layers=1, width=32, heads=2, kv_heads=1, feed_forward=64, context=8_192)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder."""
    for name in ("MODEL", "ENGINE", "URL"):
        monkeypatch.delenv(f"REVIEWBOT_LOCAL_{name}", raising=False)
    monkeypatch.setenv("REVIEWBOT_DATA_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def on_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with 64 GB and a card of 24 GB."""
    card = Machine(64 * GIB, 60 * GIB, 8, (Gpu("Big Card", 24 * GIB, 23 * GIB),))
    monkeypatch.setattr(machine, "read_machine", lambda: card)
    monkeypatch.setattr(machine, "llama_uses_gpus", lambda: True)


@pytest.fixture
def one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """The true machine may be busy: several threads would wait for each other."""
    monkeypatch.setattr(machine, "read_machine", lambda: Machine(4 * GIB, 3 * GIB, 1))


@pytest.fixture
def hub(data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with all models of the catalogue, each the same small file."""
    pytest.importorskip("huggingface_hub", reason="extra `llama`")
    from huggingface_hub.utils import close_session

    content = write_model(data / "tiny", SMALLEST).read_bytes()
    with running_hub() as hub:
        hub.files = {f"{m.repository}/{m.file}": content for m in CATALOGUE}
        monkeypatch.setenv("HF_ENDPOINT", hub.root)
        yield hub
        close_session()
    assert hub.problems == []


def test_list_marks_what_fits_what_is_there_and_what_is_best(
    data: Path, on_a_card: None, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("numpy", reason="it writes a model")
    (data / "models").mkdir()
    write_model(data / "models" / model_of("14b").file)

    code = main(["model", "list"])

    out = capsys.readouterr().out.splitlines()
    assert code == 0
    assert out[0] == "This machine: 8 cores, 60.0 GiB of RAM free, Big Card (23.0 GiB free)"
    rows = {line[2:].split()[0]: line for line in out[1:-2]}
    assert list(rows) == [model.name for model in CATALOGUE]
    assert [name for name, line in rows.items() if line.startswith("*")] == ["qwen2.5-coder-32b"]
    assert "fits on the GPU, 16,384 tokens" in rows["qwen2.5-coder-32b"]
    assert [name for name, line in rows.items() if "downloaded" in line] == ["qwen2.5-coder-14b"]
    assert out[-2] == "* is what `reviewbot model pull auto` gets."
    assert out[-1] == "Licence of qwen2.5-coder-3b: Qwen Research; of the others: Apache-2.0"


def test_list_as_json_holds_the_plan_and_why_not(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine, "read_machine", lambda: Machine(4 * GIB, 3 * GIB, 2))

    assert main(["model", "list", "--format", "json"]) == 0

    told = json.loads(capsys.readouterr().out)
    rows = {row["name"].rsplit("-", 1)[1]: row for row in told["models"]}
    assert told["schema"] == 1
    assert told["machine"]["cores"] == 2
    assert rows["1.5b"]["default"]
    assert rows["1.5b"]["plan"]["gpu_layers"] == 0
    assert rows["32b"]["plan"] is None
    assert not rows["32b"]["fits"]
    assert rows["32b"]["why"].startswith("it needs 19.8 GiB (weights 18.5 GiB")


def test_pull_auto_gets_what_list_marks(
    hub: Hub, data: Path, on_a_card: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["model", "pull", "auto"]) == 0

    captured = capsys.readouterr()
    path = data / "models" / model_of("32b").file
    assert captured.out == f"{path}\n"
    assert path.is_file()
    assert "downloading qwen2.5-coder-32b: 100 %" in captured.err


def test_pull_says_a_licence_of_its_own(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "pull", "3b"]) == 0

    assert "qwen2.5-coder-3b has a licence of its own: Qwen Research" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["model", "pull", "qwen-coder-32b"], "did you mean qwen2.5-coder-32b?"),
        (["model", "pull"], "NAME|auto"),
        (["model", "check", "7b"], "not downloaded"),
        (["model", "check", "/none.gguf"], "no model file"),
        (["model", "check"], "`reviewbot model pull auto`"),
    ],
)
def test_bad_names_are_one_clear_line_and_exit_2(
    data: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(arguments) == 2

    assert words in capsys.readouterr().err


def test_pull_auto_where_nothing_fits(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine, "read_machine", lambda: Machine(GIB, GIB // 2, 1))

    assert main(["model", "pull", "auto"]) == 2

    assert "no model of the catalogue fits" in capsys.readouterr().err


@pytest.mark.skipif(not llama_installed(), reason="extra `llama`")
def test_check_reads_loads_reviews_and_measures(
    hub: Hub, data: Path, one_core: None, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["model", "pull", "0.5b"])
    capsys.readouterr()

    assert main(["model", "check", "--format", "json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["verified"]
    assert told["sha256"] is None
    assert told["trial"]["outcome"] in ("answered", "truncated")
    assert told["trial"]["prompt_tokens"] > 100
    assert told["trial"]["answer_tokens_per_second"] > 0
    assert told["trial"]["ram_bytes"] > 2**20


@pytest.mark.skipif(not llama_installed(), reason="extra `llama`")
def test_check_of_ones_own_file_names_its_sha256(
    data: Path, one_core: None, capsys: pytest.CaptureFixture[str]
) -> None:
    own = write_model(data / "own.gguf", SMALLEST)

    assert main(["model", "check", str(own)]) == 0

    out = capsys.readouterr().out
    assert "not pulled by reviewbot" in out
    assert "a second" in out


def test_check_refuses_a_flipped_byte(
    hub: Hub, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["model", "pull", "0.5b"])
    path = data / "models" / model_of("0.5b").file
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)

    assert main(["model", "check", "0.5b"]) == 2

    assert "is not the file that was pulled" in capsys.readouterr().err
