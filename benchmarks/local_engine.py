"""Batched answers beside one after another, on a random model of the 0.5B shape made here.

The same work each time: several parts of one change, greedy, no grammar, one thread and no flash
attention unless told otherwise, as texts are only then the same. Then what a grammar costs a token
with a vocabulary of 152 k.

With `--shape 32b` (or another size of the catalogue) instead: a random model of that true size, as it
would be loaded on this machine, and what reviews with it take. This is what to run on a GPU.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

sys.path.append(str(Path(__file__).parents[1] / "tests"))

import llama_cpp
import numpy as np
from processes import table
from shapes import Wanted, letters, measured
from tiny_gguf import Shape, write_model

from reviewbot.engines.llama.batch import Batch, Job, sequences_needed
from reviewbot.engines.llama.chatml import ChatML, ChatPrompt
from reviewbot.engines.llama.grammar import review_grammar
from reviewbot.engines.llama.native import Native
from reviewbot.engines.llama.plan import LoadPlan
from reviewbot.engines.llama.sampler import Sampler

CACHE = Path.home() / ".cache" / "reviewbot" / "benchmarks"
SHAPE = Shape(
    layers=24,
    width=896,
    heads=14,
    kv_heads=2,
    feed_forward=4_864,
    context=32_768,
    vocabulary=151_936,
    kind="q8_0",
    tied=True,
)


@dataclass(frozen=True)
class Work:
    """What is asked: tokens of the prompt's parts and of each answer."""

    parts: int
    shared: int
    unit: int
    answer: int
    batches: tuple[int, ...]

    def prompts(self) -> list[ChatPrompt]:
        return [
            ChatPrompt("review this change", letters(self.shared, 1), letters(self.unit, 2 + part))
            for part in range(self.parts)
        ]


FULL = Work(parts=8, shared=1_500, unit=430, answer=150, batches=(1, 2, 4, 8))
QUICK = Work(parts=8, shared=300, unit=60, answer=24, batches=(1, 8))


class Run(NamedTuple):
    texts: list[str]
    wall: float
    cpu: float


def timed(work: Callable[[], list[str]]) -> Run:
    wall, cpu = time.monotonic(), time.process_time()
    texts = work()
    return Run(texts, time.monotonic() - wall, time.process_time() - cpu)


def sequential(model: Path, work: Work, threads: int, flash: bool) -> Run:
    """`create_chat_completion`, which reuses what two prompts in a row begin with."""
    llama = llama_cpp.Llama(
        str(model),
        n_ctx=4_096,
        n_threads=threads,
        n_threads_batch=threads,
        flash_attn=flash,
        chat_format="chatml",
        verbose=False,
    )

    def ask(prompt: ChatPrompt) -> str:
        messages = [
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": f"{prompt.shared}\n\n{prompt.unit}"},
        ]
        reply: Any = llama.create_chat_completion(
            messages,
            temperature=0.0,
            max_tokens=work.answer,  # type: ignore[arg-type]
        )
        return str(reply["choices"][0]["message"]["content"])

    try:
        return timed(lambda: [ask(prompt) for prompt in work.prompts()])
    finally:
        llama.close()


def batched(
    model: Path, work: Work, threads: int, flash: bool, *, sequences: int, shared: bool = True
) -> Run:
    cells = 4_096 * (sequences if not shared else 1) + 1_024 * sequences
    plan = LoadPlan(model, 4_096, cells, sequences, 0, threads=threads, flash_attention=flash)
    native = Native(plan, sequences=sequences_needed(sequences))
    chat = ChatML(native)

    def answers() -> list[str]:
        batch = Batch(native, sequences=sequences)
        for number, prompt in enumerate(work.prompts()):
            tokens, cuts, pull = chat.layout(prompt)
            batch.add(Job(number, tokens, cuts if shared else (), pull, work.answer))
        texts = [""] * work.parts
        while batch.busy:
            batch.admit()
            for done in batch.step():
                texts[done.id] = done.text.decode("utf-8", "ignore")
        return texts

    try:
        return timed(answers)
    finally:
        native.close()


def grammar_costs(model: Path) -> dict[str, float]:
    """Milliseconds a token: where the model follows the grammar, where another token among its
    best fits, and where none of them does."""
    native = Native(LoadPlan(model, 512, 512, 1, 0, threads=1), sequences=sequences_needed(1))
    gbnf = review_grammar(
        [f"src/module_{number}.py" for number in range(20)],
        [(number * 40, number * 40 + 12) for number in range(1, 20)],
    )
    followed = native.tokens(answer())
    usual = np.random.default_rng(1).standard_normal(native.vocabulary_size).astype(np.float32)
    scores = usual.copy()
    forbidden = native.tokens("\n")[0]

    def each(best: list[int], gbnf: str | None, depth: int) -> Iterator[float]:
        sampler = Sampler(native, native.grammar(gbnf) if gbnf else None, temperature=0, seed=0)
        for token in best:
            scores[:] = usual
            scores[token] = (100, 50, -100)[depth]
            if depth:
                scores[forbidden] = 100
            started = time.perf_counter()
            sampler.next(scores)
            yield (time.perf_counter() - started) * 1_000
        sampler.close()

    def mean(values: Iterator[float]) -> float:
        return round(float(np.mean(list(values))), 3)

    costs = {
        "grammar_ms_none": mean(each(followed, None, 0)),
        "grammar_ms_followed": mean(each(followed, gbnf, 0)),
        "grammar_ms_few": mean(each(followed, gbnf, 1)),
        "grammar_ms_all": mean(each(followed[:1], gbnf, 2)),
    }
    native.close()
    return costs


