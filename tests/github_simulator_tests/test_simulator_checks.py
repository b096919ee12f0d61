"""Check runs grow by batches of annotations."""

from typing import Any

import pytest
from github_simulator.server import TOKEN

CHECKS = "/repos/acme/shop/check-runs"


def output(annotations: int, **more: str) -> dict[str, Any]:
    one = {
        "path": "a.py",
        "start_line": 5,
        "end_line": 5,
        "annotation_level": "warning",
        "message": "Hm.",
    }
    return {"title": "T", "summary": "S", "annotations": [one] * annotations, **more}


def test_annotations_add_up(shop, pull, ask, token) -> None:
    head = shop.ends(pull)[1]
    run = {"name": "reviewbot", "head_sha": head, "external_id": "x"}

    made = ask(token, "POST", CHECKS, {**run, "output": output(50)}).json()
    ended = {"conclusion": "neutral", "output": output(20)}
    ask(token, "PATCH", f"{CHECKS}/{made['id']}", ended)

    found = ask(token, "GET", f"/repos/acme/shop/commits/{head}/check-runs").json()
    assert found["total_count"] == 1
    assert found["check_runs"][0]["status"] == "completed"
    assert found["check_runs"][0]["output"]["annotations_count"] == 70
    assert found["check_runs"][0]["pull_requests"][0]["number"] == 1
    listed = ask(token, "GET", f"{CHECKS}/{made['id']}/annotations", per_page="100")
    assert len(listed.json()) == 70


@pytest.mark.parametrize(
    "wrong",
    [
        {"head_sha": "0" * 40},
        {"status": "completed"},
        {"conclusion": "fine"},
        {"output": output(51)},
        {"output": output(0, summary="x" * 65_536)},
        {"output": {"title": "only"}},
    ],
)
def test_checks_that_github_refuses(shop, pull, ask, token, wrong) -> None:
    run = {"name": "reviewbot", "head_sha": shop.ends(pull)[1], **wrong}

    assert ask(token, "POST", CHECKS, run).status_code == 422
    assert shop.checks == []


def test_checks_are_for_apps_and_each_has_its_own(simulator, shop, pull, ask, token) -> None:
    run = {"name": "reviewbot", "head_sha": shop.ends(pull)[1]}
    made = ask(token, "POST", CHECKS, run).json()

    assert ask(TOKEN, "POST", CHECKS, run).status_code == 403
    changed = ask(TOKEN, "PATCH", f"{CHECKS}/{made['id']}", {"conclusion": "success"})
    assert changed.status_code == 403
