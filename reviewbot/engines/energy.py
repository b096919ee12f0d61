"""The energy that this machine's NVIDIA cards have used, where they count it."""

from collections.abc import Callable
from contextlib import suppress
from functools import cache


@cache
def energy_meter() -> Callable[[], float] | None:
    """A function that reads the joules used since the driver was loaded, summed over all cards.

    None where there is no such card, no driver, or no `nvidia-ml-py` (extra `local`): then power
    is taken from `REVIEWBOT_WATTS`. The counter exists since the Volta generation.
    """
    try:
        # optional, and only hosts with a card have it
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        cards = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]

        known = [pynvml.nvmlDeviceGetTotalEnergyConsumption(card) for card in cards]
    except pynvml.NVMLError:
        return None

    def read() -> float:
        for index, card in enumerate(cards):
            # a card that is lost in the middle of a call counts no further, and fails nothing
            with suppress(pynvml.NVMLError):
                known[index] = pynvml.nvmlDeviceGetTotalEnergyConsumption(card)
        return float(sum(known)) / 1000

    return read if cards else None
