"""Continuous batching on the real llama.cpp: same text as one by one, shared starts, fair turns."""

import ctypes
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_gguf import Shape, write_model

from reviewbot.engines.llama.batch import Batch, Done, Job, sequences_needed
from reviewbot.engines.llama.native import Native, Row
from reviewbot.engines.llama.plan import LoadPlan

Make = Callable[..., Job]
Finish = Callable[[Batch], list[Done]]


class OneByOne:
    """The plainest use of llama.cpp there is: one sequence, the grammar over all tokens first."""

    def __init__(self, model: Path) -> None:
        import llama_cpp

        self._c = llama_cpp
        self._llama = llama_cpp.Llama(
            str(model), n_ctx=2_048, n_batch=512, n_threads=1, flash_attn=False, verbose=False
        )
        self._vocabulary = llama_cpp.llama_model_get_vocab(self._llama.model)

    def text(self, job: Job) -> bytes:
        chain = self._c.llama_sampler_chain_init(self._c.llama_sampler_chain_default_params())
        if job.grammar:
            grammar = self._c.llama_sampler_init_grammar(
                self._vocabulary, job.grammar.encode(), b"root"
            )
            self._c.llama_sampler_chain_add(chain, grammar)
        self._c.llama_sampler_chain_add(chain, self._c.llama_sampler_init_greedy())
        self._llama.reset()
        self._llama.eval(job.tokens)
        out = b""
        for _ in range(job.max_tokens):
            token = self._c.llama_sampler_sample(chain, self._llama.ctx, -1)
            if self._c.llama_vocab_is_eog(self._vocabulary, token):
                break
            piece = ctypes.create_string_buffer(64)
            size = self._c.llama_token_to_piece(self._vocabulary, token, piece, 64, 0, False)
            out += piece.raw[:size]
            self._llama.eval([token])
        self._c.llama_sampler_free(chain)
        return out

    def close(self) -> None:
        self._llama.close()


@pytest.fixture(scope="module")
def one_by_one(tiny_model: Path) -> Iterator[OneByOne]:
    reference = OneByOne(tiny_model)
    yield reference
    reference.close()


def test_twenty_mixed_jobs_say_what_each_says_alone(
    batch: Batch, make_job: Make, finish: Finish, one_by_one: OneByOne, short_grammar: str
) -> None:
    jobs = [
        make_job(
            number,
            pull=number % 5,
            unit="return amount round " * (number * 7 % 40) + f"part {number}",
            most=8 + number * 5 % 36,
            grammar=short_grammar if number % 2 else "",
            again=number % 3 == 0,
            question="Is it true?" if number % 6 == 0 else "",
        )
        for number in range(20)
    ]
    for job in jobs:
        batch.add(job)

    texts = {done.id: done.text for done in finish(batch)}

    assert texts == {job.id: one_by_one.text(job) for job in jobs}
    assert len(set(texts.values())) > 10  # the jobs do differ


