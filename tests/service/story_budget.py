"""Stories of budgets and of sampled comparisons, from the webhook to the pull request."""

import json
from decimal import Decimal

import requests
from github_simulator.state import Repository
from serving import WRITER, Service, answer
from story_commands import ours

from reviewbot.review.engine import Outcome

POLICY = ".github/reviewbot.yml"
#: A change that no rule flags.
PAGES, PAGES_HEAD = (
    "def pages(total, size):\n    return -(-total // size)\n",
    "    return total // size",
)


def test_what_the_budget_does_not_cover_is_read_here_and_the_pull_request_says_so(
    service: Service, repository: Repository
) -> None:
    repository.content.commit("main", {POLICY: "budget: {per_pr_usd: 0.001}\n"})
    service.local.answering = answer
    pull = service.opened(repository)
    service.reviewed(pull)

    assert service.claude.asked == []
    [thread] = pull.threads
    assert "openai-compatible" in thread.body, "the local model's finding stands on its line"
    [summary] = pull.comments
    first, _, _ = summary.body.partition("### Findings")
    assert "RISKY, BUDGET USED UP" in first
    assert "this pull request may spend $0.001" in first
    assert "risky, budget used up: read by the local model" in summary.body
    assert "| This pull request | $" in summary.body
    assert "| Budget left | $0.0010 | of $0.001 for this pull request: 0 % used" in summary.body
    [check] = repository.checks
    assert check.conclusion == "neutral"
    assert "RISKY, BUDGET USED UP" in check.output["summary"]
    settled, begun = service.calls(repository, pull)
    assert [call.outcome for call in settled] == [Outcome.OVER_BUDGET, Outcome.ANSWERED]
    assert begun == []


def test_a_held_review_waits_until_the_cap_is_raised_and_somebody_asks(
    service: Service, repository: Repository
) -> None:
    policy = "budget: {{monthly_usd: {}, when_exhausted: hold}}\n"
    repository.content.commit("main", {POLICY: policy.format("0.001")})
    pull = service.opened(repository)
    service.reviewed(pull)
    [held] = [comment.body for comment in pull.comments]
    [check] = repository.checks
    shown = (check.conclusion, check.output["title"])
    asked, calls = len(service.claude.asked), service.calls(repository, pull)

    repository.content.commit("main", {POLICY: policy.format("5")})
    wanted = service.say(repository, pull, WRITER, "/reviewbot review")
    service.until(lambda: pull.threads, "it is reviewed")
    service.at_rest()

    assert (asked, calls, pull.reviews[0].commit) == (0, ([], []), repository.ends(pull)[1])
    assert held.startswith("## reviewbot: HELD: budget used up")
    assert f"{repository.full_name} may spend $0.001 a month" in held
    assert "`/reviewbot review`" in held
    assert shown == ("neutral", "HELD: budget used up")
    assert "rocket" in ours(wanted)
    summary = pull.comments[0]
    assert "Timing leaks the digest" in summary.body
    assert "HELD" not in summary.body
    assert "| Budget left | $5.00 | of $5.00 a month for this repository" in summary.body
    assert len(service.claude.bill) == 1


def test_a_question_waits_for_the_reserves_of_others_to_shrink_to_their_bills(
    service: Service, repository: Repository
) -> None:
    first = service.opened(repository, 1)
    service.reviewed(first)
    [probe], _ = service.calls(repository, first)
    cap = probe.usd + probe.start.reserved_usd * Decimal("1.5")
    repository.content.commit("main", {POLICY: f"budget: {{monthly_usd: {cap:.6f}}}\n"})
    release = service.hold()
    pulls = [service.opened(repository, number) for number in (2, 3)]
    over = Outcome.OVER_BUDGET
    service.until(
        lambda: [call for call in service.calls(repository)[0] if call.outcome is over],
        "one is refused",
    )
    release()
    service.reviewed(*pulls)

    assert len(service.claude.bill) == 3, "both were read by Claude, one after the other"
    assert all("BUDGET USED UP" not in pull.comments[0].body for pull in pulls)


