"""The JSON form keeps its promise."""

import json
from decimal import Decimal

from publishing.sample_reviews import shop_review

from reviewbot.publishing.result import review_json


def test_the_json_form_has_the_promised_keys() -> None:
    data = json.loads(json.dumps(review_json(shop_review())))

    assert data["schema"] == 1
    assert {"change", "route", "findings", "coverage", "calls", "cost", "egress"} <= data.keys()
    assert {"tier", "areas", "certainty", "scores", "reasons", "files"} <= data["route"].keys()
    assert {"rule", "area", "path", "line", "why"} <= data["route"]["reasons"][0].keys()
    assert {"path", "kind", "tier", "areas", "reasons"} <= data["route"]["files"][0].keys()
    assert {
        "path", "line", "end_line", "side", "severity", "category", "title", "body", "suggestion",
        "confidence", "engine", "fingerprint", "anchored",
    } <= data["findings"][0].keys()  # fmt: skip
    assert data["coverage"][0].keys() == {"path", "status", "engine", "reason"}
    assert {"total_usd", "claude_usd", "local_usd", "all_claude_usd", "joules"} <= data[
        "cost"
    ].keys()
    assert data["egress"][0].keys() == {"path", "bytes", "redactions"}


def test_money_is_a_decimal_string() -> None:
    cost = json.loads(json.dumps(review_json(shop_review())))["cost"]

    assert cost["total_usd"] == "0.041296"
    assert Decimal(cost["claude_usd"]) + Decimal(cost["local_usd"]) == Decimal(cost["total_usd"])
