"""Stories of a pull request that is pushed to again and again."""

import os
import re
import signal
from decimal import Decimal
from statistics import median

from pushing import (
    ABOVE,
    GUIDE_HEAD,
    LOGGED,
    LOGIN,
    LOGIN_BASE,
    LOGIN_LOGGED,
    LOGIN_MENDED,
    LOGIN_WEAK,
    MENDED,
    PAGES,
    PAGES_BASE,
    PAGES_WRONG,
    SIGNIN,
    WEAK,
    Pushed,
    started,
    ten_pushes,
)
from serving import EVER, Service, child

from reviewbot.publishing.feedback import PostedFinding

_ROW = re.compile(
    r"^\| `([0-9a-f]{7})` \| [^|]+ \| ([^|]+) \| (\d+) \| (\d+) \| (\d+) \| \$([\d.]+) \|$",
    re.MULTILINE,
)
WEAK_LINE, LAST_PAGE = f"    return {WEAK}", "    return total // size"
TYPO, GUIDE_LINE = "    # One of the items.", GUIDE_HEAD.split("\n")[2]


def rows(service: Service, pushed: Pushed) -> list[PostedFinding]:
    with service.store() as store:
        return store.posted_findings(**EVER, repository=pushed.repository.full_name)


def test_ten_pushes_are_read_once_and_told_once(service: Service) -> None:
    pushed = ten_pushes(service)
    pull, heads = pushed.pull, [head[:7] for head in pushed.heads]
    settled, begun = service.calls(pushed.repository)
    history = _ROW.findall(pushed.summary)[::-1]

    assert pushed.asked == [
        ([WEAK_LINE], [LAST_PAGE]),
        ([f"    return {MENDED}"], []),
        ([LOGGED.rstrip("\n")], []),
        ([], [TYPO]),
        ([], []),
        ([], []),
        ([], []),
        ([], []),
        ([], []),
        ([], [GUIDE_LINE]),
    ]
    weak, last_page, logged = [one for one in pull.threads if one.reply_to is None]
    assert "Timing leaks the digest" in weak.body
    assert "The last page is lost" in last_page.body
    assert "A session's token is logged" in logged.body
    assert pushed.replies == [
        (weak.id, f"Fixed in {heads[1]}."),
        (logged.id, f"Fixed in {heads[5]}."),
        (last_page.id, f"Fixed in {heads[7]}."),
    ]
    assert [one.commit[:7] for one in pull.reviews if one.body] == [heads[0], heads[2]]
    assert [row.fingerprint for row in rows(service, pushed)] == list(
        dict.fromkeys(row.fingerprint for row in rows(service, pushed))
    )
    assert [(head, what) for head, what, *_ in history] == [
        (heads[0], "2 hunks of 2 files"),
        (heads[1], "1 hunk of 1 file"),
        (heads[2], "1 hunk of 1 file"),
        (heads[3], "1 hunk of 1 file"),
        *[(heads[number], "nothing new") for number in range(4, 9)],
        (heads[9], "1 hunk of 1 file"),
    ]
    assert [tuple(map(int, line[2:5])) for line in history] == [
        (2, 0, 2),  # new, fixed, open
        (0, 1, 1),
        (1, 0, 2),
        (0, 0, 2),
        (0, 0, 2),
        (0, 1, 1),
        (0, 0, 2),
        (0, 1, 1),
        (0, 0, 1),
        (1, 0, 2),
    ]
    assert [Decimal(line[5]) > 0 for line in history] == [True] * 4 + [False] * 5 + [True]
    assert (len(settled), begun) == (6, [])
    assert len(service.claude.bill) == 3
    assert median(pushed.requests[1:]) <= 11, "some have a chore's beside their own"


def test_what_ten_pushes_leave_behind_is_one_page(service: Service) -> None:
    pushed = ten_pushes(service)
    summary, heads = pushed.summary, [head[:7] for head in pushed.heads]
    *_, check = pushed.repository.checks

    assert summary.startswith("## reviewbot: 1 high, 1 medium\n")
    [still] = [line for line in summary.split("\n") if "open since" in line]
    logged = next(one for one in pushed.pull.threads if "token is logged" in one.body)
    assert f"`{SIGNIN}:38` · A session's token is logged" in still
    assert still.endswith(
        f"open since `{heads[2]}` · [comment]({service.github.url}/"
        f"{pushed.repository.full_name}/pull/1#discussion_r{logged.id})"
    )
    assert "1 finding below high: only listed, not on lines, in round 5" in summary
    assert f"| `{SIGNIN}` | full | claude | read at {heads[1]}, {heads[2]} |" in summary
    assert "Timing leaks the digest" not in summary
    assert "The last page is lost" not in summary
    assert (check.head, check.conclusion) == (pushed.heads[9], "success")
    assert check.output["title"] == "1 high, 1 medium"
    assert [(one["path"], one["start_line"]) for one in check.annotations] == [
        ("docs/guide.md", 3),
        (SIGNIN, 38),
    ]


