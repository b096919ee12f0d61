"""All stories of the service, in its real processes, on PostgreSQL."""

from story_budget import *  # noqa: F403 - the same stories for each kind of database
from story_commands import *  # noqa: F403
from story_crashes import *  # noqa: F403
from story_feedback import *  # noqa: F403
from story_pushes import *  # noqa: F403
from story_reviews import *  # noqa: F403
from story_tenants import *  # noqa: F403
from story_upkeep import *  # noqa: F403

DATABASE = "postgresql"
