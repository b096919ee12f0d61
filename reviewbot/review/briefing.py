"""What a change's prompts are made of, beside its own text: who asks for what, and what is known."""

from pathspec import GitIgnoreSpec

from reviewbot.change.model import Change
from reviewbot.change.source import Fetched
from reviewbot.config.policy import Policy
from reviewbot.privacy.egress import NeverSend
from reviewbot.review.evidence import Analysis, Evidence
from reviewbot.review.prompt import Briefing
from reviewbot.routing.model import Route


def briefing_of(
    fetched: Fetched, policy: Policy, analysis: Analysis, never_send: NeverSend
) -> Briefing:
    """What all prompts of a change share."""
    by_path: dict[str, list[Evidence]] = {}
    for evidence in analysis.evidence:
        by_path.setdefault(evidence.path, []).append(evidence)
    return Briefing(
        change=fetched.change,
        guidelines=fetched.guidelines if policy.review.guidelines else (),
        instructions=policy.review.instructions,
        path_instructions=_instructions(policy, fetched.change),
        language=policy.review.language,
        evidence=by_path,
        checklists=policy.review.checklists,
        fixes=policy.review.fixes,
        never_send=frozenset(file.path for file in fetched.change.files if never_send.covers(file)),
    )


def _instructions(policy: Policy, change: Change) -> dict[str, str]:
    """path → the policy's instructions for it."""
    texts: dict[str, list[str]] = {}
    for entry in policy.review.path_instructions:
        spec = GitIgnoreSpec.from_lines(entry.paths)
        for file in change.files:
            if spec.match_file(file.path):
                texts.setdefault(file.path, []).append(entry.text)
    return {path: "\n".join(found) for path, found in texts.items()}


def file_notes(route: Route) -> dict[str, str]:
    """path → why it was flagged, for the file's heading in the prompt."""
    return {
        file.path: "; ".join(dict.fromkeys(match.why for match in file.reasons[:3]))
        for file in route.files
        if file.reasons
    }