def test_the_answer_to_cost_names_the_month_and_what_is_left(
    service: Service, repository: Repository
) -> None:
    repository.content.commit("main", {POLICY: "budget: {monthly_usd: 20, per_pr_usd: 2}\n"})
    pull = service.opened(repository)
    service.reviewed(pull)
    asked = service.say(repository, pull, WRITER, "/reviewbot cost")
    service.until(lambda: "rocket" in ours(asked), "it is answered")

    said = pull.comments[-1].body
    assert "| This month | $" in said
    assert "this repository in 20" in said
    assert "of $2.00 for this pull request" in said
    assert "This pull request so far" in said


def test_metrics_tell_of_the_fullest_budgets(service: Service, repository: Repository) -> None:
    repository.content.commit("main", {POLICY: "budget: {monthly_usd: 0, per_pr_usd: 2}\n"})
    service.reviewed(service.opened(repository))

    figures = requests.get(f"{service.url}/metrics", timeout=5).text

    assert 'reviewbot_budget_used_usd{scope="operator"}' in figures
    assert 'reviewbot_budget_cap_usd{scope="repository"} 0.0' in figures
    assert 'reviewbot_budget_exhausted_total{scope="repository"} ' in figures
    assert 'reviewbot_budget_exhausted_total{scope="repository"} 0.0' not in figures
    assert repository.full_name not in figures


def test_a_sampled_local_review_is_read_by_claude_as_well_and_posted_once(
    service: Service, repository: Repository
) -> None:
    policy = "review: {regret_percent: 100}\n"
    repository.content.commit("main", {POLICY: policy, "shop/pages.py": PAGES})
    changed = PAGES.replace("    return -(-total // size)", PAGES_HEAD) + "\n\nLIMIT = 10\n"
    repository.content.commit("pages", {"shop/pages.py": changed}, start="main")
    service.local.answering = lambda _: finding(("The last page is lost", 2, PAGES_HEAD))
    service.claude.answering = lambda _: finding(
        ("Pages are rounded down", 2, PAGES_HEAD), ("Nobody uses LIMIT", 5, "LIMIT = 10")
    )
    pull = repository.open_pull("pages", title="Simplify pages")
    service.deliver("pull_request", service.github.payloads.pull_request(repository, pull))
    service.reviewed(pull)
    threads, summary = list(pull.threads), pull.comments[0].body
    again = service.say(repository, pull, WRITER, "/reviewbot review")
    service.until(lambda: "rocket" in ours(again), "it is asked for")
    service.at_rest()

    [both, alone] = sorted(threads, key=lambda thread: thread.line)
    assert "The last page is lost" in both.body
    assert "openai-compatible" in both.body
    assert "also claude" in both.body
    assert "Nobody uses LIMIT" in alone.body
    assert "claude" in alone.body
    assert "sampled comparison: Claude has read this local review as well" in summary
    review = service.newest_review(repository, pull)
    assert review is not None
    assert review.result["regret"] is None, "what a person asks for is no sample"
    with service.store() as store:
        [sampled] = store.sampled(repository=repository.full_name)
    [low] = sampled.by_severity.values()
    assert low == (1, 0, 1)
    settled, _ = service.calls(repository, pull)
    assert [c.usd for c in settled if c.start.purpose == "regret"] == [sampled.usd]
    assert len(service.claude.bill) == 1


def finding(*found: tuple[str, int, str]) -> str:
    """An answer with findings: title, line, quote."""
    made = [
        {
            "path": "shop/pages.py", "line": line, "end_line": None, "quote": quote,
            "severity": "low", "category": "correctness", "title": title, "body": "Look.",
            "confidence": 0.9, "suggestion": None,
        }
        for title, line, quote in found
    ]  # fmt: skip
    return json.dumps({"walkthrough": "Pages.", "findings": made})
