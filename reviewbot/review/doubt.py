"""The question whether a change needs a careful review, where no rule flags it.

About a change that the rules leave in doubt it is put to the local model, shown all of it, or to Claude,
shown no code but the blocks that made it doubtful: such a change goes to Claude unless the model says
clearly that it needs no careful review. About an ordinary change it is put to the local model, and only
a clear yes sends it to Claude.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from reviewbot.change.model import Change, FileChange
from reviewbot.config.policy import Policy
from reviewbot.review.assemble import failure
from reviewbot.review.briefing import file_notes
from reviewbot.review.engine import EngineFacts, Reply, Role, stands_for
from reviewbot.review.prompt import ROUTE, Briefing, Composed, compose
from reviewbot.review.risk import Opinion, parse_risk
from reviewbot.review.work import Counting, Job, packed_for
from reviewbot.routing.model import Match, Route, Tier
from reviewbot.routing.rules import Area
from reviewbot.routing.seen import RULED

#: Longest answer asked for, tokens.
MAX_OUTPUT_TOKENS = 160
#: Why a file goes to Claude that no rule sends there.
RAISED = "the local model says that it needs a careful review"


def with_uncertain(policy: Policy, tier: Literal["claude", "local"]) -> Policy:
    """The policy, with this tier for changes in doubt."""
    route = policy.route.model_copy(update={"uncertain": tier})
    return policy.model_copy(update={"route": route})


def doubt_job(
    route: Route,
    areas: Mapping[str, Area],
    briefing: Briefing,
    role: Role,
    facts: EngineFacts | None,
    *,
    sources: Mapping[str, str],
    count: Counting | None = None,
) -> Job | str:
    """The question to the engine of a role: about the files that are read at all, or, to Claude, about
    the blocks that made them doubtful, or all that it may see where none did (a title). Why it can't
    be asked, where the engine can't be shown all of that. Raises PrivacyError if redaction fails."""
    if facts is None:
        return "none is configured"
    change, read = briefing.change, {f.path for f in route.files if f.tier is not Tier.SKIP}
    files = [file for file in change.files if file.path in read]
    if change.missing_files or any(file.patch_missing for file in files):
        return "the host does not show all of the change"
    if stands_for(role) == "claude":
        files = _doubtful(route, files) or [f for f in files if f.path not in briefing.never_send]
        part = replace(change, files=tuple(files), description="")
        briefing = replace(briefing, change=part, guidelines=())
    if facts.external and any(file.path in briefing.never_send for file in files):
        return "it may not see all of the change (never_send)"
    if not files:
        return "nothing of the change may be shown to it"
    packed = packed_for(
        role,
        facts,
        files,
        briefing,
        sources=sources,
        notes=file_notes(route),
        count=count,
        task=ROUTE,
    )
    if len(packed.units) != 1 or packed.left_out:
        return "the change is too long for it"
    [unit] = packed.units
    composed = compose(
        briefing,
        unit,
        1,
        external=facts.external,
        max_output_tokens=MAX_OUTPUT_TOKENS,
        task=ROUTE,
    )
    return Job(role, unit, 1, _naming(composed, areas), purpose="route")


def _naming(composed: Composed, areas: Mapping[str, Area]) -> Composed:
    """The prompt with the areas at its end, of which the answer may name one."""
    lines = [f"- {area.name}: {area.title}" for area in areas.values()]
    unit = "\n\n".join([composed.prompt.unit, "\n".join(["The areas:", *lines])])
    prompt = replace(composed.prompt, unit=unit, choices=tuple(areas))
    return replace(composed, prompt=prompt)


def _doubtful(route: Route, files: Sequence[FileChange]) -> list[FileChange]:
    """The files that hold evidence, each with nothing but the hunks in which it stands."""
    found = []
    for file in files:
        if reasons := route.file(file.path).reasons:
            hunks = tuple(file.hunks[index] for index in sorted(_standing(reasons, file)))
            found.append(replace(file, hunks=hunks))
    return found


def _standing(reasons: Sequence[Match], file: FileChange) -> set[int]:
    """Indexes of the hunks in which the evidence stands; of all where it stands on no line, or on
    several, of which a match names the first only."""
    found = set()
    for match in reasons:
        place = file.by_number.get((match.side, match.line or 0))
        if place is None or match.lines > 1:
            return set(range(len(file.hunks)))
        found.add(place[0])
    return found


def opinion_of(reply: Reply) -> Opinion | str:
    """What the model thinks, or why nobody knows."""
    opinion = parse_risk(reply.text) if reply.text else None
    return opinion or failure(reply) or "its answer could not be read"


def settled(
    careful: Route, spared: Route, opinion: Opinion | str, *, who: str = "the local model"
) -> Route:
    """The careful route, or the other one after a clear no; with the model's word as a note."""
    if isinstance(opinion, str):
        note = f"uncertain; no answer of {who}, so it goes to Claude: {opinion}"
        return replace(careful, notes=(*careful.notes, note))
    word = f"{opinion.area}: {opinion.why}" if opinion.risky else opinion.why
    answer = "yes" if opinion.risky else "no"
    note = f'uncertain; {who}, asked if it needs care, says {answer}: "{word}"'
    route = careful if opinion.risky else spared
    return replace(route, notes=(*route.notes, note))


def about_code(change: Change, route: Route) -> Route:
    """The route with nothing to read but the files that rules look at, as far as they show a line; the
    tier SKIP where there is none."""
    code = {file.path for file in change.files if file.kind in RULED and file.hunks}
    files = tuple(
        file if file.path in code else file._replace(tier=Tier.SKIP) for file in route.files
    )
    tier = route.tier if any(file.tier is not Tier.SKIP for file in files) else Tier.SKIP
    return replace(route, tier=tier, files=files)


def raised(ordinary: Route, opinion: Opinion | str, areas: Mapping[str, Area]) -> Route:
    """The route of a change that no rule sends to Claude: there, but for files that may not leave, after
    a clear yes of the local model; as it is after anything else. The model's word is a note."""
    asked = "no rule sends it to Claude; the local model, asked if it needs care,"
    if isinstance(opinion, str):
        note = f"{asked} gives no answer: {opinion}"
        return replace(ordinary, notes=(*ordinary.notes, note))
    if not opinion.risky:
        return replace(ordinary, notes=(*ordinary.notes, f'{asked} says no: "{opinion.why}"'))
    notes = (*ordinary.notes, f'{asked} says yes: "{opinion.area}: {opinion.why}"')
    files = tuple(
        file._replace(tier=Tier.CLAUDE, why=RAISED)
        if file.tier is Tier.LOCAL and file.why != "never_send"
        else file
        for file in ordinary.files
    )
    if files == ordinary.files:
        return replace(ordinary, notes=notes)
    return replace(
        ordinary,
        tier=Tier.CLAUDE,
        areas=tuple(area for area in areas if area == opinion.area),
        certainty="uncertain",
        files=files,
        why=f"Claude: {RAISED}. By the rules: {ordinary.why}",
        notes=notes,
    )


def unchanged(spared: Route) -> Route:
    """The route of a change of which nothing is new: nobody is asked of it again."""
    note = "all of it has been read before, so nobody is asked again if it needs care"
    return replace(spared, notes=(*spared.notes, note))
