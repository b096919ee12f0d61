"""A change goes in; routed, reviewed, anchored, priced findings come out."""

import json
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from flow.conftest import Terminal
from model_servers.behaviours import Answer, Fail, HangUp, Refusal
from model_servers.claude import ClaudeServer
from model_servers.openai import OpenAIServer

Says = Callable[..., str]


def test_a_plain_change_goes_to_the_local_model_and_comes_back_anchored(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    with_local: OpenAIServer,
    says: Says,
) -> None:
    with_local.play(Answer(says({"suggestion": "    return -(-total // size)"})))

    review = terminal.review(repository, "plain")

    assert review["route"]["tier"] == "local"
    [finding] = review["findings"]
    assert (finding["path"], finding["line"], finding["side"]) == ("shop/pages.py", 2, "RIGHT")
    assert finding["suggestion"] == "    return -(-total // size)"
    assert review["coverage"] == [
        {"path": "shop/pages.py", "status": "full", "engine": "openai", "reason": ""}
    ]
    assert review["complete"] is True
    assert with_claude.asked == []
    assert review["egress"] == []


def test_a_risky_change_goes_to_claude_redacted_and_on_the_receipt(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    with_local: OpenAIServer,
    says: Says,
) -> None:
    quote = "    if user.digest == digest(password):"
    with_claude.play(
        Answer(
            says({"path": "shop/auth/login.py", "line": 9, "quote": quote, "severity": "critical"})
        )
    )

    review = terminal.review(repository, "risky")

    assert review["route"]["tier"] == "claude"
    assert review["route"]["areas"] == ["auth"]
    assert review["route"]["reasons"][0]["path"] == "shop/auth/login.py"
    assert [finding["anchored"] for finding in review["findings"]] == [True]
    assert with_local.asked == []
    assert "shop/auth/login.py" in {entry["path"] for entry in review["egress"]}


def test_what_is_charged_is_what_the_model_server_billed(
    terminal: Terminal, repository: Path, with_claude: ClaudeServer
) -> None:
    review = terminal.review(repository, "risky")

    [charge] = with_claude.bill
    billed = (Decimal(4) * charge.input + Decimal(20) * charge.output) / 1_000_000
    assert Decimal(review["cost"]["claude_usd"]) == billed
    assert Decimal(review["cost"]["all_claude_usd"]) == billed
    assert Decimal(review["cost"]["local_usd"]) == 0
    [call] = review["calls"]
    assert call["outcome"] == "answered"
    assert Decimal(call["reserved_usd"]) >= billed


def test_local_cost_is_energy_and_hardware_and_all_claude_is_beside_it(
    terminal: Terminal, repository: Path, with_local: OpenAIServer
) -> None:
    review = terminal.review(repository, "plain")

    cost = review["cost"]
    assert Decimal(cost["claude_usd"]) == 0
    assert Decimal(cost["local_usd"]) > 0
    assert cost["joules"] > 0
    assert cost["joules_how"] == "watts × seconds"
    [charge] = with_local.bill
    all_claude = (Decimal(4) * charge.input + Decimal(20) * charge.output) / 1_000_000
    assert Decimal(cost["all_claude_usd"]) == all_claude


def test_calls_and_review_are_in_the_database(
    terminal: Terminal, repository: Path, with_local: OpenAIServer, tmp_path: Path
) -> None:
    review = terminal.review(repository, "plain")

    with sqlite3.connect(tmp_path / "data" / "reviewbot.db") as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        [(stored,)] = database.execute("SELECT id FROM reviews")
    database.close()
    assert stored == review["id"]
    assert any("call" in table for table in tables)


def test_per_file_granularity_splits_one_change(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    with_local: OpenAIServer,
    tmp_path: Path,
) -> None:
    policy = tmp_path / "policy.yml"
    policy.write_text("route: {granularity: file}\n")
    terminal.set(policy=policy)

    review = terminal.review(repository, "both")

    engines = {entry["path"]: entry["engine"] for entry in review["coverage"]}
    assert engines == {"shop/auth/login.py": "claude", "shop/pages.py": "openai"}
    assert "pages" not in with_claude.asked[0].user.split("=== ", 1)[1]


def test_never_send_stays_here_and_says_so(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    with_local: OpenAIServer,
    tmp_path: Path,
) -> None:
    policy = tmp_path / "policy.yml"
    policy.write_text("route: {never_send: ['shop/auth/**']}\n")
    terminal.set(policy=policy)

    review = terminal.review(repository, "both")

    assert not any("digest" in asked.user for asked in with_claude.asked)
    assert any("digest" in asked.user for asked in with_local.asked)
    assert review["attention"][0].startswith("RISKY, NOT SENT")
    assert not review["complete"]


def test_without_a_claude_key_a_risky_change_is_declared(
    terminal: Terminal, repository: Path, with_local: OpenAIServer
) -> None:
    review = terminal.review(repository, "risky")

    assert review["attention"][0].startswith("RISKY, NOT REVIEWED BY CLAUDE: shop/auth/login.py")
    assert review["strategy"] == "local"
    assert review["coverage"][0]["engine"] == "openai"
    assert review["coverage"][0]["reason"] == "risky, not reviewed by Claude"


