"""Answers of a model that says anything at all: every whole line of them can be read."""

from collections import Counter
from collections.abc import Callable

import pytest

from reviewbot.engines.llama.batch import Batch, Done, Job
from reviewbot.engines.llama.lines import assemble
from reviewbot.review.answer import parse_answer


def figures(done: list[Done]) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in done:
        text = one.text.decode("utf-8", "strict" if one.finish == "stop" else "replace")
        read = assemble(text, cut=one.finish == "length")
        answer = parse_answer(read.text)
        found["unreadable lines"] += read.unreadable
        found["problems"] += len(answer.problems)
        found["findings"] += len(answer.remarks)
        found["outside"] += sum(
            remark.path not in ("src/refunds.py", 'src/a "b".py')
            or remark.line not in [*range(3, 13), *range(40, 52)]
            for remark in answer.remarks
        )
        found[one.finish] += 1
    return found


@pytest.mark.parametrize("runs", [300, pytest.param(10_000, marks=pytest.mark.soak)])
def test_no_answer_fails_to_parse(
    batch: Batch,
    make_job: Callable[..., Job],
    finish: Callable[[Batch], list[Done]],
    short_grammar: str,
    runs: int,
) -> None:
    for number in range(runs):
        batch.add(
            make_job(
                number,
                pull=number % 7,
                most=(20, 40, 60, 40, 200)[number % 5],
                grammar=short_grammar,
                temperature=(0.7, 1.0, 2.0)[number % 3],
                seed=number,
            )
        )

    found = figures(finish(batch))

    assert (found["unreadable lines"], found["problems"], found["outside"]) == (0, 0, 0)
    assert found["stop"] + found["length"] == runs
    assert min(found["stop"], found["length"]) > runs / 4  # both ways to end were tried
    assert found["findings"] > runs / 30
