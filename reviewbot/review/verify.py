"""A second question about the findings of a unit: are they true? What is called wrong is dropped."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from reviewbot.privacy.egress import EgressEntry
from reviewbot.privacy.redact import redact
from reviewbot.review.assemble import failure
from reviewbot.review.engine import EngineFacts, Reply
from reviewbot.review.finding import Finding
from reviewbot.review.prompt import ABOUT, VERIFY, Composed, quoted
from reviewbot.review.render import shown_path
from reviewbot.review.verdict import Verdict, parse_verdicts
from reviewbot.review.work import Job, output_tokens
from reviewbot.routing.wording import plural

#: The ledger's words for strategy `refine`: the local model's questions, and Claude's with drafts.
DRAFT, REFINED = "draft", "refine"
#: Findings of one unit that are judged; the others stand as they are.
MAX_JUDGED = 30
#: What is left of the confidence in a finding of which the judge is not sure.
UNSURE = 0.5
#: Longest text of a finding that is shown, characters.
MAX_BODY = 1_200
#: Room for one verdict, and for what stands around all of them, tokens.
_VERDICT_TOKENS, _FRAME_TOKENS = 48, 100


@dataclass(frozen=True)
class Trial:
    """Findings of one unit, to be judged by the engine that made them."""

    job: Job
    findings: tuple[Finding, ...]
    """The worst first; the first `MAX_JUDGED` are judged, numbered from 1."""


def trial(job: Job, findings: Sequence[Finding], facts: EngineFacts) -> Trial:
    """Put the findings of the unit of `job` on trial: what made them, asked about them after all
    that it was shown, so that nothing of this is computed anew. Raises PrivacyError if redaction
    fails."""
    worst_first = sorted(findings, key=lambda finding: finding.severity.rank)
    composed = _questioned(job.composed, worst_first[:MAX_JUDGED], facts)
    return Trial(replace(job, composed=composed, purpose="verify"), tuple(worst_first))


def _questioned(composed: Composed, findings: Sequence[Finding], facts: EngineFacts) -> Composed:
    asked = asked_about(composed, f"{VERIFY.instructions}\n\nThe findings:", findings, facts)
    room = _FRAME_TOKENS + _VERDICT_TOKENS * len(findings)
    prompt = replace(
        asked.prompt,
        schema=VERIFY.schema,
        max_output_tokens=min(room, output_tokens(facts)),
        sample=0,
        again=False,
        choices=tuple(str(number) for number in range(1, len(findings) + 1)),
    )
    return replace(asked, prompt=prompt)


def asked_about(
    composed: Composed, head: str, findings: Sequence[Finding], facts: EngineFacts
) -> Composed:
    """The prompt with these findings after it, numbered from 1. Raises PrivacyError if redaction
    fails."""
    texts, egress = [head], list(composed.egress)
    for number, finding in enumerate(findings, 1):
        text = _shown(number, finding)
        if facts.external:
            cleaned = redact(text)
            text = cleaned.text
            path = finding.path if finding.path in composed.prompt.paths else ABOUT
            egress.append(EgressEntry(path, len(text.encode()), cleaned.count))
        texts.append(text)
    prompt = replace(composed.prompt, question="\n\n".join(texts))
    return replace(composed, prompt=prompt, egress=tuple(egress))


def _shown(number: int, finding: Finding) -> str:
    place = "no line" if finding.line is None else f"lines {finding.line} to {finding.end_line}"
    if finding.side == "LEFT":
        place += " of the old file"
    head = f"Finding {number}: {shown_path(finding.path)}, {place}, {finding.severity}"
    said = "\n".join([finding.title, finding.body])
    return f"{head}, {finding.category}\n{quoted(said, MAX_BODY)}"


@dataclass
class Standing:
    """The findings that stand, what became of the others, and what people should know of it."""

    findings: list[Finding] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    """Reason → how many."""
    notes: list[str] = field(default_factory=list)

    def judged(self, trials: Sequence[Trial], replies: Sequence[Reply]) -> None:
        """Sort out the findings of trials by their verdicts; without one a finding stands."""
        for each, reply in zip(trials, replies, strict=True):
            verdicts = parse_verdicts(reply.text) if reply.text else None
            if verdicts is None:
                self.unjudged([each], failure(reply) or "the answer could not be read")
            else:
                self._sort(each, verdicts)

    def unjudged(self, trials: Sequence[Trial], why: str) -> None:
        """The findings of trials that came to nothing stand."""
        for each in trials:
            self.findings += each.findings
            self._note(each, len(each.findings), why)

    def _sort(self, trial: Trial, verdicts: Mapping[int, Verdict]) -> None:
        missing = 0
        for number, finding in enumerate(trial.findings, 1):
            verdict = verdicts.get(number) if number <= MAX_JUDGED else None
            missing += verdict is None
            if verdict is Verdict.WRONG:
                self.dropped["judged wrong"] += 1
            elif verdict is Verdict.UNSURE:
                self.findings.append(replace(finding, confidence=finding.confidence * UNSURE))
            else:
                self.findings.append(finding)
        if missing:
            self._note(trial, missing, "no verdict on them")

    def _note(self, trial: Trial, count: int, why: str) -> None:
        part = trial.job.unit.index + 1
        self.notes.append(f"part {part}: {plural(count, 'finding')} not judged: {why}")