def answer() -> str:
    finding = {
        "path": "src/module_7.py",
        "line": 92,
        "end_line": None,
        "quote": "return round(amount, 1)",
        "severity": "high",
        "category": "correctness",
        "title": "Refunds lose cents",
        "body": "Rounding to one digit drops the last cent of each refund that has one.",
        "suggestion": "return round(amount, 2)",
        "confidence": 0.9,
    }
    return "\n".join(map(json.dumps, [{"walkthrough": "Rounds refunds."}, finding]))


def by_shape(options: argparse.Namespace) -> None:
    wanted = Wanted(
        options.shape,
        options.prompt,
        options.steps,
        options.reviews,
        options.review_tokens,
        options.answer,
    )
    result = measured(wanted, CACHE, options.watts)
    rows: list[tuple[object, ...]] = [
        ("sequences", "read tokens/s", "written tokens/s", "the memory allows", "of that")
    ]
    rows += [
        (
            size,
            each["prefill_tokens_per_s"],
            each["decode_tokens_per_s"],
            each["decode_limit"],
            f"{each['of_limit']:.0%}",
        )
        for size, each in result["speeds"].items()
    ]
    table(rows)
    print(
        f"{result['device']}, {result['copy_gb_per_s']} GB/s when it copies; reviews of "
        f"{wanted.review_tokens:,} tokens, {result['at_a_time']} parts at a time: "
        f"{result['reviews_per_hour']} an hour, {result['joules_per_review']} J each "
        f"({result['joules_how']})"
    )
    print(json.dumps(result))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less work: some minutes")
    parser.add_argument("--batches", metavar="N,…", help="sizes, 8 among them")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--flash", action="store_true", help="flash attention")
    whole = parser.add_argument_group("with --shape")
    whole.add_argument("--shape", metavar="SIZE", help="0.5b … 32b, or tiny")
    whole.add_argument("--prompt", type=int, default=512, help="tokens each sequence reads")
    whole.add_argument("--steps", type=int, default=64, help="tokens each sequence writes")
    whole.add_argument("--reviews", type=int, default=8)
    whole.add_argument("--review-tokens", type=int, default=15_000)
    whole.add_argument("--answer", type=int, default=600, help="tokens of each part's answer")
    whole.add_argument("--watts", type=float, default=350, help="where no card counts joules")
    options = parser.parse_args()
    if options.shape:
        by_shape(options)
        return
    work = QUICK if options.quick else FULL
    if options.batches:
        sizes = sorted({*map(int, options.batches.split(",")), 8})
        work = replace(work, batches=tuple(sizes))
    model = CACHE / "random-0.5b-q8_0.gguf"
    if not model.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        write_model(model.with_suffix(".part"), SHAPE).rename(model)
    how = (model, work, options.threads, options.flash)

    one_by_one = sequential(*how)
    runs = {size: batched(*how, sequences=size) for size in work.batches}
    unshared = batched(*how, sequences=8, shared=False)

    output = work.parts * work.answer
    rows: list[tuple[object, ...]] = [("", "wall s", "CPU s", "answer tokens/s", "same texts")]
    named = {"one by one": one_by_one} | {f"batch of {n}": run for n, run in runs.items()}
    for name, run in {**named, "batch of 8, nothing shared": unshared}.items():
        same = sum(a == b for a, b in zip(run.texts, one_by_one.texts, strict=True))
        rate = f"{output / run.wall:.1f}"
        rows.append((name, f"{run.wall:.1f}", f"{run.cpu:.1f}", rate, f"{same} of {work.parts}"))
    table(rows)
    result = {
        "speedup_8": round(one_by_one.wall / runs[8].wall, 2),
        "speedup_8_cpu": round(one_by_one.cpu / runs[8].cpu, 2),
        "identical": all(run.texts == one_by_one.texts for run in runs.values()),
        "tokens_per_s": {size: round(output / run.wall, 1) for size, run in runs.items()},
        "prefix_reuse_gain": round(unshared.wall / runs[8].wall, 2),
        "prefix_reuse_gain_cpu": round(unshared.cpu / runs[8].cpu, 2),
        **grammar_costs(model),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
