"""How many answers of a model could not be read: what its calls in the ledger say."""

from dataclasses import dataclass

from reviewbot.review.engine import Outcome

#: Calls that came to an answer, readable or not.
ANSWERS = (Outcome.ANSWERED, Outcome.TRUNCATED, Outcome.MALFORMED)


@dataclass(frozen=True)
class Readability:
    """The answers of one model over some time."""

    engine: str
    model: str
    """As it was asked for."""
    answers: int
    unreadable: int
    """Answers that are not of the asked form, or of which a whole line is not."""
    lines: int
    """Lines that could be read, of engines that answer in lines; 0 of others."""
    unreadable_lines: int

    @property
    def failure_rate(self) -> float:
        """Share of answers that could not be read whole, 0 to 1; 0 without answers."""
        return self.unreadable / self.answers if self.answers else 0.0
