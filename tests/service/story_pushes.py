"""Stories of a pull request that is pushed to again and again."""

import re

from pushing import GUIDE_HEAD, LOGGED, MENDED, WEAK, Pushed, ten_pushes
from serving import EVER, Service


def test_ten_pushes_are_read_once_and_told_once(service: Service) -> None:
    pushed = ten_pushes(service)
    pull, heads = pushed.pull, [head[:7] for head in pushed.heads]

    assert pushed.asked == [
        ([f"    return {WEAK}"], ["    return total // size"]),
        ([f"    return {MENDED}"], []),
        ([LOGGED.rstrip("\n")], []),
        ([], ["    # The first of all."]),
        ([], []),
        ([], []),
        ([], []),
        ([], []),
        ([], []),
        ([], [GUIDE_HEAD.split("\n")[2]]),
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
    assert len([one for one in pull.reviews if one.body]) == 2, "pushes 1 and 3 had news for lines"
    assert len(pull.comments) == 1
    print(pushed.summary, pushed.requests)
