"""A prompt as tokens in ChatML, the form that Qwen's models were trained on.

Control tokens are set by id and never read from text, so that nothing in a change can forge a
turn; the template inside a model file is not run.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

_START, _END = "<|im_start|>", "<|im_end|>"
_INSIDE_NAME = re.compile(r"(?<=<\|)(?=im_(?:start|end)\|>)")


class Vocabulary(Protocol):
    """A model's vocabulary (`native.Native`)."""

    def tokens(self, text: str) -> list[int]:
        """Tokens of plain text."""
        ...

    def control(self, name: str) -> int:
        """The token of this name."""
        ...


class ChatPrompt(NamedTuple):
    """The parts of a prompt, in the order of how long each stays the same."""

    system: str
    shared: str
    unit: str
    question: str = ""
    """What is asked about the unit, after it."""


class ChatTokens(NamedTuple):
    """A prompt as tokens."""

    tokens: tuple[int, ...]
    cuts: tuple[int, ...]
    """Where parts that other prompts share end: the system's, the pull request's, the unit's."""
    pull: int
    """Where the pull request's part ends."""


@dataclass(frozen=True)
class ChatML:
    """Lays prompts out for one vocabulary."""

    vocabulary: Vocabulary

    @cached_property
    def controls(self) -> tuple[int, int]:
        """Start and end of a turn. Raises EngineError if the vocabulary lacks them."""
        return self.vocabulary.control(_START), self.vocabulary.control(_END)

    def layout(self, prompt: ChatPrompt, *, again: bool = False) -> ChatTokens:
        """Each part is cut into tokens on its own: then equal parts are equal tokens. `again`: there
        are other prompts about the unit."""
        start, end = self.controls
        tokens: list[int] = []
        cuts: list[int] = []
        if prompt.system.strip():
            tokens += [start, *self.content(f"system\n{prompt.system}"), end, *self.content("\n")]
        tokens += [start, *self.content("user\n")]
        cuts.append(len(tokens))
        if prompt.shared.strip():
            tokens += self.content(f"{prompt.shared}\n\n")
            cuts.append(len(tokens))
        pull = cuts[-1]
        tokens += self.content(prompt.unit)
        if again and len(tokens) > pull:
            cuts.append(len(tokens))
        if prompt.question.strip():
            tokens += self.content(f"\n\n{prompt.question}")
        tokens += [end, *self.content("\n"), start, *self.content("assistant\n")]
        return ChatTokens(tuple(tokens), tuple(cuts), pull)

    def content(self, text: str) -> list[int]:
        """Tokens of text that may say anything. Some files mark their control tokens so that
        they are read in plain text too: such text is cut in the middle of their names."""
        tokens = self.vocabulary.tokens(text)
        if not set(tokens).isdisjoint(self.controls):
            parts = _INSIDE_NAME.split(text)
            tokens = [token for part in parts for token in self.vocabulary.tokens(part)]
        return tokens
