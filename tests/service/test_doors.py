"""Who may see the pages: sessions that can be ended, and people whom a trusted proxy has signed in."""

import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path

import pytest
import requests
from listening import listening
from serving import free_port

from reviewbot.config.settings import Settings, load_settings
from reviewbot.errors import SettingsError
from reviewbot.service.doors import Proxy, proxy_of
from reviewbot.service.listener import gunicorn_options
from reviewbot.service.login import Login

HEADER = "X-Forwarded-User"


def asked(url: str, headers: dict[str, str]) -> requests.Response:
    return requests.get(url, headers=headers, timeout=10, allow_redirects=False)


def test_a_trusted_proxy_says_who_it_is(tmp_path: Path) -> None:
    with listening(
        tmp_path, proxy_user_header=HEADER, trusted_proxies="10.0.0.0/8, 127.0.0.1"
    ) as running:
        known = asked(running.url, {HEADER: "ann@example.org"})
        hostile = asked(running.url, {HEADER: "<script>alert(1)</script>"})
        nobody = [asked(running.url, {HEADER: name}) for name in ("", "ann, mallory", "x" * 300)]

    assert known.status_code == 200
    assert "ann@example.org" in known.text
    assert "Sign out" not in known.text  # that is the proxy's to do
    assert "<script" not in hostile.text
    assert [answer.status_code for answer in nobody] == [401, 401, 401]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"trusted_proxies": "127.0.0.1"},
        {"proxy_user_header": HEADER, "trusted_proxies": "10.0.0.0/8, ::1"},
    ],
    ids=["off", "no header is named", "from another address"],
)
def test_the_header_of_anybody_else_is_ignored(tmp_path: Path, settings: dict[str, str]) -> None:
    told = {HEADER: "ann", "X-Forwarded-For": "10.0.0.1", "X-Real-IP": "10.0.0.1"}
    with listening(tmp_path, **settings) as running:
        assert asked(running.url, told).status_code == 401
        with running.signed_in() as person:  # the header takes nothing from a session, either
            assert person.get(running.url, headers=told, timeout=10).status_code == 200


def test_addresses_are_those_of_the_connection() -> None:
    proxy = Proxy(HEADER, (ip_network("10.0.0.0/8"), ip_network("fd00::/64")))

    assert proxy.named("10.1.2.3", " ann ") == "ann"
    assert proxy.named("::ffff:10.1.2.3", "ann") == "ann"
    assert proxy.named("fd00::7", "ann") == "ann"
    for peer in ("11.0.0.1", "fd01::7", "", None, "localhost"):
        assert proxy.named(peer, "ann") == ""


def test_half_a_proxy_and_one_that_is_everybody_are_refused() -> None:
    with pytest.raises(SettingsError, match="needs REVIEWBOT_TRUSTED_PROXIES"):
        proxy_of(Settings(proxy_user_header=HEADER))
    for value, said in (("0.0.0.0/0", "is everybody"), ("10.0.0.1/8", "host bits"), ("me", "me")):
        with pytest.raises(SettingsError, match=f"REVIEWBOT_TRUSTED_PROXIES: .*{said}"):
            load_settings({"REVIEWBOT_TRUSTED_PROXIES": value})
    with pytest.raises(SettingsError, match="REVIEWBOT_PROXY_USER_HEADER"):
        load_settings({"REVIEWBOT_PROXY_USER_HEADER": "X_User: "})


def test_behind_tls_the_cookie_is_for_tls_alone(tmp_path: Path) -> None:
    given = gunicorn_options(Settings(trusted_proxies="10.0.3.0/24"))["forwarded_allow_ips"]
    assert given == "127.0.0.1,::1,10.0.3.0/24"

    with listening(tmp_path) as running:
        client = running.app.test_client()
        cookies = [
            client.post(
                f"{scheme}://reviews.example/login", data={"token": running.login.issue()}
            ).headers["Set-Cookie"]
            for scheme in ("http", "https")
        ]

    assert ["Secure" in cookie for cookie in cookies] == [False, True]
    assert all("HttpOnly" in cookie and "SameSite=Lax" in cookie for cookie in cookies)


def test_a_new_login_signs_everybody_out_of_the_running_service(tmp_path: Path) -> None:
    with listening(tmp_path) as running, running.signed_in() as person:
        before = person.get(running.url, timeout=10).status_code
        port = running.url.rpartition(":")[2]
        said, warned = new_login(tmp_path, f"0.0.0.0:{port}")
        after = person.get(running.url, timeout=10).status_code
        address, _, token = said.strip().rpartition("token=")
        entered = requests.post(
            f"{running.url}/login", data={"token": token}, timeout=10, allow_redirects=False
        )

    assert (before, after) == (200, 401)
    assert address.endswith(f"http://127.0.0.1:{port}/login?")
    assert entered.status_code == 303
    assert warned == ""


def test_a_new_login_says_where_nothing_runs(tmp_path: Path) -> None:
    port = free_port()

    said, warned = new_login(tmp_path, f"127.0.0.1:{port}")

    assert f"http://127.0.0.1:{port}/login?token=" in said
    assert f"nothing answers at 127.0.0.1:{port} on this machine" in warned


def new_login(data: Path, bind: str) -> tuple[str, str]:
    """What the command prints, on both streams."""
    done = subprocess.run(
        [sys.executable, "-m", "reviewbot", "serve", "--new-login", "--bind", bind],
        env={"REVIEWBOT_DATA_DIR": str(data), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout, done.stderr


def test_renewing_ends_sessions_and_older_links(tmp_path: Path) -> None:
    login = Login(tmp_path / "login.json")
    session, link = login.redeem(login.issue()), login.issue()

    new = login.renew()

    assert session is not None
    assert not login.valid(session)
    assert login.redeem(link) is None
    assert login.redeem(new)
