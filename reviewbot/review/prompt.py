"""The prompt of a unit: fixed instructions, what all units share, and the unit itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from importlib.resources import files as package_files
from typing import Any

from reviewbot.change.model import Change, FileChange
from reviewbot.change.source import Document
from reviewbot.change.tokens import estimate_tokens
from reviewbot.privacy.egress import EgressEntry
from reviewbot.privacy.invisible import escape_invisible
from reviewbot.privacy.redact import redact
from reviewbot.review.answer import answer_schema
from reviewbot.review.engine import Prompt
from reviewbot.review.evidence import Evidence
from reviewbot.review.fix import fix_schema
from reviewbot.review.render import cut_short, shown_path
from reviewbot.review.risk import risk_schema
from reviewbot.review.second import second_schema
from reviewbot.review.units import Unit, outline
from reviewbot.review.verdict import verdict_schema

#: Longest answer asked for, tokens: about twenty full findings.
MAX_OUTPUT_TOKENS = 4_096
#: Longest texts of people shown to a model, characters.
MAX_DESCRIPTION, MAX_GUIDELINES, MAX_INSTRUCTIONS = 2_000, 6_000, 4_000
#: The answer's schema and the chat's frame, tokens.
FRAME_TOKENS = 700
#: What stands outside the files, in receipts.
ABOUT = "(title, description, list of files, guidelines)"


@dataclass(frozen=True)
class Task:
    """What is asked about a unit."""

    name: str
    """Of the file with its instructions."""
    verb: str
    """What the first line asks to do with the unit."""
    schema: Mapping[str, Any]

    @cached_property
    def instructions(self) -> str:
        """The instructions, the same for every change."""
        return _prompt_file(self.name)


@cache
def _prompt_file(name: str) -> str:
    text = package_files("reviewbot.review") / "prompts" / f"{name}.md"
    return text.read_text(encoding="utf-8").strip()


REVIEW = Task("system", "Review", answer_schema())
DECIDE = Task("system", "Review", answer_schema(suggestions=False))
"""A review that says what is wrong and does not propose how to mend it: that is asked for later."""
VERIFY = Task("verify", "Review", verdict_schema())
"""Asked about a unit that was shown for its review: its instructions come last."""
REFINE = Task("refine", "Review", answer_schema())
"""Asked about a unit as for its review, with drafts: its instructions come last."""
ROUTE = Task("route", "Decide about", risk_schema())
SECOND = Task("second", "Judge the finding on", second_schema())
FIX = Task("fix", "Mend the findings on", fix_schema())


def system_prompt(*, checklists: bool = False, fixes: bool = False) -> str:
    """The instructions, the same for every review under one policy; with `fixes` without a word on
    suggestions."""
    text = REVIEW.instructions
    if fixes:
        kept = [line for line in text.split("\n") if not line.startswith("- suggestion:")]
        text = "\n".join(kept).replace('"suggestion", ', "")
    lists = ["", _prompt_file("checklists")] if checklists else []
    return "\n".join([text, *lists])


@dataclass(frozen=True)
class Briefing:
    """What all units of one change share."""

    change: Change
    guidelines: tuple[Document, ...] = ()
    instructions: str = ""
    """The policy's own instructions, from the default branch."""
    path_instructions: Mapping[str, str] = field(default_factory=dict)
    """path of the change → instructions of the policy that match it."""
    language: str = ""
    """Human language of the remarks, if not English."""
    evidence: Mapping[str, Sequence[Evidence]] = field(default_factory=dict)
    """path → what analysers said."""
    checklists: bool = False
    """The reviewer is given lists of questions to go through."""
    fixes: bool = False
    """How to mend what is found is asked for later."""
    in_part: bool = False
    """What was read for an earlier review is not shown."""
    never_send: frozenset[str] = frozenset()
    """Paths that no external engine may see, not even by name."""

    @property
    def system(self) -> str:
        """The instructions of a review."""
        return system_prompt(checklists=self.checklists, fixes=self.fixes)

    @cached_property
    def shared(self) -> str:
        """Title, description, outline, guidelines and instructions, for an engine of our own."""
        return self._shared(self.change.files)

    @cached_property
    def shared_outside(self) -> str:
        """The same for an external engine: without the names of files that must stay."""
        return self._shared([f for f in self.change.files if f.path not in self.never_send])

    def _shared(self, files: Sequence[FileChange]) -> str:
        change = self.change
        parts = [f"Title: {_one_line(change.title) or '(none)'}"]
        if change.description.strip():
            parts.append("Description:\n" + quoted(change.description, MAX_DESCRIPTION))
        hidden = len(change.files) - len(files)
        more = f"\n… and {hidden} files that are not shown" if hidden else ""
        parts.append(f"The whole change, {len(change.files)} files:\n{outline(files)}{more}")
        room = MAX_GUIDELINES
        for document in self.guidelines:
            if room <= 0:
                break
            parts.append(
                f"Guidelines of the project ({shown_path(document.path)}):\n"
                + quoted(document.text, room)
            )
            room -= len(document.text)
        if self.instructions.strip():
            parts.append(
                "What the project asks reviewers to look at:\n"
                + quoted(self.instructions, MAX_INSTRUCTIONS)
            )
        if self.language and self.language.lower() not in ("en", "english"):
            parts.append(f"Write title, body and walkthrough in: {_one_line(self.language)}")
        return "\n\n".join(parts)


