"""Each analyser, with its real program, over changes that people could make."""

from collections.abc import Callable

import pytest

from reviewbot.change.model import Change, Sources
from reviewbot.change.parse import parse_diff
from reviewbot.engines.analyzers import MAX_PER_FILE, LocalAnalyzers
from reviewbot.review.answer import Severity
from reviewbot.review.evidence import Analysis, Evidence

Write = Callable[..., tuple[Change, Sources]]


def diff_of(path: str, before: list[str], added: list[str]) -> str:
    """`added` after `before` in one file; a file without `before` is new."""
    old = f"a/{path}" if before else "/dev/null"
    kind = "" if before else "new file mode 100644\n"
    hunk = f"@@ -{1 if before else 0},{len(before)} +1,{len(before) + len(added)} @@\n"
    body = "".join(f" {line}\n" for line in before) + "".join(f"+{line}\n" for line in added)
    return f"diff --git a/{path} b/{path}\n{kind}--- {old}\n+++ b/{path}\n{hunk}{body}"


def edit(path: str, added: str, before: str = "") -> tuple[Change, Sources]:
    """A change of one file, with its whole text."""
    old, new = before.splitlines(), added.splitlines()
    change = parse_diff(diff_of(path, old, new))
    return change, Sources(head={path: "\n".join([*old, *new]) + "\n"})


def analyse(path: str, added: str, before: str = "") -> Analysis:
    return LocalAnalyzers().analyze(*edit(path, added, before))


def said(analysis: Analysis) -> list[tuple[str, str, int]]:
    return [(item.tool, item.rule, item.line) for item in analysis.evidence]


WORKFLOW = """\
name: greet
on: pull_request
permissions: {}
jobs:
  greet:
    runs-on: ubuntu-latest
    steps:
"""
INJECTION = '      - run: echo "${{ github.event.pull_request.title }}"'
MIGRATION = "db/migrations/0007_email.sql"


class TestEachToolFindsItsProblem:
    @pytest.mark.parametrize(
        ("path", "before", "line", "found"),
        [
            (
                "shop/cart.py",
                "import os\n",
                "def add(item, cart=[]): return cart",
                ("ruff", "B006"),
            ),
            (
                "shop/cart.py",
                "import yaml\n",
                "yaml.load(open('x'), yaml.Loader)",
                ("ruff", "S506"),
            ),
            ("shop/cart.py", "x = 1\n", "print(totl)", ("ruff", "F821")),
            ("shop/cart.py", "x = 1\n", "def broken(:", ("ruff", "invalid-syntax")),
            (
                MIGRATION,
                "-- emails\n",
                "CREATE INDEX email_index ON customers (email);",
                ("squawk", "require-concurrent-index-creation"),
            ),
            (
                MIGRATION,
                "-- emails\n",
                "ALTER TABLE customers ADD COLUMN email text NOT NULL;",
                ("squawk", "adding-required-field"),
            ),
            (".github/workflows/greet.yml", WORKFLOW, INJECTION, ("zizmor", "template-injection")),
            (
                "shop/pay.py",
                "x = 1\n",
                f'KEY = "sk_live_{"a1B2c3D4" * 3}"',
                ("secrets", "stripe-key"),
            ),
            ("shop/auth.py", "x = 1\n", "ok = True  # \u202e", ("invisible", "reordered-text")),
            ("shop/auth.py", "x = 1\n", "usеr = 1", ("invisible", "mixed-script")),
        ],
    )
    def test_on_a_changed_line_and_on_no_other(
        self, path: str, before: str, line: str, found: tuple[str, str]
    ) -> None:
        number = len(before.splitlines()) + 1

        changed = analyse(path, line, before)
        untouched = analyse(path, "# nothing new", before + line + "\n")

        assert (*found, number) in said(changed)
        assert found not in [(tool, rule) for tool, rule, _ in said(untouched)]
        assert path in changed.paths
        assert found[0] in changed.ran
        assert changed.notices == ()

    def test_in_an_action(self) -> None:
        action = (
            "name: greet\ndescription: greets\ninputs:\n  who: {description: whom}\nruns:\n"
            "  using: composite\n  steps:\n    - shell: bash\n      run: echo ${{ inputs.who }}\n"
        )

        assert ("zizmor", "template-injection", 9) in said(
            analyse("tools/greet/action.yml", action)
        )

    def test_without_the_file_s_text_only_lines_are_read(self) -> None:
        change, _ = edit("shop/cart.py", "def add(cart=[]): return cart  # \u2066", "import os\n")

        analysis = LocalAnalyzers().analyze(change, Sources())

        assert {item.tool for item in analysis.evidence} == {"invisible"}
        assert "ruff" not in analysis.ran

    def test_the_diff_of_a_new_file_is_its_text(self) -> None:
        change = parse_diff(
            "diff --git a/cart.py b/cart.py\nnew file mode 100644\n--- /dev/null\n+++ b/cart.py\n"
            "@@ -0,0 +1 @@\n+def add(cart=[]): return cart\n"
        )

        analysis = LocalAnalyzers().analyze(change, Sources())

        assert ("ruff", "B006", 1) in said(analysis)

    def test_a_text_that_is_not_the_diff_s_is_not_read(self) -> None:
        change, _ = edit("shop/cart.py", "def add(cart=[]): return cart")

        analysis = LocalAnalyzers().analyze(
            change, Sources(head={"shop/cart.py": "\ndef add(cart=[]): return cart\n"})
        )

        assert analysis.evidence == ()


