"""What a delivery wants goes into the queue: the same for webhooks and for those that were missed."""

from typing import NamedTuple

from reviewbot.service.intents import (
    CommandIntent,
    FeedbackIntent,
    InstallationIntent,
    Intent,
    Nothing,
    Ping,
    ReviewIntent,
)
from reviewbot.service.jobs import JobQueue
from reviewbot.service.logs import logger

log = logger("reviewbot.intake")


class Taken(NamedTuple):
    """What became of a delivery."""

    outcome: str
    """A word of ours: `review`, `command`, `feedback`, `installation`, `ping`, `ignored`."""
    job: str = ""
    """Id of the job that it became, if any."""
    why: str = ""
    """Why it became none."""


def keep(queue: JobQueue, intent: Intent) -> Taken:
    """Keep what a delivery wants, once. Raises QueueUnavailable and StoreError."""
    match intent:
        case ReviewIntent():
            job = queue.enqueue_review(intent.job())
            if intent.feedback:
                queue.enqueue_feedback(intent.feedback.job())
            return Taken("review", job)
        case CommandIntent():
            return Taken("command", queue.enqueue_command(intent.job()))
        case FeedbackIntent():
            return Taken("feedback", queue.enqueue_feedback(intent.job()))
        case InstallationIntent():
            log.info("installation", action=intent.action, installation=intent.installation)
            return Taken("installation", why=f"installation {intent.action}")
        case Ping():
            return Taken("ping")
        case Nothing():
            return Taken("ignored", why=intent.reason)
