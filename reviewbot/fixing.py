"""Changes proposed for the findings that stand: first what is wrong is decided, then how to mend it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from reviewbot.costs.calls import Call
from reviewbot.errors import EngineError
from reviewbot.reading import Talk
from reviewbot.review.assemble import Read, failure
from reviewbot.review.engine import Role
from reviewbot.review.finding import Finding
from reviewbot.review.fix import (
    MAX_ASKED,
    PURPOSE,
    around_all,
    found_by,
    mendable,
    parse_fixes,
    within,
)
from reviewbot.review.prompt import FIX, Briefing, compose
from reviewbot.review.suggestion import Suggestions
from reviewbot.review.units import Unit, pack
from reviewbot.review.verify import asked_about
from reviewbot.review.work import Job, output_tokens, unit_budget
from reviewbot.routing.wording import plural

#: Room for one replacement, and for what stands around all of them, tokens.
_FIX_TOKENS, _FRAME_TOKENS = 300, 100


@dataclass(frozen=True)
class _Question:
    """What is asked about some findings of one engine."""

    job: Job
    findings: tuple[Finding, ...]
    """Numbered from 1."""


class Fixed(NamedTuple):
    """What became of the findings that are shown."""

    findings: tuple[Finding, ...]
    note: str = ""
    """For people; empty where nobody was to be asked."""
    answers: Sequence[tuple[Read, tuple[Call, ...]]] = ()
    """Every final reply, with the calls that it took."""


def with_fixes(talk: Talk, findings: Sequence[Finding], briefing: Briefing) -> Fixed:
    """The findings, each with a change that mends it where its own engine proposes one that
    applies.

    Nothing that fails here fails the review: such a finding stands as it is. Raises PrivacyError if
    redaction fails.
    """
    wanted = mendable(findings) if talk.policy.review.fixes else []
    if not wanted:
        return Fixed(tuple(findings))
    questions = list(_questions(talk, wanted, briefing))
    try:
        answers = talk.ask([each.job for each in questions]) if questions else []
    except EngineError as error:
        return Fixed(tuple(findings), f"fixes: none was proposed: {error}")
    mended: dict[Finding, Finding] = {}
    proposed, problems = 0, dict[str, None]()
    for question, (reply, _, _) in zip(questions, answers, strict=True):
        fixes = parse_fixes(reply.text) if reply.text else None
        if fixes is None:
            problems[failure(reply) or "an answer could not be read"] = None
        for number, code in (fixes or {}).items():
            if 1 <= number <= len(question.findings):
                proposed += 1
                mended |= _applied(talk, question.findings[number - 1], code)
    said = f"fixes: {proposed} proposed for {plural(len(wanted), 'finding')}, {len(mended)} apply"
    return Fixed(
        tuple(mended.get(finding, finding) for finding in findings),
        "; ".join([said, *problems]),
        [(Read(q.job, each.reply), each.calls) for q, each in zip(questions, answers, strict=True)],
    )


def _questions(talk: Talk, wanted: Sequence[Finding], briefing: Briefing) -> Iterator[_Question]:
    by_role: dict[Role, list[Finding]] = {}
    for finding in wanted:
        role = found_by(finding, talk.lineup)
        if role and not (
            talk.lineup.engines[role].external and finding.path in briefing.never_send
        ):
            by_role.setdefault(role, []).append(finding)
    number = 0
    for role, theirs in by_role.items():
        for start in range(0, len(theirs), MAX_ASKED):
            batch = theirs[start : start + MAX_ASKED]
            for alone, unit in _units(talk, role, batch, briefing):
                if shown := within(batch, unit):
                    yield _question(talk, role, replace(unit, index=number), shown, alone)
                    number += 1


def _units(
    talk: Talk, role: Role, batch: Sequence[Finding], briefing: Briefing
) -> Iterator[tuple[Briefing, Unit]]:
    """The blocks that the findings are in, and nothing else of the change."""
    by_path: dict[str, list[Finding]] = {}
    for finding in batch:
        by_path.setdefault(finding.path, []).append(finding)
    files = tuple(around_all(same, talk.change.by_path[path]) for path, same in by_path.items())
    change = replace(briefing.change, files=files, description="")
    alone = replace(briefing, change=change, guidelines=(), evidence={})
    budget = unit_budget(talk.lineup.engines[role], alone)
    for unit in pack(files, budget, sources=talk.texts).units:
        yield alone, unit


def _question(
    talk: Talk, role: Role, unit: Unit, shown: Sequence[Finding], alone: Briefing
) -> _Question:
    facts = talk.lineup.engines[role]
    room = _FRAME_TOKENS + _FIX_TOKENS * len(shown)
    composed = compose(
        alone,
        unit,
        1,
        external=facts.external,
        max_output_tokens=min(room, output_tokens(facts)),
        task=FIX,
    )
    asked = asked_about(composed, "The findings:", shown, facts)
    numbers = tuple(str(number) for number in range(1, len(shown) + 1))
    asked = replace(asked, prompt=replace(asked.prompt, choices=numbers))
    return _Question(Job(role, unit, 1, asked, purpose=PURPOSE), tuple(shown))


def _applied(talk: Talk, finding: Finding, code: str) -> dict[Finding, Finding]:
    """The finding with the change, if that applies to its lines."""
    source = talk.fetched.sources.head.get(finding.path)
    checks = Suggestions(talk.change.by_path[finding.path], source)
    fitting = checks.replacement(code, finding.line or 0, finding.end_line or 0)
    return {finding: replace(finding, suggestion=fitting)} if fitting else {}
