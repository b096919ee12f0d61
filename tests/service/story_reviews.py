"""Stories of deliveries: a signed webhook goes in at one end, comments come out at the other."""

import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor

import requests
from github_simulator.state import Repository
from model_servers.behaviours import Fail
from serving import HEAD, Service, child

from reviewbot.review.engine import Outcome


def test_a_webhook_becomes_a_review_on_the_pull_request(
    service: Service, repository: Repository
) -> None:
    pull = repository.open_pull("work1", title="Simplify login")
    payload = service.github.payloads.pull_request(repository, pull)

    accepted = service.deliver("pull_request", payload)
    forged = service.deliver("pull_request", payload, secret="wrong")
    service.reviewed(pull)

    assert (accepted.status, forged.status) == (202, 401)
    assert accepted.json()["job"].endswith(":auto")
    [review] = pull.reviews
    assert (review.state, review.commit) == ("COMMENTED", repository.ends(pull)[1])
    [thread] = pull.threads
    assert (thread.path, thread.line, thread.side) == ("shop/auth/login_1.py", 5, "RIGHT")
    assert (
        "```suggestion\n    return hmac.compare_digest(user.digest, password)\n```" in thread.body
    )
    assert "Timing leaks the digest" in thread.body
    [summary] = pull.comments
    assert "auth" in summary.body
    assert "Claude" in summary.body
    [check] = repository.checks
    assert (check.head, check.status) == (review.commit, "completed")
    assert check.conclusion
    assert len(service.claude.bill) == 1
    [call], begun = service.calls(repository, pull)
    assert (call.outcome, begun) == (Outcome.ANSWERED, [])


def test_a_review_has_a_page_for_who_is_signed_in(service: Service, repository: Repository) -> None:
    pull = service.opened(repository)
    service.reviewed(pull)
    review = service.newest_review(repository, pull)
    assert review
    page = f"{service.url}/reviews/{review.id}"
    [*_, token] = re.findall(r"/login\?token=(\S+)", service.log())

    stranger = requests.get(page, timeout=5)
    with requests.Session() as browser:
        browser.post(f"{service.url}/login", data={"token": token}, timeout=5)
        shown = browser.get(page, timeout=5)
        used = requests.post(f"{service.url}/login", data={"token": token}, timeout=5)

    assert (stranger.status_code, shown.status_code, used.status_code) == (401, 200, 401)
    assert "Timing leaks the digest" not in stranger.text
    assert "Timing leaks the digest" in shown.text
    assert repository.full_name in shown.text


def test_probes_and_figures_tell_of_the_work(service: Service, repository: Repository) -> None:
    service.reviewed(service.opened(repository))

    ready = requests.get(f"{service.url}/readyz", timeout=5)
    figures = requests.get(f"{service.url}/metrics", timeout=5).text

    assert ready.status_code == 200, ready.text
    assert ready.json()["checks"].keys() == {"database", "worker", "engines"}
    [count] = re.findall(
        r'deliveries_total\{event="pull_request",outcome="review"\} ([\d.]+)', figures
    )
    assert float(count) >= 1


def test_a_delivery_that_comes_again_and_again_is_one_review(
    service: Service, repository: Repository
) -> None:
    pull = repository.open_pull("work1", title="Simplify login")
    payload = service.github.payloads.pull_request(repository, pull)

    service.deliver("pull_request", payload)
    first = service.github.deliveries[-1]
    with ThreadPoolExecutor(8) as senders:
        same = senders.submit(service.github.attempt, first)
        others = [senders.submit(service.deliver, "pull_request", payload) for _ in range(20)]
        answers = [first.response, same.result(), *(other.result() for other in others)]
    service.reviewed(pull)
    late = service.deliver("pull_request", payload)
    service.at_rest()

    assert {answer.status for answer in (*answers, late)} == {202}
    assert len({answer.json()["job"] for answer in (*answers, late)}) == 1
    assert len({one.guid for one in service.github.deliveries if one.body == first.body}) == 22
    assert len(pull.reviews) == len(pull.threads) == len(pull.comments) == 1
    assert len(repository.checks) == 1
    [_], begun = service.calls(repository, pull)
    assert (len(service.claude.bill), begun) == (1, [])


