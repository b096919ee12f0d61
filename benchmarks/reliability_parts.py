"""What is done to the service; each part raises Broken where something does not hold."""

import json
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

from github_simulator import webhooks
from github_simulator.state import Limits, Pull, Repository
from model_servers.server import Asked
from reliability_bench import Bench, must
from serving import answer

from reviewbot.service.worker import LOST_DATABASE

Figures = dict[str, Any]

#: Requests from a delivery to the end of its review, about.
REQUESTS = 14
#: Pull requests that are open at a time, and kills while they are: no review meets more of them than
#: it survives by design (five).
ROUND, KILLS = 4, 4
#: Seconds between deliveries that meet a full disk.
BREATH = 5
_POSTS = r"^POST /repos/.*/(reviews|comments|check-runs)$"


def kills(bench: Bench, count: int) -> Figures:
    """`kill -9` at random moments while reviews flow."""
    bench.begin()
    done: Counter[str] = Counter()
    # most of what can be broken is in the worker's hands
    others = ("web", "supervisor", "worker") if bench.together else ("web", *["worker"] * 9)
    while done.total() < count and bench.goes_on:
        repository = bench.repository(ROUND)
        first = bench.requests_seen()
        moments = sorted(bench.chance.randrange(ROUND * REQUESTS) for _ in range(KILLS))
        pulls = [bench.open(repository, 1)]
        for number, moment in enumerate(moments, 2):
            if number <= ROUND:
                pulls.append(bench.open(repository, number))
            _wait(bench, first + moment, pulls)
            time.sleep(bench.chance.random() * 0.1)
            victim = bench.chance.choice(others)
            bench.kill(victim)
            done[victim] += 1
        bench.rest(pulls)
    return {"kills": done.total(), **done, **bench.check()}


def _wait(bench: Bench, moment: int, pulls: Sequence[Pull]) -> None:
    """So many requests, or the end of the reviews if that comes before."""
    bench.until(
        lambda: bench.requests_seen() >= moment or all(pull.comments for pull in pulls),
        "the moment",
    )


def ambiguous(bench: Bench, count: int) -> Figures:
    """POSTs that are done, and then answered by a 502 or by nothing."""
    bench.begin()
    hows = ("502", "hang-up")
    for _ in range(count):
        bench.service.github.ambiguous(_POSTS, bench.chance.choice(hows))
    faults = bench.service.github.faults
    while any(fault.times for fault in faults) and bench.goes_on:
        repository = bench.repository(16)
        bench.rest([bench.open(repository, number) for number in range(1, 17)])
    met = sum(not fault.times for fault in faults)
    return {"ambiguous POSTs": met, **bench.check(whole=True)}


