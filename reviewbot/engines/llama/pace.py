"""How many tokens a decode step may have, so that no answer waits long for the next one of its own."""

#: What a step should take at most, seconds: beside answers that are written, and for a request that
#: is called off.
STEP_SECONDS = 1.0
#: Fewer tokens of prompts are never taken at a time, and a step of a slow machine takes longer: from
#: so many on flash attention is fast on a CPU (llama.cpp 0.3.36: 21 ms a token at 32, 12 at 64).
FEWEST = 64


class Pace:
    """Learns from each step how fast this machine is."""

    def __init__(self, most: int) -> None:
        """`most`: as many tokens as one step can have."""
        self._most = most
        self.rows = min(FEWEST, most)
        """Tokens that the next step may have."""

    def took(self, rows: int, seconds: float) -> None:
        """A step is done. Small ones tell nothing: they take as long as reading the weights does."""
        if rows >= self.rows // 2:
            fitting = int(rows / max(seconds, 1e-6) * STEP_SECONDS)
            self.rows = min(max(fitting, FEWEST), 2 * self.rows, self._most)
