"""Stories of commands in comments, from the webhook to the answer."""

import pytest
from github_simulator.records import Comment, LineComment
from github_simulator.state import Pull, Repository
from serving import HEAD, READER, WRITER, Service


@pytest.fixture
def pull(service: Service, repository: Repository) -> Pull:
    """A reviewed pull request."""
    made = service.opened(repository)
    service.reviewed(made)
    return made


def ours(comment: Comment | LineComment) -> set[str]:
    """Our reactions."""
    return {one.content for one in comment.reactions if one.author == "reviewbot[bot]"}


def test_questions_are_answered_where_they_were_asked(
    service: Service, repository: Repository, pull: Pull
) -> None:
    asked = [
        service.say(repository, pull, WRITER, f"/reviewbot {word}") for word in ("why", "cost")
    ]
    service.until(lambda: all("rocket" in ours(one) for one in asked), "both are answered")

    said = [one.body for one in pull.comments[1:] if one.author == "reviewbot[bot]"]
    [why] = [text for text in said if "shop/auth/login_1.py" in text]
    [cost] = [text for text in said if "This pull request so far" in text]
    assert "auth" in why
    assert "1 call of 1 review" in cost
    assert [ours(one) for one in asked] == [{"eyes", "rocket"}] * 2
    assert len(pull.reviews) == 1


def test_who_may_not_write_is_not_answered_at_all(
    service: Service, repository: Repository, pull: Pull
) -> None:
    before, paid = len(pull.comments), len(service.claude.bill)

    words = ("why", "review claude", "pause", "help")
    refused = [service.say(repository, pull, READER, f"/reviewbot {word}") for word in words]
    chatter = service.say(repository, pull, WRITER, "Should we ask /reviewbot review claude?")
    service.at_rest()

    assert len(pull.comments) == before + len(words) + 1
    assert [ours(one) for one in (*refused, chatter)] == [set()] * 5
    assert len(pull.reviews) == 1
    assert len(service.claude.bill) == paid
    repository.push(pull, {"shop/auth/login_1.py": HEAD + "# more\n"})
    push(service, repository, pull)
    assert repository.ends(pull)[1][:10] in pull.comments[0].body, "it was not paused"


def test_an_asked_for_review_comes_although_the_head_was_reviewed(
    service: Service, repository: Repository, pull: Pull
) -> None:
    asked = service.say(repository, pull, WRITER, "/reviewbot review claude")
    service.until(lambda: len(service.calls(repository, pull)[0]) == 2, "Claude was asked again")
    service.at_rest()

    assert {"eyes", "rocket"} <= ours(asked)
    [summary] = [one for one in pull.comments if one.author == "reviewbot[bot]"]
    assert summary.updated, "the summary is edited in place"
    newest = service.newest_review(repository, pull)
    assert newest
    assert newest.tier == "claude"
    assert newest.head == repository.ends(pull)[1]


def test_a_dismissed_finding_is_not_reported_again(
    service: Service, repository: Repository, pull: Pull
) -> None:
    person = service.github.person(WRITER)
    [thread] = pull.threads
    reply = person.reply(repository, pull, thread, "/reviewbot dismiss")
    payload = service.github.payloads.review_comment(repository, pull, reply)
    assert service.deliver("pull_request_review_comment", payload).status == 202
    service.until(lambda: "rocket" in ours(reply), "it is dismissed")

    repository.push(pull, {"shop/auth/login_1.py": HEAD + "# more\n"})
    push(service, repository, pull)

    findings = [one for one in pull.threads if one.author == "reviewbot[bot]"]
    assert findings == [thread]
    assert service.claude.asked[-1].user.count("# more") == 1, "the push was looked at"


def test_a_paused_pull_request_waits_for_resume(
    service: Service, repository: Repository, pull: Pull
) -> None:
    paused = service.say(repository, pull, WRITER, "/reviewbot pause")
    service.until(lambda: "rocket" in ours(paused), "it is paused")
    repository.push(pull, {"shop/auth/login_1.py": HEAD + "# more\n"})
    push(service, repository, pull)
    while_paused = pull.comments[0].body
    pushed = repository.ends(pull)[1]

    resumed = service.say(repository, pull, WRITER, "/reviewbot resume")
    service.until(lambda: "rocket" in ours(resumed), "it is resumed")
    repository.push(pull, {"shop/auth/login_1.py": HEAD + "# more\n# still more\n"})
    push(service, repository, pull)

    assert pushed[:10] not in while_paused
    assert repository.ends(pull)[1][:10] in pull.comments[0].body


def push(service: Service, repository: Repository, pull: Pull) -> None:
    """The delivery of a push, and all that comes of it."""
    payload = service.github.payloads.pull_request(repository, pull, "synchronize")
    assert service.deliver("pull_request", payload).status == 202
    service.at_rest()