def test_what_is_dismissed_stays_silent_over_pushes(service: Service) -> None:
    pushed = started(service)
    pushed.opened({LOGIN: LOGIN_WEAK, PAGES: PAGES_BASE})
    [finding] = pushed.pull.threads
    reply = service.github.person("grace").reply(
        pushed.repository, pushed.pull, finding, "/reviewbot dismiss"
    )
    payload = service.github.payloads.review_comment(pushed.repository, pushed.pull, reply)
    service.deliver("pull_request_review_comment", payload)
    service.at_rest()

    beside = LOGIN_WEAK.replace("def login(user, password):", "def login(user, password, *, now):")
    pushed.push({LOGIN: beside})  # the hunk is another one: it is read again
    pushed.push({LOGIN: beside, PAGES: PAGES_WRONG})
    service.say(pushed.repository, pushed.pull, "grace", "/reviewbot review")
    service.at_rest()
    pushed.push({LOGIN: LOGIN_MENDED})

    assert WEAK_LINE in pushed.asked[1][0]
    assert [one.body for one in pushed.pull.threads if "Timing leaks" in one.body] == [finding.body]
    assert "Timing leaks" not in pushed.summary
    assert pushed.replies == [(finding.id, "/reviewbot dismiss")]


def test_who_asks_for_a_review_has_all_of_it_read_again(service: Service) -> None:
    pushed = started(service)
    pushed.opened({LOGIN: LOGIN_WEAK, PAGES: PAGES_WRONG})
    pushed.push({LOGIN: LOGIN_WEAK.replace("return session.token", "return session.key")})
    before = len(service.claude.asked), len(service.local.asked), len(pushed.pull.threads)

    service.say(pushed.repository, pushed.pull, "grace", "/reviewbot review")
    service.until(lambda: len(service.local.asked) > before[1], "the local model reads it again")
    service.at_rest()

    assert WEAK_LINE not in pushed.asked[1][0]
    assert WEAK_LINE in service.claude.asked[-1].user
    assert LAST_PAGE in service.local.asked[-1].user
    assert len(pushed.pull.threads) == before[2] == 2, "nothing is said twice"
    assert pushed.summary.count("Timing leaks the digest") == 1
    assert {row.feedback for row in rows(service, pushed)} == {()}
    assert len(rows(service, pushed)) == 2


def test_a_base_that_gets_the_same_lines_fixes_nothing(service: Service) -> None:
    pushed = started(service)
    pushed.opened({LOGIN: LOGIN_LOGGED, PAGES: PAGES_WRONG})
    pushed.repository.content.commit("main", {PAGES: PAGES_WRONG})

    pushed.rebase({LOGIN: LOGIN_LOGGED})

    assert pushed.asked[1] == ([], [])
    assert pushed.replies == []
    [line] = [line for line in pushed.summary.split("\n") if "The last page is lost" in line]
    assert "open since" in line


def test_a_worker_killed_between_an_answer_and_the_summary_posts_nothing_twice(
    service: Service,
) -> None:
    pushed = started(service)
    pushed.opened({LOGIN: LOGIN_WEAK, PAGES: PAGES_WRONG})
    repository, pull = pushed.repository, pushed.pull
    head = repository.push(pull, {LOGIN: LOGIN_LOGGED, PAGES: ABOVE + PAGES_BASE})
    worker = child(service.process.pid, "worker")
    assert worker
    service.github.latency = 0.5
    payload = service.github.payloads.pull_request(repository, pull, "synchronize")
    assert service.deliver("pull_request", payload).status == 202

    service.until(lambda: pushed.replies, "the first answer is there")
    unfinished = head[:7] not in pushed.summary
    os.kill(worker, signal.SIGKILL)
    service.github.latency = 0.0
    service.until(lambda: head[:7] in pushed.summary, "another worker goes on")
    service.at_rest()

    assert unfinished
    weak, last_page, logged = [one for one in pull.threads if one.reply_to is None]
    assert sorted(pushed.replies) == [
        (weak.id, f"Fixed in {head[:7]}."),
        (last_page.id, f"Fixed in {head[:7]}."),
    ]
    assert "token is logged" in logged.body
    assert len([one for one in pull.reviews if one.body]) == 2
    assert len(pull.comments) == 1
    assert len([one for one in repository.checks if one.head == head]) == 1
    assert len(_ROW.findall(pushed.summary)) == 2
    settled, _ = service.calls(repository)
    assert len(settled) == 4, "each answer was paid once"


def test_a_change_that_becomes_risky_is_read_again_by_claude_and_not_the_other_way_round(
    service: Service,
) -> None:
    pushed = started(service)
    pushed.repository.content.commit("main", {".github/reviewbot.yml": "version: 1\n"})
    pushed.opened({PAGES: PAGES_WRONG}, title="Tidy pages")
    pushed.push({LOGIN: LOGIN_MENDED})  # with it the whole change is risky
    pushed.push({LOGIN: LOGIN_BASE})

    (first, second, third) = pushed.asked
    assert first == ([], [LAST_PAGE])
    assert sorted(second[0]) == sorted([f"    return {MENDED}", LAST_PAGE])
    assert second[1] == []
    assert third == ([], []), "what Claude has read is good enough for the local tier"
    assert len(pushed.pull.threads) == 1
