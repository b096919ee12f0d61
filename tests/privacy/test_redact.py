"""No secret leaves, no line moves, and what only looks like a secret stays."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reviewbot.errors import PrivacyError
from reviewbot.privacy import vendors
from reviewbot.privacy.redact import redact
from reviewbot.privacy.spans import MAX_LINE

#: Where a secret may stand: bare, quoted, in a call, an assignment, a diff, a URL, a comment.
SHAPES = (
    "{}",
    'x = "{}"',
    "connect('{}', 3)",
    "  - {}",
    '+    "k": "{}",',
    "12 +call({});",
    "fetch(url + `?t={}&page=1`)",
    '"\\n{}\\n"',
    "# see {}.",
)
CODE = st.lists(
    st.sampled_from(
        [
            "",
            "def f(x):",
            "    return x + 1",
            "+    total += item.price",
            "import os",
            "größe = 'ü'",
        ]
    )
    | st.text(max_size=60),
    max_size=6,
).map("\n".join)
QUICK = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class TestNoSecretSurvives:
    @QUICK
    @given(data=st.data())
    def test_of_any_kind_in_any_code(
        self, data: st.DataObject, secrets_of_a_kind: st.SearchStrategy[tuple[str, str]]
    ) -> None:
        secret, core = data.draw(secrets_of_a_kind)
        before, after = data.draw(CODE), data.draw(CODE)
        text = f"{before}\n{data.draw(st.sampled_from(SHAPES)).format(secret)}\n{after}"

        redacted = redact(text)

        assert core not in redacted.text
        assert core[len(core) // 3 :] not in redacted.text
        assert redacted.count >= 1
        assert redacted.text.count("\n") == text.count("\n")

    @pytest.mark.parametrize(
        "line",
        [
            'password = "letmein"',
            "DB_PASSWORD=tr0ub4dor&3",
            "  password: S3cr3tPass",
            'secret := "zx81spec"',
            'os.environ["API_TOKEN"] = "q9w8e7r6"',
            'user.setPassword("p4ssw0rdx")',
            'password: str = "h4ckm3now"',
            "redis://:pa55w0rd@cache:6379/1",
            "curl -u bob:s3cretpw https://api.internal",
            "Server=db;User Id=sa;Password=P@ssw0rd1;",
            r"{\"password\": \"abc123def\"}",
            "<password>abc123def</password>",
            "spring.datasource.password=Abc123def",
            '<add key="ApiToken" value="abc123def" />',
            "//registry.internal/:_authToken=abc123def",
            "AccountKey=q1w2e3r4t5y6u7i8o9p0q1w2e3r4t5y6==;",
        ],
    )
    def test_in_the_usual_places(self, line: str) -> None:
        assert "[redacted:" in redact(line).text

    def test_that_stands_on_the_line_after_its_name(self) -> None:
        manifest = "- name: DB_PASSWORD\n  value: Abc123def\n"

        assert redact(manifest).text == "- name: DB_PASSWORD\n  value: [redacted:password]\n"

    def test_on_a_line_too_long_to_scan(self) -> None:
        secret = "x" * MAX_LINE + " ghp_" + "a1B2" * 9

        redacted = redact(f"first\n{secret}\nlast")

        assert redacted.text == "first\n[redacted:long-line]\nlast"

    def test_when_a_pragma_says_it_may(self) -> None:
        line = 'password = "x7Gh2kQp9z"  # pragma: allowlist secret'

        assert "x7Gh2kQp9z" not in redact(line).text


@pytest.fixture(scope="module")
def private_key(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The lines of a real key that nobody uses."""
    path = tmp_path_factory.mktemp("key") / "id"
    subprocess.run(
        ["openssl", "genrsa", "-traditional", "-out", path, "2048"], check=True, capture_output=True
    )
    return path.read_text().splitlines()