def test_what_a_listener_accepted_before_it_was_killed_is_reviewed(
    service: Service, repository: Repository
) -> None:
    pulls = [repository.open_pull(f"work{n}", title="Simplify login") for n in range(1, 9)]
    payloads = [service.github.payloads.pull_request(repository, pull) for pull in pulls]
    web = child(service.process.pid, "web")
    assert web

    with ThreadPoolExecutor(4) as senders:
        sent = [senders.submit(service.deliver, "pull_request", payload) for payload in payloads]
        sent[2].result()
        os.kill(web, signal.SIGKILL)
        accepted = [
            pull for pull, one in zip(pulls, sent, strict=True) if one.result().status == 202
        ]
    service.reviewed(*accepted)
    service.listening()
    again = [service.deliver("pull_request", payload) for payload in payloads]
    service.reviewed(*pulls)

    assert accepted
    assert {one.status for one in again} == {202}
    assert all(len(pull.reviews) == len(pull.comments) == 1 for pull in pulls)
    assert len(service.claude.bill) == len(pulls)


def test_a_push_while_a_review_runs_is_reviewed_instead(
    service: Service, repository: Repository
) -> None:
    pull = repository.open_pull("work1", title="Simplify login")
    first = service.github.payloads.pull_request(repository, pull)
    repository.push(pull, {"shop/auth/login_1.py": HEAD + "# more\n"})

    service.deliver("pull_request", first)
    later = service.github.payloads.pull_request(repository, pull, "synchronize")
    service.deliver("pull_request", later)
    service.reviewed(pull)

    [review] = pull.reviews
    assert review.commit == repository.ends(pull)[1]


def test_a_closed_pull_request_and_a_draft_get_no_review(
    service: Service, repository: Repository
) -> None:
    draft = repository.open_pull("work1", title="Not yet", draft=True)
    closed = repository.open_pull("work2", title="Never mind")
    event = service.github.payloads.pull_request(repository, closed)
    repository.close(closed)

    for payload in (service.github.payloads.pull_request(repository, draft), event):
        assert service.deliver("pull_request", payload).status == 202
    service.reviewed(service.opened(repository, 3))

    assert not draft.comments
    assert not draft.reviews
    assert not closed.comments
    assert len(service.claude.asked) == 1


def test_a_broken_policy_is_told_with_its_line_and_nothing_it_keeps_is_sent(
    service: Service, repository: Repository
) -> None:
    policy = "route:\n  never_send: ['shop/auth/**']\nreview:\n  languages: German\n"
    repository.content.commit("main", {".github/reviewbot.yml": policy})
    pull = service.opened(repository)
    service.reviewed(pull)
    service.until(lambda: repository.checks[0].conclusion, "the check ends")

    [summary] = pull.comments
    assert ".github/reviewbot.yml:4" in summary.body
    assert "language" in summary.body
    assert "`never_send`" in summary.body
    assert repository.checks[0].conclusion == "neutral"
    assert service.claude.asked == []


def test_a_review_that_fails_is_told_with_an_id_and_leaves_the_earlier_summary(
    service: Service, repository: Repository
) -> None:
    pull = service.opened(repository)
    service.reviewed(pull)
    reviewed = pull.comments[0].body
    service.claude.play(Fail(401, message="invalid x-api-key"))
    repository.push(pull, {"shop/auth/login_1.py": f"{HEAD}# more\n"})

    payload = service.github.payloads.pull_request(repository, pull, "synchronize")
    service.deliver("pull_request", payload)
    service.until(lambda: "failed" in pull.comments[0].body, "the failure is told")

    [told] = pull.comments
    [name] = re.findall(r"Id for whoever runs reviewbot: `([0-9a-f-]{36})`", told.body)
    assert name in service.log()
    assert "Timing leaks the digest" in reviewed
    assert told.body.count("Timing leaks the digest") == reviewed.count("Timing leaks the digest")
    assert len(pull.reviews) == 1
    service.until(lambda: len([c for c in repository.checks if c.conclusion]) == 2, "its check")
    assert repository.checks[-1].output["title"] == "The review failed"
