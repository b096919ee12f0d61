"""^C ends at once: nobody waits for a model, and nothing more is asked of it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from model_servers.behaviours import Fail, Hang
from model_servers.openai import OpenAIServer


def start(repository: Path, server: OpenAIServer, data: Path) -> subprocess.Popen[str]:
    settings = {"REVIEWBOT_LOCAL_URL": f"{server.root}/v1", "REVIEWBOT_DATA_DIR": str(data)}
    if server.key:
        settings["REVIEWBOT_LOCAL_API_KEY"] = server.key
    environment = {k: v for k, v in os.environ.items() if not k.startswith("REVIEWBOT_")}
    return subprocess.Popen(
        [sys.executable, "-m", "reviewbot", "review", "main...plain", "--repo", str(repository)],
        env=environment | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until_asked(server: OpenAIServer, times: int) -> None:
    deadline = time.monotonic() + 30
    while len(server.asked) < times:
        assert time.monotonic() < deadline, "the model was never asked"
        time.sleep(0.02)


def test_while_a_model_works(repository: Path, openai_server: OpenAIServer, tmp_path: Path) -> None:
    openai_server.play(Hang(30))
    process = start(repository, openai_server, tmp_path)
    until_asked(openai_server, 1)

    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)

    assert process.returncode == 130
    assert err == "reviewbot: interrupted\n"


def test_while_it_waits_to_try_again(
    repository: Path, openai_server: OpenAIServer, tmp_path: Path
) -> None:
    openai_server.play(Fail(503, headers={"retry-after": "20"}))
    process = start(repository, openai_server, tmp_path)
    until_asked(openai_server, 1)

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)

    assert process.returncode == 130
    assert len(openai_server.asked) == 1