def test_what_prompts_share_is_computed_once(batch: Batch, make_job: Make, finish: Finish) -> None:
    jobs = [make_job(number, pull=number // 3) for number in range(6)]
    for job in jobs:
        batch.add(job)

    done = sorted(finish(batch), key=lambda one: one.id)

    system, pull = jobs[0].cuts
    assert done[0].reused == 0
    assert [one.reused for one in done[1:3]] == [pull, pull]
    assert done[3].reused == system  # another pull request: the instructions are the same
    assert [one.reused for one in done[4:]] == [pull, pull]
    assert all(one.computed + one.reused == len(jobs[one.id].tokens) for one in done)


def test_several_answers_to_one_prompt_compute_it_once(
    batch: Batch, make_job: Make, finish: Finish
) -> None:
    code = "return amount round " * 20
    for number in range(4):
        batch.add(make_job(number, unit=code, again=True, temperature=1.0, seed=number))
    done = sorted(finish(batch), key=lambda one: one.id)

    batch.add(make_job(5, unit=code, question="Is it true?", again=True))
    (asked,) = finish(batch)

    unit = make_job(0, unit=code, again=True).cuts[-1]
    assert [one.reused for one in done] == [0, unit, unit, unit]
    assert len({one.text for one in done}) == 4
    assert asked.reused == unit


def test_a_shared_start_is_kept_for_later(batch: Batch, make_job: Make, finish: Finish) -> None:
    batch.add(make_job(1))
    finish(batch)

    batch.add(make_job(2))
    (later,) = finish(batch)

    assert later.reused == make_job(2).cuts[-1]


def test_a_pull_request_does_not_wait_for_all_of_another(
    batch: Batch, make_job: Make, finish: Finish
) -> None:
    for number in range(20):
        batch.add(make_job(number, pull=1))
    batch.add(make_job(99, pull=2))

    order = [done.id for done in finish(batch)]

    assert order.index(99) < 9  # of four at a time: among the second ones


def test_answers_go_on_while_a_long_prompt_is_read(batch: Batch, make_job: Make) -> None:
    batch.add(make_job(1, most=8))
    while not any(slot_output(batch)):
        batch.admit()
        batch.step()
    batch.add(make_job(2, unit="return amount " * 400, most=4))

    ended = []
    for _ in range(8):  # the long prompt takes thirteen steps
        batch.admit()
        ended += [done.id for done in batch.step()]

    assert ended == [1]


def test_on_a_slow_machine_a_long_prompt_is_read_in_small_parts(
    tiny_plan: LoadPlan, make_job: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    native = Native(replace(tiny_plan, batch_tokens=512), sequences=sequences_needed(2))
    batch = Batch(native, sequences=2)
    sizes: list[int] = []
    clock = [0.0]

    def slow(rows: Sequence[Row]) -> None:
        decode(rows)
        sizes.append(len(rows))
        clock[0] += len(rows) * 0.01

    decode = native.decode
    monkeypatch.setattr(native, "decode", slow)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    batch.add(make_job(1, most=30))
    batch.add(make_job(2, unit="return amount " * 400, most=4))
    while batch.busy:
        batch.admit()
        batch.step()
    native.close()

    assert max(sizes) <= 101  # of 512 that the context would take: a second
    assert sum(size >= 99 for size in sizes) >= 6


def slot_output(batch: Batch) -> list[int]:
    return [slot.output for slot in batch._live]


def test_no_more_is_taken_up_than_there_are_cells_for(
    batch: Batch, make_job: Make, finish: Finish
) -> None:
    for number in range(4):
        batch.add(make_job(number, pull=number, most=700))

    taken, _ = batch.admit()

    assert taken == [0, 1]  # 2 048 cells: a third answer might not fit
    for number in range(4):
        batch.cancel(number)
    assert not batch.busy


def test_a_job_that_could_never_fit_is_an_error(batch: Batch, make_job: Make) -> None:
    with pytest.raises(ValueError, match="cells wanted, 2048 there"):
        batch.add(make_job(1, most=2_048))


def test_kept_starts_make_room_when_cells_are_needed(
    batch: Batch, make_job: Make, finish: Finish
) -> None:
    for number in range(40):  # more pull requests than can be kept
        batch.add(make_job(number, pull=number, unit="x", most=2))
    assert len(finish(batch)) == 40

    whole = make_job(1, pull=99)
    batch.add(make_job(1, pull=99, most=2_048 - len(whole.tokens), grammar='root ::= "ok"'))
    (done,) = finish(batch)

    assert (done.finish, done.text) == ("stop", b"ok")


@pytest.mark.parametrize("steps", [0, 1, 6], ids=["waiting", "while read", "while answering"])
def test_a_cancelled_job_leaves_no_trace(
    batch: Batch, make_job: Make, finish: Finish, steps: int
) -> None:
    other = make_job(1, pull=1, most=30)
    batch.add(other)
    (alone,) = finish(batch)
    batch.add(other)
    batch.add(make_job(2, pull=2, unit="return " * 90, most=1_500))
    if steps:
        batch.admit()
    for _ in range(steps):
        batch.step()

    batch.cancel(2)
    batch.add(make_job(3, pull=3, most=1_500, grammar='root ::= "ok"'))  # needs its cells
    rest = {done.id: done.text for done in finish(batch)}

    assert rest == {1: alone.text, 3: b"ok"}


def test_a_start_that_two_wait_for_survives_the_one_that_asked_first(
    batch: Batch, make_job: Make, finish: Finish
) -> None:
    for number in (1, 2):
        batch.add(make_job(number, pull=77, most=4))
    batch.admit()

    batch.cancel(1)
    (done,) = finish(batch)

    assert (done.id, done.output) == (2, 4)


def test_a_grammar_that_makes_no_sense_harms_only_its_job(
    batch: Batch, make_job: Make, finish: Finish
) -> None:
    batch.add(make_job(1, grammar="root ::= nothing-like-this"))
    batch.add(make_job(2))

    done = {one.id: one for one in finish(batch)}

    assert done[1].finish == "broken"
    assert "can't parse the grammar" in done[1].detail
    assert done[2].finish == "length"


def test_scores_that_are_no_numbers_end_the_job_not_the_process(
    tmp_path: Path, tiny_plan: LoadPlan, make_job: Make, finish: Finish, short_grammar: str
) -> None:
    model = write_model(tmp_path / "nan.gguf", Shape(nan=True))
    plan = LoadPlan(model, 512, 512, sequences=1, gpu_layers=0, threads=1)
    native = Native(plan, sequences=sequences_needed(1))
    batch = Batch(native, sequences=1)
    batch.add(make_job(1, grammar=short_grammar))

    (done,) = finish(batch)
    native.close()

    assert done.finish == "broken"
    assert "no numbers" in done.detail
