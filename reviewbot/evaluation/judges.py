"""Whether a finding says what a person said: judges that need no model.

A judge gives pairs a score above 0 where it takes both for the same; who belongs to whom is then
settled one to one, the best pairs first (`figures.matched`).
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Protocol

from reviewbot.evaluation.corpus import Case, Remark
from reviewbot.evaluation.said import Result, Said

#: (index of a finding, index of a remark) → how sure the judge is that both say the same, above 0.
Pairs = Mapping[tuple[int, int], float]

#: How many lines a finding may be beside the remark.
NEAR_LINES = 1
#: Likeness from which two texts say the same: at this threshold judges of this kind came nearest to
#: the verdicts of a published judge that is a language model (docs/evaluation.md).
LIKE = 0.25
#: An identifier tells more than a word of prose.
IDENTIFIER_WEIGHT = 2.0


class Judge(Protocol):
    """Says which findings of a review are remarks of people."""

    @property
    def name(self) -> str:
        """Stands beside every figure."""
        ...

    def pairs(self, case: Case, result: Result, remarks: Sequence[Remark]) -> Pairs: ...


@dataclass(frozen=True)
class PairJudge:
    """A judge that looks at one finding and one remark at a time."""

    name: str
    score: Callable[[Said, Remark], float]

    def pairs(self, case: Case, result: Result, remarks: Sequence[Remark]) -> Pairs:
        return {
            (i, j): score
            for i, said in enumerate(result.findings)
            for j, remark in enumerate(remarks)
            if (score := self.score(said, remark)) > 0
        }


def judge_of(name: str, cases: Iterable[Case]) -> PairJudge:
    """The judge `location`, `lexical` or `location+lexical`; the cases' remarks tell which words are
    rare."""
    lexicon = Lexicon([remark.comment for c in cases for remark in (*c.golden, *c.rejected)])

    def lexical(said: Said, remark: Remark) -> float:
        like = lexicon.likeness(f"{said.title}\n{said.body}", remark.comment)
        return like if like >= LIKE else 0.0

    def both(said: Said, remark: Remark) -> float:
        return lexical(said, remark) if location(said, remark) else 0.0

    scores = {"location": location, "lexical": lexical, "location+lexical": both}
    return PairJudge(name, scores[name])


def location(said: Said, remark: Remark) -> float:
    """1 where a finding's lines meet the remark's, less where they are `NEAR_LINES` apart, least for
    a remark on the whole file."""
    if said.path != remark.file:
        return 0.0
    if remark.line is None:
        return 0.25
    if said.line is None or said.side != remark.side.lower():
        return 0.0
    first, last = sorted((remark.first or remark.line, remark.line))
    gap = max(first - (said.end_line or said.line), said.line - last, 0)
    return 1.0 - gap / (2 * NEAR_LINES) if gap <= NEAR_LINES else 0.0


class Lexicon:
    """How alike two texts are: cosine of their words, the rare ones weighing more (TF-IDF)."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._documents = Counter(term for text in texts for term in set(terms(text)))
        self._count = len(texts)
        self._known: dict[str, Mapping[str, float]] = {}

    def likeness(self, one: str, other: str) -> float:
        """0 for nothing in common to 1 for the same words."""
        first, second = self._vector(one), self._vector(other)
        if len(second) < len(first):
            first, second = second, first
        return sum(weight * second.get(term, 0.0) for term, weight in first.items())

    def _vector(self, text: str) -> Mapping[str, float]:
        """Weights of the text's terms, of length 1 together."""
        if text not in self._known:
            weights = {
                term: (1 + log(count)) * self._rarity(term) * weight
                for term, (count, weight) in terms(text).items()
            }
            length = sqrt(sum(weight * weight for weight in weights.values())) or 1.0
            self._known[text] = {term: weight / length for term, weight in weights.items()}
        return self._known[text]

    def _rarity(self, term: str) -> float:
        return log((1 + self._count) / (1 + self._documents[term])) + 1.0


_WORD = re.compile(r"[^\W\d_](?:[\w.$]*\w)?")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
#: Words of no meaning, as far as they are frequent in remarks.
_EMPTY = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "been",
        "but",
        "by",
        "can",
        "could",
        "do",
        "does",
        "for",
        "from",
        "had",
        "has",
        "have",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "may",
        "might",
        "must",
        "no",
        "not",
        "of",
        "on",
        "or",
        "should",
        "so",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "to",
        "use",
        "used",
        "using",
        "was",
        "were",
        "when",
        "which",
        "while",
        "will",
        "with",
        "would",
        "you",
        "your",
    ]
)


def terms(text: str) -> dict[str, tuple[int, float]]:
    """Term → (how often, weight): words without inflection, identifiers whole and in parts."""
    found: Counter[str] = Counter()
    weights: dict[str, float] = {}
    for word in _WORD.findall(text):
        parts = [part.lower() for part in _PARTS.findall(word)]
        is_identifier = len(parts) > 1 or (word[1:] != word[1:].lower())
        if is_identifier:
            whole = word.lower()
            found[whole] += 1
            weights[whole] = IDENTIFIER_WEIGHT
        for part in parts:
            stem = _stem(part)
            if len(stem) > 1 and part not in _EMPTY:
                found[stem] += 1
                weights.setdefault(stem, 1.0)
    return {term: (count, weights[term]) for term, count in found.items()}


def _stem(word: str) -> str:
    """Without the commonest English endings: enough to let `checks` and `checked` meet."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
