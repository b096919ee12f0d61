"""Writes the table of shipped rules in rules.md from the rule files."""

from pathlib import Path

from reviewbot.routing.rules import RuleSet, shipped_rules

DOCUMENT = Path(__file__).parent / "rules.md"
START, END = "<!-- rules: written by docs/rules_table.py -->", "<!-- end of rules -->"


def rules_table(rules: RuleSet) -> str:
    """The table: one row for each rule, in the order of the files."""
    rows = ["| Rule | Weight | Why |", "|---|---|---|"]
    rows += [f"| `{rule.id}` | {rule.weight:g} | {rule.why} |" for rule in rules.rules]
    return "\n".join(rows)


def with_table(document: str) -> str:
    """The document with the table between its two marks. Raises ValueError if one is missing."""
    start, end = document.index(START) + len(START), document.index(END)
    return f"{document[:start]}\n{rules_table(shipped_rules())}\n{document[end:]}"


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
