"""Damaged inputs by the hundred thousand: `python benchmarks/fuzz.py [SECONDS [KIND …]]`.

Real webhook bodies, headers, diffs, policies, rule files, comments and answers, damaged by dice, each
of which must be read or refused. A kind ends at its count, or after SECONDS (600). The seed is
printed: an input that breaks something comes again with it.
"""

import json
import logging
import random
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))
sys.path.append(str(Path(__file__).parents[1] / "tests" / "service"))

import structlog
from any_input import JUDGES
from processes import table

COUNTS = {
    "webhook bodies": 1_000_000,
    "forged signatures": 100_000,
    "headers": 20_000,
    "diffs": 1_000_000,
    "policies and rule files": 200_000,
    "comments": 200_000,
    "answers of models": 200_000,
}


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600.0
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    seed = random.SystemRandom().randrange(10**9)
    rows, result = [], {"seed": seed}
    for kind, wanted in COUNTS.items():
        if sys.argv[2:] and kind not in sys.argv[2:]:
            continue
        dice, judge, found = random.Random(seed), JUDGES[kind], Counter[str]()
        slowest, began = 0.0, time.monotonic()
        while found.total() < wanted and time.monotonic() - began < seconds:
            started = time.thread_time()
            found[judge(dice)] += 1
            slowest = max(slowest, time.thread_time() - started)
        took = time.monotonic() - began
        said = ", ".join(f"{name} {count:,}" for name, count in found.most_common(4))
        rows.append((kind, f"{found.total():,}", f"{took:.0f}", f"{slowest * 1000:.0f}", said))
        result[kind] = found.total()
        print(f"{kind}: {found.total():,}", file=sys.stderr, flush=True)
    table([("kind", "inputs", "s", "slowest, ms CPU", "what came of them"), *rows])
    print(json.dumps(result))


if __name__ == "__main__":
    main()
