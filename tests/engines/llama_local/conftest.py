"""The real llama.cpp on a tiny model, in this process or in one of its own."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tiny_gguf import write_model

from reviewbot.engines.llama.batch import Batch, Done, Job, sequences_needed
from reviewbot.engines.llama.chatml import ChatML, ChatPrompt
from reviewbot.engines.llama.grammar import Limits, review_grammar
from reviewbot.engines.llama.native import Native
from reviewbot.engines.llama.plan import LoadPlan

#: Short enough for answers with several findings in some hundred tokens.
SHORT = Limits(walkthrough=10, quote=6, title=5, body=8, suggestion=5, findings=4)
os.environ["GGML_NO_BACKTRACE"] = "1"  # should a test end the process: no debugger


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed (make llama)")
    return write_model(tmp_path_factory.mktemp("model") / "tiny.gguf")


@pytest.fixture(scope="session")
def tiny_plan(tiny_model: Path) -> LoadPlan:
    return LoadPlan(
        tiny_model,
        context_tokens=2_048,
        cells=2_048,
        sequences=4,
        gpu_layers=0,
        batch_tokens=64,
        threads=1,
    )


@pytest.fixture(scope="module")
def native(tiny_plan: LoadPlan) -> Iterator[Native]:
    loaded = Native(tiny_plan, sequences=sequences_needed(tiny_plan.sequences))
    yield loaded
    loaded.close()


@pytest.fixture(scope="module")
def chat(native: Native) -> ChatML:
    return ChatML(native)


@pytest.fixture
def batch(native: Native) -> Batch:
    for sequence in range(sequences_needed(4)):
        native.drop(sequence)  # what the test before has left
    return Batch(native, sequences=4)


@pytest.fixture(scope="session")
def short_grammar() -> str:
    return review_grammar(["src/refunds.py", 'src/a "b".py'], [(3, 12), (40, 51)], SHORT)


@pytest.fixture(scope="session")
def short_limits() -> Limits:
    return SHORT


@pytest.fixture(scope="module")
def make_job(chat: ChatML) -> Callable[..., Job]:
    """A job of pull request `pull`."""

    def make(
        number: int,
        *,
        pull: int = 0,
        unit: str = "",
        question: str = "",
        again: bool = False,
        most: int = 16,
        **more: object,
    ) -> Job:
        unit = unit or f"part {number}"
        prompt = ChatPrompt("You review changes.", f"The change {pull}", unit, question)
        return Job(number, *chat.layout(prompt, again=again), most, **more)  # type: ignore[arg-type]

    return make


@pytest.fixture
def finish() -> Callable[[Batch], list[Done]]:
    """Run a batch until nothing is left to do; the ends in their order."""

    def run(batch: Batch) -> list[Done]:
        ended: list[Done] = []
        while batch.busy:
            ended += batch.admit()[1]
            ended += batch.step()
        return ended

    return run
