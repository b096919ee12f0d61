"""Which URLs surely name this machine: a wrong yes would send a diff out unredacted."""

import pytest

from reviewbot.engines.address import checked_url, is_loopback
from reviewbot.errors import EngineError


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8000/v1",
        "http://LOCALHOST/v1",
        "http://127.0.0.1:8080",
        "https://127.8.9.10/v1",
        "http://[::1]:8000/v1",
        "http://[0:0:0:0:0:0:0:1]/v1",
    ],
)
def test_this_machine(url: str) -> None:
    assert is_loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1.evil.com/v1",
        "http://localhost.evil.com",
        "http://localhost@evil.com/v1",
        "http://127.0.0.1:80@evil.com/v1",
        "http://evil.com#@127.0.0.1",
        "http://evil.com?@localhost",
        "http://127.0.0.1\\@evil.com/v1",
        "http://127.0.0.1\n.evil.com/v1",
        "http://127.0.0.1%2eevil.com/v1",
        "http://localhost%00.evil.com",
        "http://0x7f.1/v1",
        "http://0x7f000001",
        "http://2130706433/v1",
        "http://127.1/v1",
        "http://0177.0.0.1",
        "http://127.0.0.1.",
        "http://\uff11\uff12\uff17.0.0.1",  # full-width digits
        "http://ⓛocalhost",
        "http://[::ffff:127.0.0.1]/v1",
        "http://[::1%25eth0]/v1",
        "http://[::]/v1",
        "http://0.0.0.0:8000",
        "http://169.254.169.254/latest",
        "http://[fe80::1]/",
        "http://10.0.0.1/v1",
        "http://128.0.0.1",
        "ftp://localhost/",
        "//localhost/v1",
        "localhost:8000",
        "http://:8000/v1",
        "http://localhost:99999/v1",
        "http://[::1/v1",
        "",
    ],
)
def test_anything_doubtful_is_elsewhere(url: str) -> None:
    assert not is_loopback(url)


@pytest.mark.parametrize(
    "url", ["http://u:p@host/v1", "http://host/v1?x=1", "file:///etc", "http://ho st"]
)
def test_a_url_that_no_request_may_go_to_is_refused_by_name(url: str) -> None:
    with pytest.raises(EngineError, match="the local model's URL is not a plain"):
        checked_url(url, "the local model's URL")


def test_a_trailing_slash_makes_no_difference() -> None:
    assert checked_url("http://gpu.lan:8000/v1/", "the URL") == "http://gpu.lan:8000/v1"