class TestPrivateKeys:
    @pytest.mark.parametrize(
        "written",
        [
            "{}",
            "+{}",
            "-{}",
            " {}",
            "{:>4} +",
            "     {}",
            "{:>4} | ",
            "{:>4} {:>4} + ",
            '    "{}\\n"',
        ],
    )
    def test_is_cut_out_whole_behind_any_prefix(self, private_key: list[str], written: str) -> None:
        numbered = ":>" in written
        text = "\n".join(
            written.replace("{:>4}", f"{number:>4}") + line if numbered else written.format(line)
            for number, line in enumerate(private_key, 7)
        )

        redacted = redact(f"before\n{text}\nafter")

        assert (redacted.count, redacted.kinds) == (1, ("private-key",))
        assert not any(line[:16] in redacted.text for line in private_key[1:-1])
        assert redacted.text.count("\n") == len(private_key) + 1
        assert redacted.text.endswith("\nafter")

    def test_in_one_string(self, private_key: list[str]) -> None:
        text = '{"private_key": "' + "\\n".join(private_key) + '", "client": "shop"}'

        assert redact(text).text == '{"private_key": "[redacted:private-key]", "client": "shop"}'

    @pytest.mark.parametrize("part", [slice(0, 9), slice(5, 15), slice(5, None)])
    def test_of_which_a_hunk_shows_a_part(self, private_key: list[str], part: slice) -> None:
        shown = private_key[part]

        redacted = redact("\n".join(f"{n} +{line}" for n, line in enumerate(shown)))

        assert redacted.count == 1
        assert not any(
            line[:16] in redacted.text for line in shown if len(line) > 40 and "-" not in line
        )

    def test_code_about_keys_stays(self) -> None:
        code = (
            'HEADER = "-----BEGIN PRIVATE KEY-----"\n'
            "body = some_quite_long_function_name(argument)\n"
            "if body.is_valid_for_this_purpose():\n"
            "    write(body)\n"
            'FOOTER = "-----END PRIVATE KEY-----"\n'
        )

        assert redact(code).text == code


@pytest.mark.parametrize(
    "line",
    [
        'sha = "3fd24c1f6fa2b3a5b68fb87b0fc3453a352340e5"',
        'id = "550e8400-e29b-41d4-a716-446655440000"',
        "    --hash=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        '"integrity": "sha512-Yt3gG7kPz1aQ0xXrN8vB5cLdEhWmJfTsUoIi2K4R6yZ9MbCqDpHwVnSlAeGxOuFj=="',
        'password = get_password("name")',
        "token = self.tokens[0].value",
        'password = os.environ["DB_PASSWORD"]',
        'password: "Enter your password"',
        '"password": "Password"',
        '"form.password": "Пароль"',
        'fields = ["password", "groups", "login"]',
        "max_tokens: 4096",
        'token_type = "bearer"',
        'password = "${DB_PASSWORD}"',
        "github_token: ${{ secrets.GITHUB_TOKEN }}",
        'f"postgres://{user}:{password}@{host}"',
        "https://example.com:8080/@user",
        "def login(self, password: str, token: Optional[str] = None) -> None:",
        "    password_salt: Option<Vec<u8>>,",
        '<input type="password" name="password2">',
        'publicKeyToken="31bf3856ad364e35"',
        'KEY = "oauth2.grant.refresh_token.rotation_grace_period"',
        "secrets: inherit",
    ],
)
def test_what_only_looks_like_a_secret_stays(line: str) -> None:
    assert redact(line).text == line


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_lines_keep_their_numbers_whatever_the_text(text: str) -> None:
    redacted = redact(text)

    assert redacted.text.count("\n") == text.count("\n")
    assert redacted.count or redacted.text == text


def test_lone_surrogates_and_odd_bytes_pass() -> None:
    text = "\udcff token = '\x00\x85\xa0 q1w2e3r4 AP1aaaaaaaaaa\xa0'"

    assert redact(text).text.startswith("\udcff")


def test_a_failing_detector_lets_nothing_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's own class is broken, as a bad upgrade would break it."""
    from detect_secrets.plugins.high_entropy_strings import Base64HighEntropyString

    monkeypatch.delattr(Base64HighEntropyString.__mro__[1], "calculate_shannon_entropy")

    with pytest.raises(PrivacyError, match="AttributeError") as caught:
        redact('seed = "aB3dE5gH7jK9mN1pQ3sT5vW7xY9z"')

    assert "aB3dE5" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_every_plugin_is_in_the_installed_library() -> None:
    for plugin in vendors.PLUGINS:
        assert vendors.formats(plugin), plugin.name


def test_threads_do_not_disturb_each_other() -> None:
    texts = [f'line\npassword = "q{n}w2e3r4t5"\nAKIA{n:016}' for n in range(8)]
    alone = [redact(text) for text in texts]
    together: dict[int, object] = {}

    threads = [
        threading.Thread(target=lambda n=n: together.update({n: redact(texts[n])}))
        for n in range(len(texts))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [together[n] for n in range(len(texts))] == alone


def test_no_network_and_no_detector_for_a_text_without_candidates(tmp_path: Path) -> None:
    script = (
        "import sys; from reviewbot.privacy.redact import redact;"
        "redact('x = 1\\n' * 100); assert 'detect_secrets' not in sys.modules;"
        "import socket; socket.socket.connect = None;"
        'assert redact(\'"AKIAQ1W2E3R4T5Y6U7I8" aws_key=""\').count == 1'
    )

    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)
