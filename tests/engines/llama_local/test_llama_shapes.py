"""Models of true sizes with random weights: what a GPU is measured with, tried on a tiny one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_gguf import Shape, weight_bytes

from reviewbot.engines.llama.models import CATALOGUE, CatalogueModel

ROOT = Path(__file__).parents[3]
#: What stands before the weights in these files: above all the vocabulary of 152,000.
HEADER = 6_000_000


@pytest.mark.parametrize("model", CATALOGUE[1:], ids=lambda model: model.name)
def test_the_weights_of_a_shape_are_those_of_the_real_file(model: CatalogueModel) -> None:
    facts = model.facts
    shape = Shape(
        layers=facts.layers,
        width=facts.embedding,
        heads=facts.heads,
        kv_heads=facts.kv_heads,
        feed_forward=facts.feed_forward,
        vocabulary=facts.vocabulary,
        kind="q4_k_m",
    )

    assert 0 < model.file_bytes - weight_bytes(shape) < HEADER


def test_the_figures_of_a_shape(tmp_path: Path) -> None:
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed (make llama)")
    size = ["--prompt=32", "--steps=3", "--reviews=2", "--review-tokens=400", "--answer=6"]
    # on one core, and so with one thread: two that wait for each other in each step are slow where
    # others want the cores
    start = f"import os, sys; os.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}}); "
    start += "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    benchmark = [ROOT / "benchmarks/local_engine.py", "--shape=tiny", *size]

    done = subprocess.run(
        [sys.executable, "-c", start, *benchmark],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    figures = json.loads(done.stdout.splitlines()[-1])
    assert list(figures["speeds"]) == ["1", "4", "8", "16"]
    for each in figures["speeds"].values():
        assert min(each["prefill_tokens_per_s"], each["decode_tokens_per_s"]) > 0
        assert each["decode_limit"] > 0
    assert min(figures["copy_gb_per_s"], figures["reviews_per_hour"]) > 0
    assert figures["joules_per_review"] > 0
    assert figures["joules_how"] in ("350 W x seconds", "measured")
