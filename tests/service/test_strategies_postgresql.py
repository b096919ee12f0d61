"""The main story of every way to review, in the service's real processes, on PostgreSQL."""

from story_strategies import fine, running, test_from_the_webhook_to_the_pull_request

__all__ = ["fine", "running", "test_from_the_webhook_to_the_pull_request"]

DATABASE = "postgresql"