class TestSuppressionCommentsDoNotHide:
    @pytest.mark.parametrize(
        "added",
        [
            "def add(cart=[]): return cart  # noqa",
            "def add(cart=[]): return cart  # noqa: B006",
            "def add(cart=[]): return cart  # ruff: ignore[B006]",
            "# ruff: noqa\ndef add(cart=[]): return cart",
            "# flake8: noqa: B006\ndef add(cart=[]): return cart",
            "# ruff: disable[B006]\ndef add(cart=[]): return cart\n# ruff: enable[B006]",
        ],
    )
    def test_of_ruff(self, added: str) -> None:
        assert "B006" in [item.rule for item in analyse("shop/cart.py", added).evidence]

    @pytest.mark.parametrize(
        "comment",
        [
            "-- squawk-ignore-file",
            "-- squawk-ignore ban-drop-table",
            "-- SQUAWK-IGNORE ban-drop-table",
            "/* squawk-ignore ban-drop-table */",
        ],
    )
    def test_of_squawk(self, comment: str) -> None:
        found = said(analyse(MIGRATION, f"{comment}\nDROP TABLE customers;"))

        assert ("squawk", "ban-drop-table", 2) in found

    def test_of_zizmor(self) -> None:
        line = f"{INJECTION}  # zizmor: ignore[template-injection]"

        found = said(analyse(".github/workflows/greet.yml", line, WORKFLOW))

        assert ("zizmor", "template-injection", 8) in found

    def test_of_the_secret_detector(self) -> None:
        line = f'KEY = "sk_live_{"a1B2c3D4" * 3}"  # pragma: allowlist secret'

        assert ("secrets", "stripe-key", 1) in said(analyse("shop/pay.py", line))


class TestTheRepositorysOwnConfigurationHasNoEffect:
    @pytest.mark.parametrize(
        ("config", "text", "path", "line", "rule"),
        [
            ("ruff.toml", 'lint.ignore = ["B006"]', "cart.py", "def f(x=[]): return x", "B006"),
            (
                "pyproject.toml",
                '[tool.ruff]\nexclude = ["*"]',
                "cart.py",
                "def f(x=[]): return x",
                "B006",
            ),
            (
                ".squawk.toml",
                'excluded_rules = ["ban-drop-table"]',
                "migrations/1.sql",
                "DROP TABLE customers;",
                "ban-drop-table",
            ),
        ],
    )
    def test_in_the_change(self, config: str, text: str, path: str, line: str, rule: str) -> None:
        change = parse_diff(diff_of(config, [], text.splitlines()) + diff_of(path, [], [line]))
        sources = Sources(head={config: text + "\n", path: line + "\n"})

        analysis = LocalAnalyzers().analyze(change, sources)

        assert rule in [item.rule for item in analysis.evidence]

    def test_of_zizmor(self) -> None:
        config = "rules: {template-injection: {disable: true}}"
        workflow = ".github/workflows/greet.yml"
        change = parse_diff(
            diff_of(".github/zizmor.yml", [], [config])
            + diff_of(workflow, WORKFLOW.splitlines(), [INJECTION])
        )
        sources = Sources(
            head={".github/zizmor.yml": config + "\n", workflow: f"{WORKFLOW}{INJECTION}\n"}
        )

        analysis = LocalAnalyzers().analyze(change, sources)

        assert "template-injection" in [item.rule for item in analysis.evidence]


