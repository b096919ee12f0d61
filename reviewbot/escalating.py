"""Doubtful findings of the local model put to Claude, each with nothing but its own lines."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from reviewbot.errors import EngineError
from reviewbot.reading import Talk
from reviewbot.review.assemble import failure
from reviewbot.review.engine import EngineFacts, Reply
from reviewbot.review.finding import Finding
from reviewbot.review.prompt import SECOND, Briefing, compose
from reviewbot.review.second import (
    PURPOSE,
    WITHDRAWN,
    Word,
    after,
    around,
    doubtful,
    parse_second,
)
from reviewbot.review.units import pack
from reviewbot.review.verify import Standing, asked_about
from reviewbot.review.work import Job, unit_budget
from reviewbot.routing.wording import plural

#: Longest answer asked for, tokens.
MAX_OUTPUT_TOKENS = 400


def second_opinions(talk: Talk, standing: Standing, briefing: Briefing) -> None:
    """Settle the doubtful findings in `standing` as Claude says.

    Nothing that fails here fails the review: such a finding stands. Raises PrivacyError if
    redaction fails.
    """
    claude, policy = talk.lineup.get("claude"), talk.policy.escalate
    if claude is None or not policy.max_per_pr:
        return
    wanted = doubtful(standing.findings, talk.lineup, policy)
    kept = [finding for finding in wanted if finding.path in briefing.never_send]
    asked = {finding: _job(finding, n, talk, briefing, claude) for n, finding in enumerate(wanted)}
    jobs = {finding: job for finding, job in asked.items() if job and finding not in kept}
    problem, replies = "", dict[Finding, Reply]()
    try:
        answers = talk.ask(list(jobs.values())) if jobs else []
        replies = {finding: each.reply for finding, each in zip(jobs, answers, strict=True)}
    except EngineError as error:
        problem = str(error)
    _settle(standing, replies, claude.name)
    if kept:
        standing.notes.append(
            f"second opinion: {plural(len(kept), 'finding')} not put to Claude (never_send)"
        )
    if problem:
        standing.notes.append(f"second opinion: Claude was not asked: {problem}")


def _job(
    finding: Finding, number: int, talk: Talk, briefing: Briefing, claude: EngineFacts
) -> Job | None:
    """The question about one finding; None where its lines fit no prompt."""
    if finding.path in briefing.never_send:
        return None
    small = around(finding, talk.change.by_path[finding.path])
    alone = replace(
        briefing,
        change=replace(briefing.change, files=(small,), description=""),
        guidelines=(),
        evidence={},
    )
    units = pack([small], unit_budget(claude, alone), sources=talk.texts).units
    for unit in units:
        if len(units) == 1 or any(
            finding.line in part for section in unit.sections for part in section.lines
        ):
            composed = compose(
                alone,
                replace(unit, index=number),
                1,
                external=claude.external,
                max_output_tokens=MAX_OUTPUT_TOKENS,
                task=SECOND,
            )
            asked = asked_about(composed, "The finding:", [finding], claude)
            return Job("claude", replace(unit, index=number), 1, asked, purpose=PURPOSE)
    return None


def _settle(standing: Standing, replies: Mapping[Finding, Reply], engine: str) -> None:
    counts: Counter[str] = Counter()
    findings: list[Finding] = []
    for finding in standing.findings:
        reply = replies.get(finding)
        opinion = parse_second(reply.text) if reply and reply.text else None
        if opinion is None:
            findings.append(finding)
            if reply:
                counts[f"no answer ({failure(reply) or 'it could not be read'})"] += 1
            continue
        counts[_WORDS[opinion.verdict]] += 1
        if settled := after(finding, opinion, engine):
            findings.append(settled)
        else:
            standing.dropped[WITHDRAWN] += 1
    standing.findings = findings
    if counts:
        said = ", ".join(f"{count} {word}" for word, count in counts.items())
        standing.notes.append(
            f"second opinion: Claude was asked about {plural(len(replies), 'finding')}: {said}"
        )


_WORDS: Mapping[Word, str] = {
    Word.CONFIRM: "confirmed",
    Word.CORRECT: "corrected",
    Word.WITHDRAW: "withdrawn",
}
