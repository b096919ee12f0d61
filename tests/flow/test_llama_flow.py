"""The local tier read by a model on this machine, from the command line on."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from flow.conftest import Terminal
from tiny_gguf import Shape, write_model

from reviewbot.change.parse import parse_diff
from reviewbot.change.tokens import estimate_tokens
from reviewbot.engines.llama.engine import LlamaEngine
from reviewbot.engines.llama.grammar import Limits
from reviewbot.engines.llama.plan import LoadPlan
from reviewbot.review.engine import EngineFacts, Lineup, Outcome, Prompt
from reviewbot.review.plan import Assignment, Plan
from reviewbot.review.prompt import Briefing
from reviewbot.review.work import follow_ups, prepare

pytestmark = pytest.mark.usefixtures("one_core")

#: Letters that the tiny vocabulary has no longer tokens of: four times the estimate.
DENSE = [f"{number:03}" + "jqxz" * 12 for number in range(120)]
DIFF = "\n".join(
    [
        "diff --git a/dense.txt b/dense.txt",
        "new file mode 100644",
        "--- /dev/null",
        "+++ b/dense.txt",
        f"@@ -0,0 +1,{len(DENSE)} @@",
        *("+" + line for line in DENSE),
        "",
    ]
)


def test_a_model_file_is_all_that_the_local_tier_needs(
    terminal: Terminal, repository: Path, tmp_path: Path
) -> None:
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed (make llama)")
    model = write_model(tmp_path / "tiny.gguf", replace(Shape(), context=16_384))
    terminal.set(local_model=model)

    review = terminal.review(repository, "plain")

    assert [entry["engine"] for entry in review["coverage"]] == ["llama"]
    [call] = review["calls"]
    assert (call["engine"], call["provider"]) == ("llama", None)
    assert call["outcome"] in ("answered", "truncated")  # a model that knows nothing may go on
    assert call["usage"]["input"] > 1_000
    assert review["egress"] == []
    assert any(note.startswith("local engine: tiny on the CPU") for note in review["notes"])


def test_a_change_is_packed_by_the_models_own_count_of_tokens(tmp_path: Path) -> None:
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed (make llama)")
    model = write_model(tmp_path / "tiny.gguf", replace(Shape(), context=8_192))
    plan = LoadPlan(model, 8_192, 8_192, 1, 0, threads=1)
    change = parse_diff(DIFF)
    briefing = Briefing(
        change, path_instructions={"dense.txt": "Look at each letter.\nThen at the digits."}
    )
    with closing(LlamaEngine(plan, limits=Limits(walkthrough=8, findings=0))) as engine:
        lineup = Lineup({"local": EngineFacts.of(engine)})

        jobs = prepare(
            Plan((Assignment("local", change.files),), (), {}, ()),
            briefing,
            lineup,
            sources={},
            notes={"dense.txt": "holds many letters"},
            count=lambda role, prompt, texts: engine.count(prompt, texts),
        ).jobs
        prompts = [job.composed.prompt for job in jobs]
        sizes = [engine.count(prompt, ()).prompt for prompt in prompts]
        outcomes = {engine.ask(prompt, timeout=60).outcome for prompt in prompts}

    room = plan.context_tokens - prompts[0].max_output_tokens
    assert outcomes == {Outcome.ANSWERED}  # none was too long and had to be halved
    assert max(sizes) <= room
    assert min(sizes[:-1]) > room - 100  # all but the last are as full as whole lines make them
    shown = "".join(prompt.unit for prompt in prompts)
    assert all(shown.count(line) == 1 for line in DENSE)
    named = [number for prompt in prompts for a, b in prompt.lines for number in range(a, b + 1)]
    assert named == list(range(1, len(DENSE) + 1))


def test_a_small_change_is_packed_without_counting() -> None:
    change = parse_diff("\n".join([*DIFF.split("\n")[:4], "@@ -0,0 +1,1 @@", "+x = 1", ""]))
    facts = EngineFacts("llama", "tiny", False, None, 16_384, counts=True)

    prepared = prepare(
        Plan((Assignment("local", change.files),), (), {}, ()),
        Briefing(change),
        Lineup({"local": facts}),
        sources={},
        notes={},
        count=lambda *_: pytest.fail("nothing was to be counted"),
    )

    assert len(prepared.jobs) == 1


def test_a_part_that_the_estimate_made_too_long_is_halved_until_all_of_it_is_read(
    tmp_path: Path,
) -> None:
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed (make llama)")
    model = write_model(tmp_path / "tiny.gguf", replace(Shape(), context=8_192))
    plan = LoadPlan(model, 8_192, 8_192, 1, 0, threads=1)
    change = parse_diff(DIFF)
    briefing = Briefing(change)
    answered: list[Prompt] = []
    with closing(LlamaEngine(plan, limits=Limits(walkthrough=8, findings=0))) as engine:
        lineup = Lineup({"local": EngineFacts.of(engine)})
        jobs = prepare(
            Plan((Assignment("local", change.files),), (), {}, ()),
            briefing,
            lineup,
            sources={},
            notes={},
        ).jobs
        [whole] = jobs

        while jobs:
            asked = [(job, engine.ask(job.composed.prompt, timeout=60)) for job in jobs]
            answered += [
                job.composed.prompt for job, reply in asked if reply.outcome is Outcome.ANSWERED
            ]
            jobs = tuple(
                half for job, reply in asked for half in follow_ups(job, reply, briefing, lineup)
            )

        first = engine.count(whole.composed.prompt, ()).prompt

    assert estimate_tokens(whole.composed.prompt.text) < plan.context_tokens < first
    assert len(answered) >= 2
    shown = "".join(prompt.unit for prompt in answered)
    assert all(shown.count(line) == 1 for line in DENSE)
