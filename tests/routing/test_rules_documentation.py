"""What docs/rules.md shows is true."""

import re
import runpy
from pathlib import Path

import pytest

from reviewbot.config.policy import load_policy
from reviewbot.config.rule_document import MAX_PATTERN_LENGTH, MAX_PATTERNS, MAX_RULES, RuleEntry
from reviewbot.errors import DocumentError
from reviewbot.routing.examples import missing_examples, run_examples
from reviewbot.routing.rules import load_rules, shipped_rules

DOCUMENT = (Path(__file__).parents[2] / "docs" / "rules.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)


@pytest.mark.parametrize("text", [block for block in BLOCKS if block.startswith("area:")])
def test_every_rule_file_shown_is_valid_and_its_examples_hold(text: str):
    rules = load_rules({"shown.yml": text})

    assert run_examples(rules) == []
    assert missing_examples(rules) == []


def test_the_policy_shown_is_valid():
    (text,) = [block for block in BLOCKS if block.startswith("route:")]

    assert load_policy(text).route.rules[0].id == "own.cipher"


def test_the_error_shown_is_the_error_that_comes():
    text = "area: a\ntitle: A\n# three\n# more\nrules:\n  - id: a\n    why: w\n    added:\n      - 'foo(?=bar)'\n"

    with pytest.raises(DocumentError) as caught:
        load_rules({"my-rules.yml": text})

    assert str(caught.value) in DOCUMENT


def test_the_table_of_shipped_rules_is_up_to_date():
    script = Path(__file__).parents[2] / "docs" / "rules_table.py"

    assert runpy.run_path(str(script))["with_table"](DOCUMENT) == DOCUMENT, f"run {script}"


def test_every_key_of_a_rule_is_described():
    for name, info in RuleEntry.model_fields.items():
        assert f"`{info.alias or name}`" in DOCUMENT


def test_limits_and_the_rules_named_are_the_real_ones():
    assert shipped_rules().rule("payments.tax")
    limits = f"{MAX_RULES} rules (a policy 50); a list of patterns has at most {MAX_PATTERNS}"
    assert limits in " ".join(DOCUMENT.split())
    assert f"{MAX_PATTERN_LENGTH:,} characters".replace(",", " ") in " ".join(DOCUMENT.split())
