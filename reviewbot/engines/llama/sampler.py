"""Which token comes next: sampled freely, then held against the grammar."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Candidates looked at first when the free choice is refused: filtering a whole vocabulary of
#: 152 k tokens takes some forty milliseconds.
FEW = 256


class NoToken(Exception):
    """No token can follow; the message says why."""


class Bounds(Protocol):
    """A grammar and where it stands (`native.Grammar`)."""

    def allows(self, token: int) -> bool: ...

    def allowed(self, tokens: "NDArray[np.int32]") -> "NDArray[np.bool_]": ...

    def accept(self, token: int) -> None: ...

    def close(self) -> None: ...


class Vocabulary(Protocol):
    """What is known of tokens (`native.Native`)."""

    def piece(self, token: int) -> bytes: ...

    def ends(self, token: int) -> bool: ...


class Sampler:
    """Chooses the tokens of one answer. With a grammar every answer is valid UTF-8 too: bytes
    that llama.cpp's grammar reads as a quotation mark, although no decoder does, are refused."""

    def __init__(
        self, vocabulary: Vocabulary, bounds: Bounds | None, *, temperature: float, seed: int
    ) -> None:
        import numpy as np

        self._vocabulary, self._bounds = vocabulary, bounds
        self._temperature = temperature
        self._random = np.random.default_rng(seed)
        self._open = b""
        """The bytes of a character that is not whole yet."""

    def next(self, scores: "NDArray[np.float32]") -> int:
        """The next token. Raises NoToken where there is none, or scores are no numbers."""
        import numpy as np

        token = int(scores.argmax())
        if not np.isfinite(scores[token]):
            raise NoToken("the model's scores are no numbers: a broken file, driver or card")
        if self._temperature > 0:
            token = int(self._ranked(scores, FEW)[0])
        if self._bounds is not None:
            if not (self._readable(token) and self._bounds.allows(token)):
                token = self._bounded(self._bounds, scores)
            self._bounds.accept(token)
            self._open = after(self._open, self._vocabulary.piece(token)) or b""
        return token

    def _bounded(self, bounds: Bounds, scores: "NDArray[np.float32]") -> int:
        """The free choice is refused: the best of a few, else of all."""
        for count in (FEW, len(scores)):
            ids = self._ranked(scores, count)
            for token in map(int, ids[bounds.allowed(ids)]):
                if self._readable(token):
                    return token
        raise NoToken("no token of the vocabulary fits the grammar here")

    def _ranked(self, scores: "NDArray[np.float32]", count: int) -> "NDArray[np.int32]":
        """The `count` tokens with the best scores: best first, or with a temperature in the order
        of a draw without putting back (scores with Gumbel noise)."""
        import numpy as np

        ids: NDArray[np.int32] = np.arange(len(scores), dtype=np.int32)
        if count < len(scores):
            ids = np.argpartition(scores, -count)[-count:].astype(np.int32)
        keys = scores[ids]
        if self._temperature > 0:
            noise = self._random.gumbel(scale=self._temperature, size=len(ids))
            keys = keys + noise.astype(np.float32)
        ranked: NDArray[np.int32] = ids[np.argsort(-keys, kind="stable")]
        return ranked

    def _readable(self, token: int) -> bool:
        """Its text can follow; control tokens have none, and may only end the answer."""
        piece = self._vocabulary.piece(token)
        if not piece:
            return not self._open and self._vocabulary.ends(token)
        return after(self._open, piece) is not None

    def close(self) -> None:
        """Free the grammar."""
        if self._bounds is not None:
            self._bounds.close()


def after(start: bytes, piece: bytes) -> bytes | None:
    """What is still open of the last character after `start` and `piece`; None if that is not
    UTF-8."""
    if not start and piece.isascii():
        return b""
    whole = start + piece
    try:
        whole.decode()
    except UnicodeDecodeError as error:
        return whole[error.start :] if error.reason == "unexpected end of data" else None
    return b""