class TestFewTrueRemarks:
    def test_sql_of_another_database_is_left_alone(self) -> None:
        sql = "CREATE TABLE `a` (`id` int AUTO_INCREMENT) ENGINE=InnoDB;\nDROP TABLE customers;"

        assert said(analyse("db/migrations/1.sql", sql)) == []

    def test_the_policy_may_switch_squawk_off(self) -> None:
        change, sources = edit(MIGRATION, "DROP TABLE customers;")

        analysis = LocalAnalyzers().analyze(change, sources, sql_dialect="mysql")

        assert analysis.evidence == ()
        assert "squawk" not in analysis.ran

    @pytest.mark.parametrize("name", ["0007.down.sql", "rollback/0007.sql", "sqlite/0007.sql"])
    def test_migrations_back_and_of_other_databases_are_left_alone(self, name: str) -> None:
        assert said(analyse(f"db/migrations/{name}", "DROP TABLE customers;")) == []

    def test_tests_may_do_what_servers_may_not(self) -> None:
        assert said(analyse("tests/test_load.py", "import yaml\nyaml.load('x', yaml.Loader)")) == []

    def test_a_skipped_path_is_not_read(self) -> None:
        change, sources = edit("shop/cart.py", "def add(cart=[]): return cart")

        assert LocalAnalyzers().analyze(change, sources, skip=["shop/cart.py"]) == Analysis()

    def test_one_file_can_t_flood_a_review(self) -> None:
        many = "\n".join(f"print(missing_{n})" for n in range(MAX_PER_FILE + 5))

        analysis = analyse("shop/cart.py", many)

        assert len(analysis.evidence) == MAX_PER_FILE
        assert analysis.notices == ("ruff: 5 more remarks on shop/cart.py left out",)

    def test_style_is_nobody_s_business(self) -> None:
        ugly = "import os,sys\ndef F( x ):\n  l=lambda :1;unused=2\n  return(x==None)\n"

        assert said(analyse("shop/cart.py", ugly)) == []


class TestSecrets:
    def test_the_remark_does_not_repeat_the_secret(self) -> None:
        secret = "sk_live_" + "a1B2c3D4" * 3

        (item,) = analyse("shop/pay.py", f'KEY = "{secret}"').evidence

        assert item.severity is Severity.HIGH
        assert secret not in f"{item.title} {item.body} {item.rule}"

    def test_placeholders_are_no_finding(self) -> None:
        added = 'KEY = "AKIAIOSFODNN7EXAMPLE"\nDB = "postgres://postgres:postgres@localhost/test"'

        assert said(analyse("shop/settings.py", added)) == []

    def test_a_private_key_is_one_finding_at_its_first_line(self) -> None:
        body = ["q1W2e3R4t5Y6u7I8o9P0a1S2d3F4g5H6" * 2] * 20
        key = "\n".join(["-----BEGIN PRIVATE KEY-----", *body, "-----END PRIVATE KEY-----"])

        assert said(analyse("deploy/key.txt", key, "# keys\n")) == [("secrets", "private-key", 2)]


def test_remarks_span_only_added_lines() -> None:
    before = "import requests\n"
    added = "requests.get(\n    'https://x',\n    verify=False,\n    timeout=1,\n)"

    items: tuple[Evidence, ...] = analyse("shop/http.py", added, before).evidence

    assert all(2 <= item.line <= item.end_line <= 6 for item in items)
    assert [item.rule for item in items] == ["S501"]