def outage(bench: Bench, count: int) -> Figures:
    """Deliveries that reached nobody, before the service starts."""
    each = 50
    repositories = [bench.repository(each) for _ in range(count // each)]
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}/webhook"
    for repository in repositories:
        for number in range(1, each + 1):
            pull = repository.open_pull(f"work{number}", title="Simplify login")
            payload = bench.service.github.payloads.pull_request(repository, pull)
            must(bench.service.github.deliver(nowhere, "pull_request", payload).status == 0, "lost")
            bench.pulls.append((repository, pull))
    started = time.monotonic()
    bench.begin()
    # to list all jobs takes the time that is measured
    bench.until(lambda: _reviews(bench) >= count, "all are queued", 1_800, look=2.0)
    queued = time.monotonic() - started
    bench.until(lambda: all(pull.comments for _, pull in bench.pulls), "all are reviewed", 1_800)
    bench.rest([pull for _, pull in bench.pulls])
    reviewed = time.monotonic() - started
    figures = {"missed deliveries": count, "queued after s": round(queued, 1)}
    return {**figures, "reviewed after s": round(reviewed, 1), **bench.check(whole=True)}


def deliveries(bench: Bench, count: int) -> Figures:
    """Deliveries in any order, three in ten of them a second time, by eight senders; no worker runs,
    so that all jobs can be counted."""
    bench.begin(workers=0)
    distinct, secret = count * 7 // 10, bench.service.app.webhook_secret
    repository = bench.repository(1)
    pull = repository.open_pull("work1", title="Simplify login")
    payload = bench.service.github.payloads.pull_request(repository, pull)
    head = payload["pull_request"]["head"]["sha"]
    template, url = json.dumps(payload), f"{bench.service.url}/webhook"
    heads = [f"{number:040x}" for number in range(distinct)]
    sent = [*heads, *bench.chance.sample(heads, count - distinct)]
    bench.chance.shuffle(sent)

    def send(other: str) -> int:
        body = template.replace(head, other).encode()
        headers = webhooks.headers_of("pull_request", webhooks.new_guid(), secret, body)
        return webhooks.post(url, body, headers).status

    started = time.monotonic()
    with ThreadPoolExecutor(8) as senders:
        answers = Counter(senders.map(send, sent))
    seconds = time.monotonic() - started
    must(answers == {202: count}, f"answers: {answers}")
    queued = _reviews(bench)
    must(queued == distinct, f"{queued} jobs for {distinct} heads")
    figures = {"deliveries": count, "distinct heads": distinct, "jobs on disk": queued}
    return {**figures, "deliveries/s": round(count / seconds)}


def burst(bench: Bench, count: int) -> Figures:
    """The same of as many pull requests, all of which are reviewed; a thousand deliveries at once.

    GitHub's 5 000 requests an hour would be used up after some 560 reviews: they are not counted."""
    bench.service.github.limits = Limits(requests_an_hour=10**9)
    bench.begin()
    done = 0
    while done < count and bench.goes_on:
        done += _flood(bench, min(1_000, count - done))
    return {"deliveries": done, "distinct heads": len(bench.pulls), **bench.check(whole=True)}


def _flood(bench: Bench, count: int) -> int:
    """So many deliveries in any order, three in ten of them a second time, until all is reviewed."""
    distinct, each = count * 7 // 10, 50
    places: list[tuple[Repository, Pull, dict[str, Any]]] = []
    while len(places) < distinct:
        repository = bench.repository(each)
        for number in range(1, min(each, distinct - len(places)) + 1):
            pull = repository.open_pull(f"work{number}", title="Simplify login")
            payload = bench.service.github.payloads.pull_request(repository, pull)
            places.append((repository, pull, payload))
    bench.pulls += [(repository, pull) for repository, pull, _ in places]
    sent = [*places, *bench.chance.sample(places, count - distinct)]
    bench.chance.shuffle(sent)
    with ThreadPoolExecutor(4) as senders:
        answers = Counter(
            senders.map(lambda one: bench.service.deliver("pull_request", one[2]).status, sent)
        )
    must(answers == {202: count}, f"answers: {answers}")
    pulls = [pull for _, pull, _ in places]
    bench.until(lambda: all(pull.comments for pull in pulls), "all are reviewed", 1_800)
    bench.rest(pulls)
    return count


def full_disk(bench: Bench, count: int) -> Figures:
    """No byte can be written for `count` seconds, while a delivery comes every few seconds. Nobody
    sends one again: what was refused is found in GitHub's log, minutes after there is room."""
    bench.begin()
    coming = max(count // BREATH, 1)
    repository = bench.repository(coming + 1)
    bench.rest([bench.open(repository, 1)])  # all runs
    answers: Counter[int] = Counter()
    with bench.full_disk():
        for number in range(2, coming + 2):
            pull = repository.open_pull(f"work{number}", title="Simplify login")
            payload = bench.service.github.payloads.pull_request(repository, pull)
            answers[bench.service.deliver("pull_request", payload).status] += 1
            bench.pulls.append((repository, pull))
            time.sleep(BREATH)
    must(answers == {503: coming}, f"answers: {answers}")
    room = time.monotonic()
    pulls = [pull for _, pull in bench.pulls]
    bench.until(lambda: all(pull.comments for pull in pulls), "all are reviewed", 1_800)
    bench.rest(pulls)
    figures = {"full for s": count, "deliveries refused": coming}
    took = round(time.monotonic() - room)
    return {**figures, "all reviewed after s": took, **bench.check(whole=True)}


def frozen(bench: Bench, count: int) -> Figures:
    """A worker stops (SIGSTOP) in mid-question; two others take over; it wakes up."""
    bench.begin(workers=0)
    twice = 0
    done = 0
    while done < count and bench.goes_on:
        done += 1
        sleeper = bench.work()
        release, asked = Event(), len(bench.service.claude.asked)

        def answering(question: Asked, release: Event = release) -> str:
            release.wait(120)
            return answer(question)

        bench.service.claude.answering = answering
        repository = bench.repository(1)
        pull = bench.open(repository, 1)
        bench.until(lambda asked=asked: len(bench.service.claude.asked) > asked, "it is asked")
        _signal(sleeper.pid, signal.SIGSTOP)
        others = [bench.work(), bench.work()]
        release.set()
        bench.rest([pull])
        _signal(sleeper.pid, signal.SIGCONT)
        sleeper.join(60)
        must(sleeper.exitcode == LOST_DATABASE, f"the sleeper ended with {sleeper.exitcode}")
        calls, begun = bench.service.calls(repository)
        must(len(calls) + len(begun) == 2, "the ledger has both calls")
        twice += len(calls) == 2
        for worker in others:
            worker.terminate()
            worker.join(60)
        bench.workers.clear()
    return {"frozen workers": done, "of them settled twice": twice, **bench.check()}


def rolling(bench: Bench, count: int) -> Figures:
    """Workers are told to end (SIGTERM), one after another, while reviews flow."""
    bench.begin(workers=2 if bench.service.database_url else 1)

    def answering(question: Asked) -> str:
        time.sleep(0.3)
        return answer(question)

    bench.service.claude.answering = answering
    restarts = 0
    while restarts < count and bench.goes_on:
        restarts += 1
        repository = bench.repository(4)
        pulls = [bench.open(repository, number) for number in range(1, 5)]
        time.sleep(bench.chance.random() * 2)
        ending = bench.workers.pop(0)
        ending.terminate()
        if bench.service.database_url:
            bench.work()
        ending.join(60)
        # one that has hardly started has nothing to end in good order
        must(ending.exitcode in (0, -signal.SIGTERM), f"it ended with {ending.exitcode}")
        if not bench.service.database_url:  # one at a time there
            bench.work()
        bench.rest(pulls)
    return {"restarts": restarts, **bench.check(whole=True)}


def _signal(pid: int | None, number: int) -> None:
    if pid:
        os.kill(pid, number)


def _reviews(bench: Bench) -> int:
    """How many review jobs there are, in whatever state."""
    return sum(name.startswith("rv:") for name in bench.service.jobs())