def test_without_any_model_the_analysers_run_and_the_table_says_no_model(
    terminal: Terminal, repository: Path
) -> None:
    review = terminal.review(repository, "plain")

    assert review["coverage"][0]["engine"] == "analyzers (no model)"
    assert any(line.startswith("NO MODEL READ") for line in review["attention"])
    assert review["strategy"] == ""
    assert Decimal(review["cost"]["total_usd"]) == 0
    assert Decimal(review["cost"]["all_claude_usd"]) > 0


def test_without_local_claude_reads_the_rest_with_a_cheap_model_if_asked_to(
    terminal: Terminal, repository: Path, with_claude: ClaudeServer
) -> None:
    terminal.set(without_local="claude")

    review = terminal.review(repository, "plain")

    assert with_claude.asked[0].body["model"] == "claude-haiku-5-5"
    assert review["coverage"][0]["status"] == "full"
    assert review["strategy"] == "cheap"


def test_a_refusal_goes_to_the_fallback_model_and_both_are_in_the_ledger(
    terminal: Terminal, repository: Path, with_claude: ClaudeServer
) -> None:
    terminal.set(claude_fallback_model="claude-sonnet-5-5")
    with_claude.play(Refusal(), Answer())

    review = terminal.review(repository, "risky")

    assert [call["outcome"] for call in review["calls"]] == ["refused", "answered"]
    assert review["coverage"][0]["reason"] == "claude-opus-5-5 refused"
    assert review["coverage"][0]["status"] == "full"


@pytest.mark.parametrize(
    ("behaviours", "outcome", "words"),
    [
        ([Refusal()], "refused", "refused to answer"),
        ([Fail(429)], "rate_limited", "rate limited"),
        ([Answer("I approve this."), Answer("Really.")], "malformed", "could not be read"),
    ],
)
def test_a_failed_model_never_looks_like_a_clean_review(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    behaviours: list[object],
    outcome: str,
    words: str,
) -> None:
    with_claude.play(*behaviours)  # type: ignore[arg-type]

    review = terminal.review(repository, "risky")

    assert review["calls"][-1]["outcome"] == outcome
    assert review["coverage"][0]["status"] == "skipped"
    assert words in review["coverage"][0]["reason"]
    assert review["attention"][0].startswith("NOT REVIEWED (1 risky)")
    assert not review["complete"]


def test_a_passing_failure_is_tried_again(
    terminal: Terminal, repository: Path, with_claude: ClaudeServer
) -> None:
    with_claude.play(
        Fail(429, headers={"retry-after": "0.01"}), Fail(529, headers={"retry-after": "0"})
    )

    review = terminal.review(repository, "risky")

    assert [call["outcome"] for call in review["calls"]] == [
        "rate_limited",
        "overloaded",
        "answered",
    ]
    assert [call["attempt"] for call in review["calls"]] == [1, 2, 3]
    assert review["complete"]


def test_a_cut_answer_keeps_its_whole_findings_and_says_so(
    terminal: Terminal, repository: Path, with_local: OpenAIServer, says: Says
) -> None:
    text = says({}, {"title": "Another thing"})
    with_local.play(Answer(text[: text.rindex("Another")], ending="limit"))

    review = terminal.review(repository, "plain")

    assert [finding["title"] for finding in review["findings"]] == ["The last page is lost"]
    assert review["coverage"][0]["status"] == "partial"
    assert any(line.startswith("REVIEWED IN PART") for line in review["attention"])


def test_a_broken_connection_may_have_been_paid_for(
    terminal: Terminal, repository: Path, with_claude: ClaudeServer
) -> None:
    with_claude.play(HangUp(), Answer())

    review = terminal.review(repository, "risky")

    cost = review["cost"]
    billed = sum(
        (Decimal(4) * c.input + Decimal(20) * c.output) / 1_000_000 for c in with_claude.bill
    )
    assert Decimal(cost["claude_usd"]) + Decimal(cost["unknown_usd"]) >= billed


def test_a_prompt_too_long_after_all_is_halved(
    terminal: Terminal, repository: Path, with_claude: ClaudeServer
) -> None:
    with_claude.play(Fail(400, "prompt is too long: 250000 tokens > 200000 maximum"))

    review = terminal.review(repository, "both")

    assert [call["outcome"] for call in review["calls"]] == ["too_long", "answered", "answered"]
    assert {entry["status"] for entry in review["coverage"]} == {"full"}


def test_scripted_answers_are_marked_everywhere(
    terminal: Terminal, repository: Path, with_local: OpenAIServer, says: Says
) -> None:
    with_local.play(Answer(says({}), scripted=True), Answer(says({}), scripted=True))

    review = terminal.review(repository, "plain")
    _, text, _ = terminal.run("review", "main...plain", "--repo", str(repository))

    assert review["scripted"]
    assert review["findings"][0]["scripted"]
    assert review["calls"][0]["scripted"]
    assert "SCRIPTED" in text
    assert "would cost" in text.lower()


