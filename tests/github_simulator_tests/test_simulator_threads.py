"""Threads are resolved and reacted to by people, and what is merged stays as it was."""

from typing import Any

import pytest
from github_simulator.conversations import ASKED

REVIEWS = "/repos/acme/shop/pulls/1/reviews"


@pytest.fixture
def threads(ask, token):
    """Asks for the threads of a pull request."""

    def get(number: int = 1, name: str = "shop", after: str | None = None) -> Any:
        variables = {"owner": "acme", "name": name, "number": number, "after": after}
        body = {"query": ASKED, "variables": variables}
        return ask(token, "POST", "/graphql", body).json()

    return get


def commented(ask, token, count: int = 1) -> None:
    comments = [{"path": "a.py", "line": 5, "body": f"Hm {n}."} for n in range(count)]
    body = {"event": "COMMENT", "body": "Read.", "comments": comments}
    assert ask(token, "POST", REVIEWS, body).status_code == 200


def test_a_thread_says_who_resolved_it_and_who_reacted(
    simulator, shop, pull, ask, token, threads
) -> None:
    commented(ask, token)
    [first] = pull.threads
    ada = simulator.person("ada")
    ada.react(first, "-1")
    ada.reply(shop, pull, first, "No.")
    ada.resolve(first)

    [node] = threads()["data"]["repository"]["pullRequest"]["reviewThreads"]["nodes"]

    assert (node["isResolved"], node["resolvedBy"]) == (True, {"login": "ada"})
    [comment] = node["comments"]["nodes"]
    assert comment["fullDatabaseId"] == str(first.id)
    assert comment["author"] == {"__typename": "Bot", "login": "reviewbot"}
    thumbs = {group["content"]: group["reactors"]["edges"] for group in comment["reactionGroups"]}
    assert len(thumbs) == 8
    assert [edge["node"] for edge in thumbs["THUMBS_DOWN"]] == [
        {"__typename": "User", "login": "ada"}
    ]
    assert thumbs["THUMBS_UP"] == []


def test_threads_come_fifty_at_a_time(pull, ask, token, threads) -> None:
    commented(ask, token, 120)
    counts, after = [], None
    while True:
        page = threads(after=after)["data"]["repository"]["pullRequest"]["reviewThreads"]
        counts.append(len(page["nodes"]))
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert counts == [50, 50, 20]


def test_what_is_not_there_is_an_error_with_status_200(pull, threads) -> None:
    for number, name in ((9, "shop"), (1, "elsewhere")):
        answer = threads(number, name)
        assert answer["errors"][0]["type"] == "NOT_FOUND"
        assert not (answer["data"]["repository"] or {}).get("pullRequest")


def test_a_token_without_pull_requests_is_not_told(pull, ask, make_token) -> None:
    variables = {"owner": "acme", "name": "shop", "number": 1, "after": None}
    poor = make_token(permissions={"contents": "read"})

    answer = ask(poor, "POST", "/graphql", {"query": ASKED, "variables": variables}).json()

    assert answer["errors"][0]["type"] == "FORBIDDEN"


def test_what_is_merged_stays_as_it_was(shop, pull, ask, token, threads) -> None:
    ends = shop.ends(pull)
    shop.merge(pull, by="grace", when="2030-02-03T04:05:06Z")
    shop.content.commit("feature", {"a.py": "later\n"})

    shown = ask(token, "GET", "/repos/acme/shop/pulls/1").json()

    assert (shown["state"], shown["merged"], shown["merged_at"]) == (
        "closed",
        True,
        "2030-02-03T04:05:06Z",
    )
    assert (shown["base"]["sha"], shown["head"]["sha"]) == ends
    assert shown["merged_by"]["login"] == "grace"
    assert shop.content.blob("main:a.py") == shop.content.blob(f"{ends[1]}:a.py")
    pull_request = threads()["data"]["repository"]["pullRequest"]
    assert (pull_request["state"], pull_request["headRefOid"]) == ("MERGED", ends[1])
    with pytest.raises(ValueError, match="stays closed"):
        shop.reopen(pull)


def test_commits_are_compared_from_where_they_parted(shop, pull, ask, token) -> None:
    base, first = shop.ends(pull)
    second = shop.push(pull, {"b.py": shop.content.blob("feature:a.py"), "a.py": None})

    forward = ask(token, "GET", f"/repos/acme/shop/compare/{first}...{second}").json()
    back = ask(token, "GET", f"/repos/acme/shop/compare/{second}...{base}").json()
    gone = ask(token, "GET", f"/repos/acme/shop/compare/{first}...{'0' * 40}")

    [file] = forward["files"]
    assert (file["status"], file["previous_filename"], file["filename"]) == (
        "renamed",
        "a.py",
        "b.py",
    )
    assert (forward["status"], forward["ahead_by"], back["status"]) == ("ahead", 1, "behind")
    assert gone.status_code == 404


def test_a_thread_event_has_githubs_form(simulator, shop, pull, ask, token, installation) -> None:
    commented(ask, token)
    [first] = pull.threads
    reply = simulator.person("bob").reply(shop, pull, first, "Done.")

    payload = simulator.payloads.review_thread(shop, pull, first, "unresolved", sender="bob")

    assert [one["id"] for one in payload["thread"]["comments"]] == [first.id, reply.id]
    assert payload["thread"]["comments"][0]["user"]["type"] == "Bot"
    assert payload["installation"]["id"] == installation.id
    assert payload["sender"]["login"] == "bob"
    assert "merged" not in payload["pull_request"]
