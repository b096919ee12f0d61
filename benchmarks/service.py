"""The whole service, `reviewbot serve`, between a loopback GitHub and a loopback model.

From a signed delivery to the last comment, requests to GitHub until then and for what people made
of it, a burst, and memory. What the
loopback GitHub itself takes is part of every time: its share is said as the time of one request.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "tests"))

import requests
from github_simulator.content import Content
from loopback import Surroundings, surroundings
from processes import Memory, children, command_line, memory, table

#: (files of each pull request, latency of GitHub's API in seconds)
CASES = ((8, 0.0), (8, 0.08), (69, 0.0), (69, 0.08), (100, 0.08))
#: Pull requests of a case, one after another, after one that is not counted.
PULLS = 5
BURST, BURST_LATENCY, BURST_MODEL = 32, 0.08, 2.0


def to_last_comment(around: Surroundings, files: int, latency: float) -> dict[str, object]:
    """Seconds from delivery to the last comment, and requests of a first and a further review."""
    name = f"acme/files{files}-{round(latency * 1000)}"
    repository, pulls = around.pulls(name, files, PULLS + 1)
    around.github.latency = latency
    seconds, counts = [], []
    for pull in pulls:
        before = len(around.github.requests)
        started = time.monotonic()
        around.deliver(repository, pull)
        around.wait(repository, pull)
        seconds.append(time.monotonic() - started)
        time.sleep(0.3)  # nothing may come after the last comment
        counts.append(around.requests_since(before))
    around.github.latency = 0.0
    return {
        "files": files,
        "latency_ms": round(latency * 1000),
        "p50_s": round(median(seconds[1:]), 2),
        "max_s": round(max(seconds[1:]), 2),
        "first_requests": counts[0].total(),
        "requests": counts[-1].total(),
        "kinds": dict(sorted(counts[-1].items())),
    }


def feedback(around: Surroundings) -> dict[str, int]:
    """Requests to GitHub for what happens after a review, tokens included."""
    repository, [pull, other] = around.pulls("acme/feedback", 8, 2)
    counts = {}
    for each in (pull, other):
        around.deliver(repository, each)
        around.wait(repository, each)
    [finding, *_] = pull.threads
    for what in ("first event in a thread", "further event"):
        payload = around.github.payloads.review_thread(repository, pull, finding)
        counts[what] = _requests(around, "pull_request_review_thread", payload)
    repository.content = Content(repository.content.folder)  # one that looks at git again
    repository.merge(pull)
    repository.close(other)
    for what, each in (("merge", pull), ("close without a merge", other)):
        payload = around.github.payloads.pull_request(repository, each, "closed")
        counts[what] = _requests(around, "pull_request", payload)
    return counts


def _requests(around: Surroundings, event: str, payload: dict[str, Any]) -> int:
    before = len(around.github.requests)
    around.github.deliver(f"{around.url}/webhook", event, payload)
    time.sleep(2)  # there may be none to wait for
    return len(around.github.requests) - before


def one_request(around: Surroundings) -> float:
    """Seconds that the loopback GitHub takes for the smallest answer."""
    seconds = []
    for _ in range(20):
        started = time.monotonic()
        requests.get(f"{around.github.url}/repos/none/none", timeout=5)
        seconds.append(time.monotonic() - started)
    return median(seconds)


def burst(around: Surroundings) -> dict[str, float]:
    """Many pull requests at the same moment."""
    repository, pulls = around.pulls("acme/burst", 8, BURST)
    around.github.latency, around.model_seconds = BURST_LATENCY, BURST_MODEL
    started = time.monotonic()
    with ThreadPoolExecutor(BURST) as threads:
        answered = list(threads.map(lambda pull: around.deliver(repository, pull), pulls))
    around.wait(repository, *pulls)
    whole = time.monotonic() - started
    around.github.latency = around.model_seconds = 0.0
    return {
        "deliveries": BURST,
        "slowest_answer_s": round(max(answered), 2),
        "median_answer_s": round(median(answered), 2),
        "all_reviewed_s": round(whole, 1),
    }


def memories(around: Surroundings) -> dict[str, Memory]:
    """Of each process, by what it is."""
    found = {"supervisor": memory(around.supervisor.pid)}
    for child in children(around.supervisor.pid):
        if " web" in command_line(child):
            found["arbiter"] = memory(child)
            [worker] = children(child)
            found["web"] = memory(worker)
        else:
            found["worker"] = memory(child)
    return found


def show(cases: list[dict[str, object]], result: dict[str, object]) -> None:
    titles = ("files", "latency_ms", "p50_s", "max_s", "first_requests", "requests")
    table([titles, *(tuple(case[title] for title in titles) for case in cases)])
    for case in cases[-1:]:
        kinds = case["kinds"]
        assert isinstance(kinds, dict)
        table([(f"GitHub, {case['files']} files", "requests"), *kinds.items()])
    feedback_of = result["feedback"]
    assert isinstance(feedback_of, dict)
    table([("afterwards", "requests"), *feedback_of.items()])
    burst_of = result["burst"]
    assert isinstance(burst_of, dict)
    table([tuple(burst_of), tuple(burst_of.values())])


def main() -> None:
    with surroundings() as around:
        idle = memories(around)
        request = one_request(around)
        cases = [to_last_comment(around, *case) for case in CASES]
        result: dict[str, object] = {"cases": cases, "feedback": feedback(around)}
        result["burst"] = burst(around)
        after = memories(around)
    show(cases, result)
    sizes = [(name, *idle[name], *after[name]) for name in idle]
    table([("MB", "RSS idle", "PSS idle", "RSS after", "PSS after"), *sizes])
    result["github_request_ms"] = round(request * 1000, 1)
    result["memory_mb"] = {
        when: {name: found._asdict() for name, found in sizes_of.items()}
        for when, sizes_of in (("idle", idle), ("after", after))
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
