"""One change through router and packer: what each strategy would ask."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reviewbot.change.model import Change, Sources
from reviewbot.change.parse import parse_diff
from reviewbot.change.source import Document, Fetched
from reviewbot.config.policy import Policy
from reviewbot.reporting.replay import Replayed, Replayer, Strategy, whole_change
from reviewbot.review.prompt import Briefing
from reviewbot.review.work import planned_prompt_tokens
from reviewbot.routing.model import Tier
from reviewbot.routing.router import decide
from reviewbot.routing.rules import shipped_rules

AT = datetime(2030, 1, 1, tzinfo=UTC)
RISKY = """\
diff --git a/shop/login.py b/shop/login.py
--- a/shop/login.py
+++ b/shop/login.py
@@ -7,3 +7,3 @@ def login(user, password):
     if not user.active:
         raise Denied
-    if hmac.compare_digest(user.digest, digest(password)):
+    if user.digest == digest(password):
"""
PLAIN = """\
diff --git a/shop/pages.py b/shop/pages.py
--- a/shop/pages.py
+++ b/shop/pages.py
@@ -1,2 +1,2 @@
 def pages(total, size):
-    return -(-total // size)
+    return total // size
"""
LOCK = """\
diff --git a/poetry.lock b/poetry.lock
--- a/poetry.lock
+++ b/poetry.lock
@@ -1 +1 @@
-a = 1
+a = 2
"""


@pytest.fixture
def replayer() -> Replayer:
    return Replayer(shipped_rules(), Policy(), (), 16_384)


@pytest.fixture
def fetched() -> Callable[..., Fetched]:
    def make(diff: str, **more: object) -> Fetched:
        return Fetched(replace(parse_diff(diff, title="Change"), head="c0ffee"), **more)  # type: ignore[arg-type]

    return make


def asked(replayed: Replayed) -> dict[str, dict[str, int]]:
    """Strategy → role → calls."""
    return {
        strategy.value: {role: prompts.calls for role, prompts in by_role.items()}
        for strategy, by_role in replayed.prompts.items()
    }


def test_a_plain_change_is_local_but_where_there_is_no_card(
    replayer: Replayer, fetched: Callable[..., Fetched]
) -> None:
    replayed = replayer.replay(fetched(PLAIN), AT)

    assert (replayed.tier, replayed.areas, replayed.sha) == (Tier.LOCAL, (), "c0ffee")
    assert asked(replayed) == {
        "claude": {"claude": 1},
        "hybrid_pull_request": {"local": 1},
        "hybrid_file": {"local": 1},
        "cheap_pull_request": {"low": 1},
        "cheap_file": {"low": 1},
        "local": {"local": 1},
        "difficulty": {"local": 1},
    }


def test_a_difficult_change_goes_to_claude_by_difficulty_alone(
    replayer: Replayer, fetched: Callable[..., Fetched]
) -> None:
    hard = "".join(
        f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -1,0 +2 @@\n+{line}\n"
        for path, line in (
            ("api/a.py", "lock = threading.Lock()"),
            ("web/a.ts", "x()"),
            ("core/a.go", "x()"),
        )
    )

    replayed = replayer.replay(fetched(hard), AT)

    assert (replayed.tier, replayed.areas, replayed.difficult) == (Tier.LOCAL, (), True)
    assert asked(replayed)["difficulty"] == {"claude": 1}
    assert asked(replayed)["hybrid_pull_request"] == {"local": 1}
    assert Replayed.from_json(replayed.to_json()) == replayed


def test_a_flagged_file_takes_the_others_along_only_by_pull_request(
    replayer: Replayer, fetched: Callable[..., Fetched]
) -> None:
    replayed = replayer.replay(fetched(RISKY + PLAIN + LOCK), AT)

    assert (replayed.tier, replayed.areas) == (Tier.CLAUDE, ("auth",))
    assert asked(replayed)["hybrid_pull_request"] == {"claude": 1}
    assert asked(replayed)["hybrid_file"] == {"claude": 1, "local": 1}
    assert asked(replayed)["cheap_file"] == {"claude": 1, "low": 1}
    whole = replayed.asked(Strategy.PULL_REQUEST, "claude").tokens
    assert replayed.asked(Strategy.FILE, "claude").tokens < whole
    assert whole == replayed.asked(Strategy.CLAUDE, "claude").tokens


@pytest.mark.parametrize("diff", [RISKY, PLAIN, RISKY + PLAIN, RISKY + LOCK, LOCK])
def test_the_whole_changes_route_is_what_the_router_says(
    diff: str, fetched: Callable[..., Fetched]
) -> None:
    change, rules = fetched(diff).change, shipped_rules()
    by_file = Policy.model_validate({"route": {"granularity": "file"}})

    whole = whole_change(decide(change, rules, by_file, local_context_tokens=16_384))

    expected = decide(change, rules, Policy(), local_context_tokens=16_384)
    assert (whole.tier, whole.areas) == (expected.tier, expected.areas)
    assert [(f.path, f.tier) for f in whole.files] == [(f.path, f.tier) for f in expected.files]


def test_tokens_are_the_packers_own(replayer: Replayer, fetched: Callable[..., Fetched]) -> None:
    given = fetched(PLAIN)

    tokens = replayer.replay(given, AT).asked(Strategy.LOCAL, "local").tokens

    briefing = Briefing(given.change)
    assert (tokens, 1) == planned_prompt_tokens(given.change.files, briefing, context_tokens=16_384)


def test_guidelines_and_the_texts_around_count(
    replayer: Replayer, fetched: Callable[..., Fetched]
) -> None:
    around = (
        "def login(user, password):\n"
        + "    check(user)\n" * 5
        + "".join(line[1:] + "\n" for line in RISKY.split("\n")[4:] if line[:1] in (" ", "+"))
    )

    bare = replayer.replay(fetched(RISKY), AT)
    wider = replayer.replay(fetched(RISKY, sources=Sources({"shop/login.py": around})), AT)
    guided = replace(replayer, guidelines=(Document("AGENTS.md", "Be kind. " * 100),)).replay(
        fetched(RISKY), AT
    )

    tokens = [each.asked(Strategy.CLAUDE, "claude").tokens for each in (bare, wider, guided)]
    assert tokens[0] < tokens[1] < tokens[2]


def test_a_long_change_is_several_local_prompts(
    replayer: Replayer, fetched: Callable[..., Fetched]
) -> None:
    body = "".join(f"+value_{number} = compute({number}, {number * 7})\n" for number in range(3000))
    diff = (
        "diff --git a/data.py b/data.py\nnew file mode 100644\n--- /dev/null\n+++ b/data.py\n"
        f"@@ -0,0 +1,3000 @@\n{body}"
    )

    replayed = replayer.replay(fetched(diff), AT)

    assert replayed.asked(Strategy.CLAUDE, "claude").calls == 1
    assert replayed.asked(Strategy.LOCAL, "local").calls > 2


def test_a_bots_plain_change_costs_nothing_but_its_risky_one_does(
    replayer: Replayer, fetched: Callable[..., Fetched]
) -> None:
    plain = replayer.replay(fetched(PLAIN, author="renovate[bot]"), AT)
    risky = replayer.replay(fetched(RISKY, author="renovate[bot]"), AT)

    assert (plain.ignored, plain.prompts) == (True, {})
    assert not risky.ignored
    assert asked(risky)["claude"] == {"claude": 1}


def test_nothing_to_read_asks_nothing(replayer: Replayer, fetched: Callable[..., Fetched]) -> None:
    for given in (fetched(LOCK), Fetched(Change(()))):
        replayed = replayer.replay(given, AT)

        assert (replayed.tier, replayed.prompts) == (Tier.SKIP, {})


def test_a_file_that_must_stay_is_never_claudes(
    replayer: Replayer, fetched: Callable[..., Fetched]
) -> None:
    policy = Policy.model_validate({"route": {"never_send": ["shop/login.py"]}})

    replayed = replace(replayer, policy=policy).replay(fetched(RISKY + PLAIN), AT)

    assert asked(replayed)["claude"] == {"claude": 1}
    assert asked(replayed)["hybrid_pull_request"] == {"claude": 1, "local": 1}
    assert asked(replayed)["hybrid_file"] == {"local": 1}
    assert asked(replayed)["cheap_file"] == {"low": 1}


def test_it_reads_back_as_it_was_written(
    replayer: Replayer, fetched: Callable[..., Fetched]
) -> None:
    replayed = replayer.replay(fetched(RISKY + PLAIN), AT)

    assert Replayed.from_json(json.loads(json.dumps(replayed.to_json()))) == replayed
