"""What fits where: worked examples of machines, and what an operator may ask for."""

from dataclasses import replace
from pathlib import Path

import pytest

from reviewbot.engines.llama.fit import Candidate, Fit, Wishes, best, compute_buffers, fit
from reviewbot.engines.llama.machine import Gpu, Machine
from reviewbot.engines.llama.models import CATALOGUE, model_of
from reviewbot.errors import EngineError

GIB = 2**30


def machine(ram: float, cores: int, *cards: float) -> Machine:
    """GiB of RAM, a tenth in use, and of cards, 0.3 in use."""
    gpus = tuple(Gpu("card", int(c * GIB), int((c - 0.3) * GIB)) for c in cards)
    return Machine(int(ram * GIB), int(ram * 0.9 * GIB), cores, gpus)


MACHINES = {
    "80 GB card": machine(128, 16, 80),
    "24 GB card": machine(64, 8, 24),
    "two 12 GB cards": machine(64, 8, 12, 12),
    "16 GB card": machine(64, 8, 16),
    "12 GB card": machine(32, 8, 12),
    "8 GB card": machine(16, 4, 8),
    "64 GB, 16 cores": machine(64, 16),
    "16 GB, 4 cores": machine(16, 4),
    "4 GB, 2 cores": machine(4, 2),
}
CANDIDATES = [Candidate(model.name, Path(model.file), model.facts) for model in CATALOGUE]


def fitted(name: str, on: Machine, wishes: Wishes | None = None) -> Fit:
    model = model_of(name)
    return fit(Path(model.file), model.facts, on, wishes)


#: machine, model, where, layers on GPUs, context, sequences, cache.
EXAMPLES = [
    ("80 GB card", "32b", "gpu", 65, 16_384, 8, "f16"),
    ("24 GB card", "32b", "gpu", 65, 16_384, 4, "q8_0"),
    ("24 GB card", "14b", "gpu", 49, 16_384, 8, "f16"),
    ("two 12 GB cards", "32b", "gpu", 65, 16_384, 2, "q8_0"),
    ("16 GB card", "32b", "both", 48, 8_192, 2, "q8_0"),
    ("16 GB card", "14b", "gpu", 49, 16_384, 4, "f16"),
    ("12 GB card", "14b", "gpu", 49, 16_384, 3, "q8_0"),
    ("12 GB card", "7b", "gpu", 29, 16_384, 8, "f16"),
    ("8 GB card", "7b", "gpu", 29, 16_384, 6, "f16"),
    ("8 GB card", "14b", "both", 36, 8_192, 2, "q8_0"),
    ("64 GB, 16 cores", "32b", "cpu", 0, 8_192, 4, "f16"),
    ("64 GB, 16 cores", "7b", "cpu", 0, 8_192, 4, "f16"),
    ("16 GB, 4 cores", "7b", "cpu", 0, 8_192, 4, "f16"),
    ("4 GB, 2 cores", "1.5b", "cpu", 0, 8_192, 4, "f16"),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: f"{e[1]} on {e[0]}")
def test_worked_examples(example: tuple[str, str, str, int, int, int, str]) -> None:
    where, model, place, layers, context, sequences, kv = example

    found = fitted(model, MACHINES[where])

    plan = found.plan
    assert (found.where, plan.gpu_layers) == (place, layers)
    assert (plan.context_tokens, plan.sequences, plan.kv) == (context, sequences, kv)
    assert plan.flash_attention
    assert plan.cells >= plan.context_tokens


def test_one_request_at_a_time_on_a_cpu_goes_without_flash_attention() -> None:
    wishes = Wishes(sequences=1)

    assert not fitted("7b", MACHINES["64 GB, 16 cores"], wishes).plan.flash_attention
    assert fitted("7b", MACHINES["24 GB card"], wishes).plan.flash_attention


@pytest.mark.parametrize("where", MACHINES)
@pytest.mark.parametrize("model", [model.name for model in CATALOGUE])
def test_no_plan_takes_more_than_there_is(where: str, model: str) -> None:
    """Worked out here once more, from what llama.cpp does with a plan."""
    on, facts = MACHINES[where], model_of(model).facts
    try:
        found = fitted(model, on)
    except EngineError:
        return
    plan = found.plan
    offloaded = min(plan.gpu_layers, facts.layers) / facts.layers
    cache = plan.cells * facts.kv_bytes(plan.kv)
    on_cards = offloaded * (facts.layer_bytes + cache)
    if plan.gpu_layers > facts.layers:
        on_cards += facts.output_bytes

    left = on.vram_free - on_cards
    assert left >= 0.9 * GIB * len(on.gpus) or not plan.gpu_layers  # CUDA itself, and buffers
    in_ram = facts.weight_bytes + cache - on_cards
    assert on.ram_available - in_ram >= 0.75 * GIB
    assert plan.cells % 256 == 0


