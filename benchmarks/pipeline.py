"""Parse, route and pack real diffs to prompts: speed, tokens, and files left out."""

import json
import time
from collections.abc import Callable

import unidiff
from diffs import from_arguments

from reviewbot.change.model import Change
from reviewbot.change.parse import parse_diff
from reviewbot.config.policy import Policy
from reviewbot.review.engine import EngineFacts
from reviewbot.review.prompt import Briefing, compose, system_prompt
from reviewbot.review.units import Packed, pack
from reviewbot.review.work import unit_budget
from reviewbot.routing.router import decide
from reviewbot.routing.rules import shipped_rules

CONTEXT = 32_000


def best(work: Callable[[], object], runs: int = 7) -> float:
    """CPU seconds of the fastest of some runs: what the machine can do undisturbed."""
    times = []
    for _ in range(runs):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def main() -> None:
    records = from_arguments()
    texts = [record["diff"] for record in records]
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    rules, policy = shipped_rules(), Policy()
    facts = EngineFacts("openai", "any", False, None, CONTEXT)

    def packed(change: Change) -> tuple[Briefing, Packed]:
        briefing = Briefing(change)
        return briefing, pack(change.files, unit_budget(facts, briefing))

    def whole() -> None:
        for text in texts:
            change = parse_diff(text)
            decide(change, rules, policy, local_context_tokens=CONTEXT)
            briefing, made = packed(change)
            for unit in made.units:
                compose(briefing, unit, len(made.units), external=False)

    whole()  # compile rules and warm caches once, as a service does
    seconds = {
        "unidiff": best(lambda: [unidiff.PatchSet(text) for text in texts]),
        "parse": best(lambda: [parse_diff(text) for text in texts]),
        "flow": best(whole),
    }
    changes = [parse_diff(text) for text in texts]
    seconds["route"] = best(
        lambda: [decide(c, rules, policy, local_context_tokens=CONTEXT) for c in changes]
    )
    result: dict[str, object] = {
        "megabytes": round(megabytes, 2),
        "parse_mb_s": round(megabytes / seconds["parse"], 1),
        "unidiff_mb_s": round(megabytes / seconds["unidiff"], 1),
        "parse_vs_unidiff": round(seconds["unidiff"] / seconds["parse"], 2),
        "route_mb_s": round(megabytes / seconds["route"], 1),
        "parse_route_pack_mb_s": round(megabytes / seconds["flow"], 1),
        "flow_vs_unidiff": round(seconds["unidiff"] / seconds["flow"], 2),
    }
    result |= tokens(changes, texts, packed)
    theirs = [record["pr_agent"] for record in records if "pr_agent" in record]
    if len(theirs) == len(records):
        result["times_pr_agent_stored"] = round(
            sum(t["ms"] for t in theirs) / 1000 / seconds["flow"], 1
        )
        result["pr_agent_files_left_out"] = sum(t["files_left_out"] for t in theirs)
    for name, value in result.items():
        print(f"{name:<28}{value:>12}")
    print(json.dumps(result))


def tokens(
    changes: list[Change], texts: list[str], packed: Callable[[Change], tuple[Briefing, Packed]]
) -> dict[str, object]:
    """Tokens by the o200k vocabulary, and files that are in no prompt and not declared."""
    from rs_bpe import openai

    vocabulary = openai.o200k_base()
    raw = shown = lost = 0
    for change, text in zip(changes, texts, strict=True):
        raw += vocabulary.count(text)
        _, made = packed(change)
        shown += sum(vocabulary.count(s.text) for unit in made.units for s in unit.sections)
        seen = {path for unit in made.units for path in unit.paths} | set(made.left_out)
        lost += sum(file.path not in seen for file in change.files)
    return {
        "raw_tokens": raw,
        "diff_tokens_ratio": round(shown / raw, 3),
        "boilerplate_tokens": vocabulary.count(system_prompt()),
        "files_left_out_silently": lost,
    }


if __name__ == "__main__":
    main()
