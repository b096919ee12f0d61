"""The SARIF form, against the official schema."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator
from publishing.sample_reviews import hostile_review, large_review, scripted_review, shop_review

from reviewbot.publishing.result import Review
from reviewbot.publishing.sarif import sarif

SCHEMA = Path(__file__).parents[1] / "data" / "sarif-schema-2.1.0.json"


@pytest.fixture(scope="module")
def validator() -> Draft4Validator:
    return Draft4Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def run_of(review: Review) -> dict[str, Any]:
    """The only run, as a reader of the JSON text gets it."""
    run: dict[str, Any] = json.loads(json.dumps(sarif(review)))["runs"][0]
    return run


@pytest.mark.parametrize(
    "review", [shop_review(), scripted_review(), hostile_review(), large_review(30, 50)]
)
def test_the_form_is_valid(validator: Draft4Validator, review: Review) -> None:
    log = json.loads(json.dumps(sarif(review)))

    assert [error.message for error in validator.iter_errors(log)] == []


def test_a_schema_that_accepts_anything_would_be_noticed(validator: Draft4Validator) -> None:
    assert list(validator.iter_errors({"version": "2.1.0", "runs": [{"tool": {}}]}))


def test_a_finding_has_its_place_level_and_fix() -> None:
    result = run_of(shop_review())["results"][0]

    assert result["ruleId"] == "reviewbot/correctness"
    assert result["level"] == "error"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "shop/refund.py", "uriBaseId": "%SRCROOT%"}
    assert (place["region"]["startLine"], place["region"]["endLine"]) == (41, 43)
    replacement = result["fixes"][0]["artifactChanges"][0]["replacements"][0]
    assert replacement["deletedRegion"] == {"startLine": 41, "endLine": 43}
    assert replacement["insertedContent"]["text"] == shop_review().findings[0].suggestion
    assert result["partialFingerprints"] == {"reviewbot/v1": shop_review().findings[0].fingerprint}


def test_removed_lines_and_unplaced_findings_name_the_file_only() -> None:
    _, removed, loose = run_of(shop_review())["results"]

    assert "region" not in removed["locations"][0]["physicalLocation"]
    assert "removed lines 11 to 12" in removed["message"]["text"]
    assert "region" not in loose["locations"][0]["physicalLocation"]
    assert "the quoted code is not in the diff" in loose["message"]["text"]


def test_an_analysers_rule_keeps_its_name() -> None:
    review = shop_review()
    finding = replace(review.findings[0], engine="ruff", rule="S608")

    run = run_of(replace(review, findings=(finding,)))

    assert run["results"][0]["ruleId"] == "ruff/S608"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["ruff/S608"]


def test_an_incomplete_review_is_no_successful_execution() -> None:
    good, bad = run_of(shop_review())["invocations"][0], run_of(scripted_review())["invocations"][0]

    assert good["executionSuccessful"] is True
    assert bad["executionSuccessful"] is False
    assert bad["toolExecutionNotifications"][0]["level"] == "error"


def test_hostile_texts_are_escaped() -> None:
    result = run_of(hostile_review())["results"][0]

    text = result["message"]["text"]
    assert not re.search(r"(?<!\\)[\[\]]", text)
    assert "\x1b" not in text
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "src/%5Bred%5D%20%C3%A9%60%7C%40octocat.py"
    assert "fixes" not in result
