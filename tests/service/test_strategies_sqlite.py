"""The stories of every way to review, in the service's real processes, on SQLite."""

from story_strategies import *  # noqa: F403 - the same stories for each kind of database

DATABASE = "sqlite"