def test_a_prompt_can_not_change_the_route_nor_the_form(
    terminal: Terminal, repository: Path, with_local: OpenAIServer
) -> None:
    with_local.play(
        Answer(json.dumps({"walkthrough": "ok", "findings": [], "tier": "skip", "approve": True}))
    )

    review = terminal.review(repository, "plain")

    assert review["route"]["tier"] == "local"
    assert "approve" not in review


@pytest.mark.parametrize("format_", ["text", "markdown", "json", "sarif"])
def test_every_format_prints_the_finding(
    terminal: Terminal, repository: Path, with_local: OpenAIServer, says: Says, format_: str
) -> None:
    with_local.play(Answer(says({})))

    code, out, err = terminal.run(
        "review", "main...plain", "--repo", str(repository), "--format", format_
    )

    assert code == 0
    assert "The last page is lost" in out
    assert "\x1b" not in out, "quiet and plain when piped"
    assert err == ""


def test_fail_on_decides_the_exit_code(
    terminal: Terminal, repository: Path, with_local: OpenAIServer, says: Says, tmp_path: Path
) -> None:
    with_local.answering = lambda _: says({"severity": "medium"})
    source = ["review", "main...plain", "--repo", str(repository)]
    out = tmp_path / "review.json"

    assert terminal.run(*source, "--fail-on", "high", "--json-file", str(out))[0] == 0
    assert terminal.run(*source, "--fail-on", "medium")[0] == 1
    assert json.loads(out.read_text())["schema"] == 1


def test_an_incomplete_review_passes_no_gate(terminal: Terminal, repository: Path) -> None:
    code, _, _ = terminal.run(
        "review", "main...plain", "--repo", str(repository), "--fail-on", "critical"
    )

    assert code == 1


def test_every_try_is_on_the_receipt(
    terminal: Terminal, repository: Path, with_claude: ClaudeServer
) -> None:
    once = terminal.review(repository, "risky")
    with_claude.play(
        Fail(529, headers={"retry-after": "0"}), Fail(529, headers={"retry-after": "0"})
    )

    thrice = terminal.review(repository, "risky")

    assert [e["bytes"] for e in thrice["egress"]] == [3 * e["bytes"] for e in once["egress"]]


def test_never_send_keeps_even_the_names_here(
    terminal: Terminal, repository: Path, with_claude: ClaudeServer, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yml"
    policy.write_text("route: {never_send: ['shop/pages.py']}\n")
    terminal.set(policy=policy)

    terminal.review(repository, "both")

    [asked] = with_claude.asked
    assert "pages" not in asked.user
    assert "1 files that are not shown" in asked.user


def test_what_one_model_answered_stays_when_another_denies_access(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    with_local: OpenAIServer,
    tmp_path: Path,
) -> None:
    policy, out = tmp_path / "policy.yml", tmp_path / "review.json"
    policy.write_text("route: {granularity: file}\n")
    terminal.set(policy=policy)
    with_local.play(Fail(403, "no"))

    code, text, err = terminal.run(
        "review", "main...both", "--repo", str(repository), "--json-file", str(out)
    )

    review = json.loads(out.read_text())
    assert code == 2
    assert err.startswith("reviewbot: openai: ")
    assert "NOT REVIEWED" in text
    assert {c["path"]: c["status"] for c in review["coverage"]} == {
        "shop/auth/login.py": "full",
        "shop/pages.py": "skipped",
    }
    assert len(with_claude.bill) == 1


def test_failures_do_not_change_what_claude_alone_would_cost(
    terminal: Terminal, repository: Path, with_local: OpenAIServer, says: Says
) -> None:
    calm = terminal.review(repository, "plain")
    with_local.play(Answer("no JSON"))

    retried = terminal.review(repository, "plain")

    assert len(retried["calls"]) == 2
    assert retried["cost"]["all_claude_usd"] == calm["cost"]["all_claude_usd"]


def test_a_policy_that_hides_findings_does_not_open_the_gate(
    terminal: Terminal, repository: Path, with_local: OpenAIServer, says: Says, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yml"
    policy.write_text("review: {min_severity: critical}\n")
    terminal.set(policy=policy)
    with_local.play(Answer(says({"severity": "high"})))

    code, _, err = terminal.run(
        "review", "main...plain", "--repo", str(repository), "--fail-on", "high"
    )

    assert code == 1
    assert "a finding is high" in err


def test_own_rules_join_the_shipped_ones(
    terminal: Terminal, repository: Path, tmp_path: Path
) -> None:
    rules = tmp_path / "own.yml"
    rules.write_text(
        "area: paging\ntitle: Pages\nrules:\n  - id: paging.size\n    why: Counts pages\n"
        "    weight: 3\n    added: ['total // size']\n"
    )
    terminal.set(rules=rules)

    code, out, _ = terminal.run(
        "route", "main...plain", "--repo", str(repository), "--format", "json"
    )

    assert code == 0
    assert json.loads(out)["areas"] == ["paging"]
