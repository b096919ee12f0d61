"""The question to a model whether a finding says what people said, and what its votes come to.

The answer has the form of verdicts (`review/verdict.py`), which every engine can be bound to.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from reviewbot.evaluation.corpus import Remark
from reviewbot.evaluation.said import Said
from reviewbot.review.engine import Prompt, Reply
from reviewbot.review.prompt import VERIFY, quoted
from reviewbot.review.render import shown_path
from reviewbot.review.verdict import Verdict, parse_verdicts

#: Votes of each model on one finding; the majority counts.
VOTES = 3
#: Longest texts shown, characters, and most remarks of one pull request.
MAX_TEXT, MAX_REMARKS = 2_000, 60
_FRAME_TOKENS, _VERDICT_TOKENS = 100, 48


@cache
def _instructions() -> str:
    text = files("reviewbot.evaluation") / "judge.md"
    return text.read_text(encoding="utf-8").strip()


def question_about(said: Said, remarks: Sequence[Remark], vote: int) -> Prompt:
    """Which of these remarks the finding says, too; each vote is drawn by itself."""
    shown = remarks[:MAX_REMARKS]
    parts = [f"The tool's finding, in {shown_path(said.path)}{_place(said.line)}:"]
    parts += [quoted(f"{said.title}\n{said.body}", MAX_TEXT), "What people remarked:"]
    for number, remark in enumerate(shown, 1):
        head = f"Finding {number}: {shown_path(remark.file)}{_place(remark.line)}"
        parts.append(f"{head}\n{quoted(remark.comment, MAX_TEXT)}")
    return Prompt(
        system=_instructions(),
        shared="",
        unit="\n\n".join(parts),
        schema=VERIFY.schema,
        max_output_tokens=_FRAME_TOKENS + _VERDICT_TOKENS * len(shown),
        choices=tuple(str(number) for number in range(1, len(shown) + 1)),
        sample=vote,
        again=True,
    )


def same_remarks(replies: Sequence[Reply], remarks: int) -> Counter[int]:
    """Index of a remark → votes for it. A vote that can't be read is none."""
    votes: Counter[int] = Counter()
    for reply in replies:
        for number, verdict in (parse_verdicts(reply.text) or {}).items():
            if verdict is Verdict.REAL and 1 <= number <= remarks:
                votes[number - 1] += 1
    return votes


def _place(line: int | None) -> str:
    return "" if line is None else f", line {line}"
