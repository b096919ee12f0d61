"""A review as SARIF 2.1.0, for code-scanning services and editors."""

from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any
from urllib.parse import quote

from reviewbot import __version__
from reviewbot.privacy.invisible import escape_invisible
from reviewbot.publishing.figures import coverage_line
from reviewbot.publishing.markdown import safe_markdown
from reviewbot.publishing.prose import blocks, pieces
from reviewbot.publishing.result import Review
from reviewbot.review.answer import Category, Severity
from reviewbot.review.finding import Finding

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
_LEVELS: Mapping[Severity, str] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}
_ABOUT: Mapping[Category, str] = {
    Category.CORRECTNESS: "The code does not do what it should.",
    Category.SECURITY: "The code can be misused.",
    Category.CONCURRENCY: "The code errs when things happen at the same time.",
    Category.DATA_LOSS: "Data can be lost or damaged.",
    Category.PERFORMANCE: "The code is slower or larger than it should be.",
    Category.API: "The interface breaks or misleads its users.",
    Category.TESTS: "The tests miss or hide something.",
    Category.MAINTAINABILITY: "The code is hard to understand or to change.",
}


def sarif(review: Review) -> dict[str, Any]:
    """The review as one SARIF run. All texts are inert: no links, no Markdown that acts."""
    rules = _rules(review.findings)
    places = {rule["id"]: index for index, rule in enumerate(rules)}
    run = {
        "tool": {"driver": {"name": "reviewbot", "version": __version__, "rules": rules}},
        "invocations": [_invocation(review)],
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The repository's root."}}},
        "results": [_result(finding, places) for finding in review.findings],
        "properties": {
            "scripted": review.scripted,
            "complete": review.complete,
            "coverage": coverage_line(review.coverage),
            "cost": review.cost.to_json(),
        },
    }
    if provenance := _provenance(review):
        run["versionControlProvenance"] = [provenance]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule_id(finding: Finding) -> str:
    """`ruff/S608` for an analyser's rule, else `reviewbot/` and the category."""
    if finding.rule:
        return escape_invisible(f"{finding.engine}/{finding.rule}")
    return f"reviewbot/{finding.category}"


def _rules(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    rules: dict[str, dict[str, Any]] = {}
    for finding in findings:
        name = _rule_id(finding)
        about = (
            f"Rule {name.partition('/')[2]} of {finding.engine}."
            if finding.rule
            else _ABOUT[finding.category]
        )
        rules.setdefault(
            name,
            {
                "id": name,
                "shortDescription": {"text": _literal(about)},
                "properties": {"tags": [finding.category.value]},
            },
        )
    return [rules[name] for name in sorted(rules)]


def _result(finding: Finding, places: Mapping[str, int]) -> dict[str, Any]:
    rule = _rule_id(finding)
    result: dict[str, Any] = {
        "ruleId": rule,
        "ruleIndex": places[rule],
        "level": _LEVELS[finding.severity],
        "message": _message(finding),
        "locations": [{"physicalLocation": _location(finding)}],
        "properties": {
            "engine": finding.engine,
            "agreed": list(finding.agreed),
            "confidence": finding.confidence,
            "severity": finding.severity.value,
            "category": finding.category.value,
            "side": finding.side,
            "anchored": finding.anchored,
            "scripted": finding.scripted,
        },
    }
    if finding.fingerprint:
        result["partialFingerprints"] = {"reviewbot/v1": finding.fingerprint}
    if finding.line is not None and finding.side == "RIGHT" and _visible(finding.suggestion):
        result["fixes"] = [_fix(finding)]
    return result


def _visible(suggestion: str | None) -> bool:
    """There is one, and people see all of it before they apply it."""
    return suggestion is not None and escape_invisible(suggestion) == suggestion


def _message(finding: Finding) -> dict[str, str]:
    """Title and body, with what the location can't say."""
    notes = []
    if finding.scripted:
        notes.append("SCRIPTED: written by hand for a demonstration.")
    if not finding.anchored:
        notes.append(f"No place in the diff: {finding.unanchored_reason}.")
    elif finding.side == "LEFT":
        notes.append(f"About removed lines {finding.line} to {finding.end_line} of the old file.")
    body = "\n\n".join([finding.title, *notes, finding.body])
    text = "\n\n".join([finding.title, *notes, _text(finding.body)])
    return {"text": _literal(text), "markdown": safe_markdown(body)}


def _text(markdown: str) -> str:
    """A model's Markdown as plain text."""
    return "\n".join(
        block.text if block.kind == "code" else "".join(piece.text for piece in pieces(block.text))
        for block in blocks(markdown)
    )


def _literal(text: str) -> str:
    """Plain text in which SARIF finds no embedded link (`[words](target)`, SARIF §3.11.6)."""
    escaped = text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return escape_invisible(escaped)


def _location(finding: Finding) -> dict[str, Any]:
    """The file; with its lines where they are lines of the new file."""
    location: dict[str, Any] = {"artifactLocation": _artifact(finding)}
    if finding.line is not None and finding.side == "RIGHT":
        location["region"] = _region(finding)
        if finding.quote:
            location["region"]["snippet"] = {"text": escape_invisible(finding.quote)}
    return location


def _artifact(finding: Finding) -> dict[str, str]:
    uri = quote(finding.path.encode("utf-8", "surrogateescape"), safe="/")
    return {"uri": uri, "uriBaseId": _ROOT}


def _region(finding: Finding) -> dict[str, Any]:
    return {"startLine": finding.line, "endLine": finding.end_line}


def _fix(finding: Finding) -> dict[str, Any]:
    """Whole lines without their last line feed, as a region without columns is defined."""
    replacement = {
        "deletedRegion": _region(finding),
        "insertedContent": {"text": finding.suggestion},
    }
    return {
        "description": {"text": "Suggested change."},
        "artifactChanges": [
            {"artifactLocation": _artifact(finding), "replacements": [replacement]}
        ],
    }


def _invocation(review: Review) -> dict[str, Any]:
    notices = [("error", text) for text in review.attention]
    notices += [("note", text) for text in dict.fromkeys(review.notes)]
    return {
        "executionSuccessful": review.complete,
        "startTimeUtc": review.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "toolExecutionNotifications": [
            {"level": level, "message": {"text": _literal(text)}} for level, text in notices
        ],
    }


def _provenance(review: Review) -> dict[str, Any] | None:
    """The repository, where its name is one of a host: a folder's name has no owner."""
    change = review.change
    if not change.repository or change.repository.count("/") != 1 or not change.number:
        return None
    found = {
        "repositoryUri": f"https://github.com/{quote(change.repository)}",
        "mappedTo": {"uriBaseId": _ROOT},
    }
    return {**found, "revisionId": change.head} if change.head else found
