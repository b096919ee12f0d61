"""The local engine, its model in a process of its own: answers, limits, and deaths."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_gguf import Shape, write_model

from reviewbot.engines.llama import process as llama_process
from reviewbot.engines.llama.engine import LlamaEngine
from reviewbot.engines.llama.grammar import Limits
from reviewbot.engines.llama.plan import LoadPlan
from reviewbot.engines.llama.process import NOTHING, Died, ModelProcess, NoAnswerInTime
from reviewbot.errors import EngineError
from reviewbot.review.answer import answer_schema, parse_answer
from reviewbot.review.engine import Outcome, Prompt
from reviewbot.review.fix import fix_schema, parse_fixes
from reviewbot.review.risk import parse_risk, risk_schema
from reviewbot.review.verdict import parse_verdicts, verdict_schema

PROMPT = Prompt(
    system="You review changes.",
    shared="Title: Refund rounding",
    unit="=== src/refunds.py\n12 +    return round(amount, 1)",
    schema=answer_schema(),
    max_output_tokens=200,
    paths=("src/refunds.py",),
    lines=((12, 12),),
)
#: Asks for a walkthrough that the tiny model needs some tenths of a second for.
LONG = replace(PROMPT, max_output_tokens=400)
#: Generous: many tests run beside this one on the same cores.
SECONDS = 60.0


@pytest.fixture(scope="module")
def plan(tiny_plan: LoadPlan) -> LoadPlan:
    return replace(tiny_plan, cells=8_192)


@pytest.fixture(scope="module")
def engine(plan: LoadPlan, short_limits: Limits) -> Iterator[LlamaEngine]:
    made = LlamaEngine(plan, limits=short_limits)
    yield made
    made.close()


@pytest.fixture(scope="module")
def slow_engine(plan: LoadPlan) -> Iterator[LlamaEngine]:
    """Its answers are long, and at most five calls may be under way."""
    made = LlamaEngine(plan, limits=Limits(walkthrough=2_000), queue=5)
    yield made
    made.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


def numbered(number: int, prompt: Prompt = LONG) -> Prompt:
    return replace(prompt, unit=f"{prompt.unit}  # {number}")


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def pid(engine: LlamaEngine) -> int:
    return engine.start(timeout=SECONDS).pid


@contextmanager
def stopped(process: int) -> Iterator[None]:
    os.kill(process, signal.SIGSTOP)
    threads = Path(f"/proc/{process}/task")
    until(lambda: all(") T " in (task / "stat").read_text() for task in threads.iterdir()))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # it may be dead meanwhile
            os.kill(process, signal.SIGCONT)


def test_a_prompt_gets_an_answer_of_the_common_form(engine: LlamaEngine) -> None:
    reply = engine.ask(PROMPT, timeout=SECONDS)

    answer = parse_answer(reply.text)
    assert reply.outcome is Outcome.ANSWERED
    assert answer.whole
    assert answer.walkthrough
    assert reply.usage is not None
    assert (reply.model, reply.usage.estimated) == ("tiny.gguf", False)
    assert reply.usage.output > 0
    assert (engine.name, engine.external, engine.provider) == ("llama", False, None)


def test_a_second_part_of_a_change_reuses_the_first_ones_start(engine: LlamaEngine) -> None:
    first = engine.ask(replace(PROMPT, shared="Title: Another"), timeout=SECONDS).usage
    second = engine.ask(replace(PROMPT, shared="Title: Another"), timeout=SECONDS).usage

    assert first is not None
    assert second is not None
    assert second.cache_read > first.cache_read
    assert second.input + second.cache_read == first.input + first.cache_read


def test_calls_at_the_same_time_say_what_each_says_alone(
    engine: LlamaEngine, pool: ThreadPoolExecutor
) -> None:
    prompts = [numbered(number, PROMPT) for number in range(12)]
    alone = [engine.ask(prompt, timeout=SECONDS).text for prompt in prompts]

    together = pool.map(lambda prompt: engine.ask(prompt, timeout=SECONDS).text, prompts)

    assert list(together) == alone


def test_tokens_are_counted_by_the_models_own_vocabulary(engine: LlamaEngine) -> None:
    counted = engine.count(PROMPT, ["", "return", "<|im_start|>"])
    usage = engine.ask(PROMPT, timeout=SECONDS).usage

    nothing, word, control = counted.texts
    assert (nothing, word) == (0, 1)
    assert control > 1  # text, not a control token
    assert usage is not None
    assert counted.prompt == usage.input + usage.cache_read  # with all that stands around it


def test_an_answer_without_room_is_cut_and_says_so(engine: LlamaEngine) -> None:
    reply = engine.ask(replace(PROMPT, max_output_tokens=5), timeout=SECONDS)

    assert reply.outcome is Outcome.TRUNCATED
    assert parse_answer(reply.text).remarks == ()
    assert reply.usage is not None
    assert reply.usage.output == 5


def test_an_empty_prompt_is_answered_too(engine: LlamaEngine) -> None:
    empty = Prompt("", "", "", answer_schema(), max_output_tokens=200)

    assert engine.ask(empty, timeout=SECONDS).outcome is Outcome.ANSWERED


@pytest.mark.parametrize(
    "prompt",
    [
        replace(PROMPT, unit="return amount " * 1_000),
        replace(PROMPT, unit="x" * 400_000),
        replace(PROMPT, max_output_tokens=2_048),
    ],
    ids=["tokens", "characters", "answer"],
)
def test_what_does_not_fit_is_refused_before_anything_is_computed(
    engine: LlamaEngine, prompt: Prompt
) -> None:
    reply = engine.ask(prompt, timeout=SECONDS)

    assert reply.outcome is Outcome.TOO_LONG
    assert "2048 fit" in reply.detail
    assert reply.usage is None


@pytest.mark.parametrize("choices", [("1",), ("1", "2", "3")])
def test_findings_are_judged_one_by_one(engine: LlamaEngine, choices: tuple[str, ...]) -> None:
    reply = engine.ask(replace(PROMPT, schema=verdict_schema(), choices=choices), timeout=SECONDS)

    verdicts = parse_verdicts(reply.text)
    assert reply.outcome is Outcome.ANSWERED
    assert verdicts is not None
    assert list(verdicts) == [int(choice) for choice in choices]


def test_each_finding_gets_a_change_or_none(engine: LlamaEngine) -> None:
    prompt = replace(PROMPT, schema=fix_schema(), choices=("1", "2"), max_output_tokens=400)

    reply = engine.ask(prompt, timeout=SECONDS)

    assert reply.outcome is Outcome.ANSWERED
    assert [fix["finding"] for fix in json.loads(reply.text)["fixes"]] == [1, 2]
    assert parse_fixes(reply.text) is not None


def test_a_change_in_doubt_gets_a_yes_or_a_no(engine: LlamaEngine) -> None:
    prompt = replace(PROMPT, schema=risk_schema(), choices=("auth", "payments"))

    opinion = parse_risk(engine.ask(prompt, timeout=SECONDS).text)

    assert opinion is not None
    assert opinion.area in ("auth", "payments", "none")


def test_another_sample_is_another_answer_and_the_same_one_the_same(
    engine: LlamaEngine, pool: ThreadPoolExecutor
) -> None:
    prompts = [replace(PROMPT, sample=number) for number in (0, 1, 2, 3, 1)]

    texts = [reply.text for reply in pool.map(lambda p: engine.ask(p, timeout=SECONDS), prompts)]

    assert texts[1] == texts[4]
    assert len(set(texts)) == 4


def test_passes_over_a_unit_and_its_judgement_compute_it_once(
    engine: LlamaEngine, pool: ThreadPoolExecutor
) -> None:
    unit = "=== src/refunds.py\n" + "12 +    return round(amount, 1)\n" * 20
    passes = [replace(PROMPT, unit=unit, sample=number, again=True) for number in range(4)]
    verdict = replace(
        PROMPT, unit=unit, question="Is it true?", schema=verdict_schema(), choices=("1",)
    )

    used = [r.usage for r in pool.map(lambda p: engine.ask(p, timeout=SECONDS), passes)]
    judged = engine.ask(verdict, timeout=SECONDS).usage

    tail, question = engine.count(PROMPT, ["\nassistant\n", "\n\nIs it true?"]).texts
    frame = tail + 2  # what the model is told to begin with
    first, *others = sorted(used, key=lambda usage: -usage.input if usage else 0)
    assert first is not None
    assert first.input > 200
    assert [usage and usage.input for usage in others] == [frame] * 3
    assert judged is not None
    assert judged.input == frame + question


def test_a_question_of_another_form_is_an_error(engine: LlamaEngine) -> None:
    with pytest.raises(EngineError, match="no grammar"):
        engine.ask(replace(PROMPT, schema={"type": "string"}), timeout=SECONDS)


def test_the_process_knows_no_secret(plan: LoadPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REVIEWBOT_WEBHOOK_SECRET", "ANTHROPIC_API_KEY", "GITHUB_TOKEN", "DATABASE_URL"):
        monkeypatch.setenv(name, "canary-7Qx")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    fresh = LlamaEngine(plan)

    process = pid(fresh)
    environment = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    command = Path(f"/proc/{process}/cmdline").read_bytes()
    fresh.close()

    assert b"CUDA_VISIBLE_DEVICES=0" in environment
    assert b"canary" not in b" ".join([*environment, command])


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGSEGV])
def test_a_death_costs_a_moment_but_no_answer(
    slow_engine: LlamaEngine, pool: ThreadPoolExecutor, death: signal.Signals
) -> None:
    first = pid(slow_engine)
    calls = [pool.submit(slow_engine.ask, numbered(number), timeout=SECONDS) for number in range(5)]
    until(lambda: slow_engine.process.computing == 4)

    os.kill(first, death)
    replies = [call.result() for call in calls]

    assert {reply.outcome for reply in replies} <= {Outcome.ANSWERED, Outcome.TRUNCATED}
    assert pid(slow_engine) != first


def test_a_prompt_that_kills_twice_is_given_up_and_harms_no_other(
    slow_engine: LlamaEngine, pool: ThreadPoolExecutor
) -> None:
    first = pid(slow_engine)
    poison = pool.submit(slow_engine.ask, numbered(1), timeout=SECONDS)
    until(lambda: slow_engine.process.computing == 1)
    os.kill(first, signal.SIGSEGV)
    others = [pool.submit(slow_engine.ask, numbered(n), timeout=SECONDS) for n in (2, 3)]
    until(lambda: slow_engine.process.waiting == 3)
    until(lambda: slow_engine.process.computing == 1)
    second = pid(slow_engine)
    assert slow_engine.process.waiting == 2  # it is tried again alone
    os.kill(second, signal.SIGSEGV)

    reply = poison.result()

    assert reply.outcome is Outcome.UNREACHABLE
    assert "ended by SIGSEGV; twice with this prompt" in reply.detail
    assert [other.result().outcome for other in others] == [Outcome.TRUNCATED] * 2


def test_a_model_that_ends_the_process_while_it_is_loaded(tmp_path: Path, plan: LoadPlan) -> None:
    """Its header promises other sizes than its weights have: a failed check in llama.cpp."""
    model = write_model(tmp_path / "lies.gguf", Shape(heads=3, kv_heads=1))
    engine = LlamaEngine(replace(plan, model=model))

    reply = engine.ask(PROMPT, timeout=SECONDS)
    with pytest.raises(EngineError, match=r"^lies\.gguf can't be loaded: .*SIGABRT"):
        engine.start(timeout=SECONDS)
    engine.close()

    assert reply.outcome is Outcome.UNREACHABLE
    assert "SIGABRT" in reply.detail
    assert "GGML_ASSERT" in reply.detail


def test_a_process_that_keeps_dying_is_started_again_ever_more_slowly(
    tmp_path: Path, plan: LoadPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = write_model(tmp_path / "lies.gguf", Shape(heads=3, kv_heads=1))
    process = ModelProcess(replace(plan, model=model), queue=4)
    waits: list[float] = []
    monkeypatch.setattr(process._closing, "wait", waits.append)  # and no time is lost
    monkeypatch.setattr(llama_process, "MAX_DEATHS", 5)
    monkeypatch.setattr(llama_process, "LONGEST_DELAY", 1.0)

    with pytest.raises(Died):
        process.start(timeout=SECONDS)
    process.close()

    assert waits == [0.4, 0.8, 1.0, 1.0]


def test_a_file_that_is_no_model_is_an_error_until_it_is_one(
    tmp_path: Path, plan: LoadPlan, short_limits: Limits
) -> None:
    model = tmp_path / "model.gguf"
    model.write_text("not found\n")
    engine = LlamaEngine(replace(plan, model=model), limits=short_limits)

    with pytest.raises(EngineError, match=r"^model\.gguf: llama\.cpp can't load it: .*'GGUF'$"):
        engine.ask(PROMPT, timeout=SECONDS)
    write_model(model)
    reply = engine.ask(PROMPT, timeout=SECONDS)
    engine.close()

    assert reply.outcome is Outcome.ANSWERED


def test_a_full_queue_says_when_to_come_back(
    slow_engine: LlamaEngine, pool: ThreadPoolExecutor
) -> None:
    with stopped(pid(slow_engine)):
        calls = [pool.submit(slow_engine.ask, numbered(n), timeout=SECONDS) for n in range(5)]
        until(lambda: slow_engine.process.waiting == 5)
        refused = slow_engine.ask(PROMPT, timeout=SECONDS)

    assert refused.outcome is Outcome.OVERLOADED
    assert refused.retry_after is not None
    assert refused.retry_after >= 1
    assert all(call.result().text for call in calls)


def test_a_call_is_told_when_its_turn_has_come_and_not_before(
    slow_engine: LlamaEngine, pool: ThreadPoolExecutor
) -> None:
    begun: list[int] = []

    def ask(number: int) -> None:
        prompt = numbered(number)
        slow_engine.ask_in_turn(prompt, timeout=SECONDS, begun=lambda: begun.append(number))

    with stopped(pid(slow_engine)):
        calls = [pool.submit(ask, number) for number in range(5)]
        until(lambda: slow_engine.process.waiting == 5)
        early = list(begun)
    for call in calls:
        call.result()

    assert early == []
    assert sorted(begun) == [0, 1, 2, 3, 4]


def test_a_call_waits_no_longer_than_it_was_told(slow_engine: LlamaEngine) -> None:
    with stopped(pid(slow_engine)):
        late = slow_engine.ask(PROMPT, timeout=0.05)
    started = slow_engine.ask(LONG, timeout=0.03)

    assert late.outcome is started.outcome is Outcome.TIMED_OUT
    assert late.usage is None
    until(lambda: slow_engine.process.computing == 0)
    assert slow_engine.process.waiting == 0


def test_a_process_that_hangs_is_replaced(plan: LoadPlan) -> None:
    process = ModelProcess(plan, queue=4, stall_seconds=0.1)
    hung = process.start(timeout=SECONDS).pid

    with stopped(hung), pytest.raises(NoAnswerInTime):
        process.count(NOTHING, timeout=0.2)
    fresh = process.start(timeout=SECONDS).pid
    process.close()

    assert fresh != hung


def test_the_process_ends_with_whoever_started_it(plan: LoadPlan) -> None:
    program = (
        "import sys, pathlib\n"
        "from reviewbot.engines.llama.engine import LlamaEngine\n"
        "from reviewbot.engines.llama.plan import LoadPlan\n"
        "plan = LoadPlan(pathlib.Path(sys.argv[1]), 512, 512, 1, 0, threads=1)\n"
        "print(LlamaEngine(plan).start(timeout=60).pid, flush=True)\n"
        "input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(plan.model)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert Path(f"/proc/{child}").exists()
        parent.kill()

    until(lambda: not alive(child))


def alive(process: int) -> bool:
    """It runs: it is neither gone nor waiting to be buried."""
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_closed_engine_says_so(plan: LoadPlan) -> None:
    engine = LlamaEngine(plan)
    process = pid(engine)

    engine.close()

    assert not alive(process)
    with pytest.raises(EngineError, match="closed"):
        engine.ask(PROMPT, timeout=SECONDS)
