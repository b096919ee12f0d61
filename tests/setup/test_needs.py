"""The one list of what the App needs is what the code uses."""

from reviewbot.github import needs
from reviewbot.github.app import PERMISSIONS, READING
from reviewbot.service import monthly, webhook

MONTHLY = ["--monthly-issue"]


def test_every_event_that_is_read_is_subscribed_to_or_sent_anyway() -> None:
    assert {*needs.EVENTS, *needs.UNASKED} == set(webhook._READERS)


def test_no_token_asks_for_more_than_the_app_has() -> None:
    for wanted, extras in ((PERMISSIONS, []), (READING, []), (monthly.PERMISSIONS, MONTHLY)):
        granted = needs.permissions(extras)

        assert needs.compare(granted, needs.EVENTS, extras) == needs.Difference()
        assert not [n for n, level in wanted.items() if level == "write" != granted[n]]
        assert set(wanted) <= set(granted)


def test_a_difference_is_named_with_its_level() -> None:
    granted = {"metadata": "read", "contents": "write", "checks": "read", "members": "read"}
    told = ["push", "pull_request", "installation"]

    seen = needs.compare(granted, told)

    assert seen.missing == ("pull_requests: write", "checks: write", "issues: read")
    assert seen.superfluous == ("members: read",)  # contents: write is what some want
    assert seen.deaf == (
        "issue_comment",
        "pull_request_review_comment",
        "pull_request_review_thread",
        "check_run",
    )
    assert seen.unused == ("push",)