#: What llama.cpp 0.3.36 reserved for steps of 512 tokens, MiB: model, cells, flash attention.
RESERVED = [
    ("0.5b", 8_192, False, 250.72),
    ("0.5b", 32_768, False, 974.94),
    ("0.5b", 32_768, True, 67.91),
    ("0.5b", 131_072, True, 163.83),
    ("7b", 8_192, False, 503.94),
    ("7b", 32_768, False, 1_904.10),
    ("7b", 32_768, True, 172.01),
    ("14b", 32_768, False, 2_693.70),
    ("14b", 32_768, True, 153.91),
    ("32b", 8_192, False, 714.17),
    ("32b", 16_384, False, 1_374.01),
    ("32b", 32_768, True, 235.38),
    ("32b", 131_072, True, 330.66),
]


@pytest.mark.parametrize("measured", RESERVED, ids=lambda m: f"{m[0]}-{m[1]}-{m[2]}")
def test_compute_buffers_are_bounded_closely(measured: tuple[str, int, bool, float]) -> None:
    model, cells, flash, reserved = measured

    fixed, per_cell = compute_buffers(model_of(model).facts, flash=flash)

    slack = (fixed + cells * per_cell) / 2**20 - reserved
    assert 0 <= slack < (25 if flash else 200)


def test_a_24_gb_card_holds_about_18_thousand_tokens_in_f16_and_34_in_q8_0() -> None:
    card = MACHINES["24 GB card"]

    f16 = fitted("32b", card, Wishes(kv="f16")).plan
    q8_0 = fitted("32b", card, Wishes(kv="q8_0")).plan

    assert f16.cells == pytest.approx(18_000, rel=0.06)
    assert q8_0.cells == pytest.approx(34_000, rel=0.06)


DEFAULTS = {
    "80 GB card": "32b",
    "24 GB card": "32b",
    "two 12 GB cards": "32b",
    "16 GB card": "14b",
    "12 GB card": "14b",
    "8 GB card": "7b",
    "64 GB, 16 cores": "7b",
    "16 GB, 4 cores": "3b",
    "4 GB, 2 cores": "1.5b",
}


@pytest.mark.parametrize("where", MACHINES)
def test_by_itself_the_largest_that_answers_in_time(where: str) -> None:
    found = best(CANDIDATES, MACHINES[where], Wishes())

    assert found is not None
    assert found.plan.model.name == model_of(DEFAULTS[where]).file


def test_where_all_are_slow_the_smallest_and_where_none_fits_none() -> None:
    slow, tiny = machine(64, 1), machine(1, 2)

    assert best(CANDIDATES[3:], slow, Wishes()) == fitted("7b", slow)
    assert best(CANDIDATES, tiny, Wishes()) is None


def test_what_cannot_fit_is_refused_with_sizes_and_the_nearest_that_does() -> None:
    with pytest.raises(EngineError) as caught:
        fitted("32b", MACHINES["8 GB card"])

    words = str(caught.value)
    assert "needs 21.1 GiB (weights 18.5 GiB, 16,384 tokens of cache 2.1 GiB" in words
    assert "6.9 GiB of GPU memory and 13.6 GiB of RAM" in words
    assert words.endswith("the nearest that fits is qwen2.5-coder-14b")
    with pytest.raises(EngineError, match="no known model fits"):
        fitted("0.5b", machine(1, 2))


def test_an_operator_chooses_context_sequences_layers_and_cache() -> None:
    card = MACHINES["24 GB card"]

    plan = fitted("14b", card, Wishes(32_768, 2, 20, "q8_0")).plan

    assert (plan.context_tokens, plan.sequences, plan.gpu_layers, plan.kv) == (
        32_768,
        2,
        20,
        "q8_0",
    )
    assert plan.cells >= 32_768
    assert fitted("14b", card, Wishes(gpu_layers=0)).where == "cpu"
    assert fitted("14b", card, Wishes(gpu_layers=999)).plan.gpu_layers == 49
    assert fitted("14b", card, Wishes(context_tokens=1_000_000)).plan.context_tokens == 32_768
    assert fitted("14b", card, Wishes(context_tokens=2_048)).plan.context_tokens == 2_048


def test_wishes_that_do_not_fit_are_refused_not_bent() -> None:
    with pytest.raises(EngineError, match="that are set"):
        fitted(
            "32b", MACHINES["24 GB card"], Wishes(context_tokens=32_768, kv="f16", gpu_layers=65)
        )
    with pytest.raises(EngineError, match="that are set"):
        fitted("7b", MACHINES["16 GB, 4 cores"], Wishes(gpu_layers=10))  # there is no GPU


def test_a_model_trained_for_a_short_context_gets_no_longer_one() -> None:
    model = model_of("7b")
    facts = replace(model.facts, context_tokens=4_096)

    plan = fit(Path(model.file), facts, MACHINES["24 GB card"]).plan

    assert plan.context_tokens == 4_096


def test_little_memory_takes_the_smaller_cache_before_a_shorter_one() -> None:
    tight = machine(3, 2)

    plan = fitted("1.5b", tight).plan

    assert plan.flash_attention
    assert plan.cells >= 2 * 8_192