@dataclass(frozen=True)
class Composed:
    """A prompt ready to send, and what must be known of it afterwards."""

    prompt: Prompt
    egress: tuple[EgressEntry, ...] = ()
    """What leaves this machine, if it is sent to an external engine."""
    shown: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """path → lines as redacted, for files where redaction changed any: quotes may come from it."""

    def sampled(self, sample: int, *, again: bool) -> "Composed":
        """The same for another answer (see `Prompt.sample` and `Prompt.again`)."""
        return replace(self, prompt=replace(self.prompt, sample=sample, again=again))


@cache
def system_tokens(instructions: str) -> int:
    """Estimated tokens of the instructions and of the answer's schema and the chat's frame."""
    return estimate_tokens(instructions) + FRAME_TOKENS


def compose(
    briefing: Briefing,
    unit: Unit,
    total: int,
    *,
    external: bool,
    max_output_tokens: int = MAX_OUTPUT_TOKENS,
    task: Task = REVIEW,
) -> Composed:
    """The prompt of one unit.

    For an external engine every part is redacted first. Raises PrivacyError if the secret
    detector fails: then nothing may be sent.
    """
    if task is REVIEW and briefing.fixes:
        task = DECIDE
    shared = briefing.shared_outside if external else briefing.shared
    egress: list[EgressEntry] = []
    shown: dict[str, list[str]] = {}
    if external:
        cleaned = redact(shared)
        shared = cleaned.text
        egress.append(EgressEntry(ABOUT, len(shared.encode()), cleaned.count))
    which = f"part, {unit.index + 1} of {total}" if total > 1 else "change"
    new = " Only what is new since an earlier review is shown." if briefing.in_part else ""
    texts = [f"{task.verb} this {which}.{new}"]
    for section in unit.sections:
        text = "\n".join([section.text, *about_file(briefing, section.path)])
        if external:
            cleaned = redact(text)
            if cleaned.count:
                shown.setdefault(section.path, []).extend(cleaned.text.split("\n"))
            text = cleaned.text
            egress.append(EgressEntry(section.path, len(text.encode()), cleaned.count))
        texts.append(text)
    prompt = Prompt(
        system=briefing.system if task in (REVIEW, DECIDE) else task.instructions,
        shared=shared,
        unit="\n\n".join(texts),
        schema=task.schema,
        max_output_tokens=max_output_tokens,
        paths=tuple(shown_path(path) for path in unit.paths),
        lines=tuple(
            (part.start, part.stop - 1)
            for section in unit.sections
            for part in section.lines
            if part
        ),
    )
    return Composed(prompt, tuple(egress), shown)


def about_file(briefing: Briefing, path: str) -> list[str]:
    """What stands after each section of a file."""
    lines = []
    if instructions := briefing.path_instructions.get(path):
        lines.append("For this file the project asks:\n" + quoted(instructions, MAX_INSTRUCTIONS))
    if evidence := briefing.evidence.get(path):
        lines.append("Analysers report:")
        lines += [
            f"> {item.line}: {item.tool} {item.rule}: {_one_line(item.title)}"
            for item in evidence[:20]
        ]
    return lines


def quoted(text: str, most: int) -> str:
    """Other people's text: each line marked, so that it can't pass for a part of the prompt."""
    lines = escape_invisible(cut_short(text.strip(), most)).split("\n")
    return "\n".join("> " + line for line in lines)


def _one_line(text: str) -> str:
    return escape_invisible(cut_short(" ".join(text.split()), 300))
