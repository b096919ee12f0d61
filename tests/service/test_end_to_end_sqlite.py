"""All stories of the service, in its real processes, on SQLite; and how it stops."""

import os
import signal

from github_simulator.state import Repository
from serving import HURRIED_SERVE, SERVE, Service, alive, child
from story_budget import *  # noqa: F403 - the same stories for each kind of database
from story_commands import *  # noqa: F403
from story_crashes import *  # noqa: F403
from story_feedback import *  # noqa: F403
from story_pushes import *  # noqa: F403
from story_reviews import *  # noqa: F403
from story_tenants import *  # noqa: F403
from story_upkeep import *  # noqa: F403

from reviewbot.service.dbos_setup import CLAUDE_AT_ONCE
from reviewbot.service.supervisor import Pace

DATABASE = "sqlite"


def test_a_worker_killed_in_mid_call_loses_nothing_and_posts_once(
    service: Service, repository: Repository
) -> None:
    release = service.hold()
    pull = service.opened(repository)
    service.until(lambda: service.claude.asked, "Claude is asked")
    worker = child(service.process.pid, "worker")
    assert worker

    os.kill(worker, signal.SIGKILL)
    release()
    service.reviewed(pull)

    assert len(pull.reviews) == len(pull.threads) == len(pull.comments) == 1
    assert len(service.claude.asked) == 2, "only the call that was cut off is made again"
    settled, unknown = service.calls(repository, pull)
    assert (len(settled), len(unknown)) == (1, 1)


def test_what_a_dead_supervisor_leaves_running_ends_by_itself(service: Service) -> None:
    release = service.hold()
    service.opened(service.repository())
    service.until(lambda: service.claude.asked, "Claude is asked")
    children = [pid for name in ("web", "worker") if (pid := child(service.process.pid, name))]

    service.process.kill()
    service.process.wait()
    service.until(lambda: not alive(children[0]), "the listener ends")
    release()
    service.until(lambda: not any(map(alive, children)), "the worker ends", seconds=25)
    service.start(*HURRIED_SERVE)
    service.listening()
    service.at_rest()

    assert len(children) == 2
    assert len(service.claude.asked) == 1, "it ended in good order: the answer was kept"


def test_a_stop_amid_reviews_ends_in_time_and_nothing_is_asked_again(service: Service) -> None:
    """As many reviews as Claude is asked at once are in mid-call, and one more waits."""
    release = service.hold()
    repository = service.repository(pulls=CLAUDE_AT_ONCE + 1)
    pulls = [service.opened(repository, n) for n in range(1, CLAUDE_AT_ONCE + 2)]
    service.until(lambda: len(service.claude.asked) == CLAUDE_AT_ONCE, "all that fit ask Claude")

    service.process.send_signal(signal.SIGTERM)
    service.until(lambda: not child(service.process.pid, "web"), "it is stopping")
    release()
    code = service.process.wait(Pace().grace)
    done = [pull for pull in pulls if pull.comments]
    service.start(*SERVE)
    service.listening()
    service.reviewed(*pulls)

    assert code == 0
    assert len(done) < len(pulls), "one went on at the next start"
    assert all(len(pull.reviews) == len(pull.comments) == 1 for pull in pulls)
    settled, unknown = service.calls(repository)
    assert (len(settled), len(unknown)) == (len(pulls), 0)
    assert len(service.claude.bill) == len(pulls)
