"""Every error that reviewbot raises on purpose.

    ReviewbotError                 exit 2: one clear line, no traceback
    ├── UsageError                 options that do not go together
    ├── DiffError                  text that is not a unified diff
    ├── SourceError                a range, file or pull request that can't be read
    │   └── github.client.SourceBusy        … now: it may work later
    ├── DocumentError              a rule, policy or price file: file, line, what, likely fix
    ├── SettingsError              an environment variable that is missing or wrong
    ├── PriceError                 a model without a known price (never $0)
    ├── EngineError                an engine that can't work as configured (wrong key, no such model)
    ├── PrivacyError               text that must not leave: the secret detector failed
    ├── StoreError                 the database can't be opened, migrated or written
    ├── github.calls.GitHubError   one request to GitHub: denied, refused, rate limited, unclear
    ├── service.payload.BadDelivery         a webhook body that makes no sense
    ├── service.jobs.QueueUnavailable       the queue can't keep a job now
    └── service.durable.HostBusy            GitHub asks us to wait, or can't be reached

What a remote model does to one call (refused, rate limited, cut off …) is no exception:
it is an `Outcome` of the call, since each needs a place in the ledger and on the review.
"""


class ReviewbotError(Exception):
    """Something the user can mend; the message says what and how."""


class UsageError(ReviewbotError):
    """Options that do not go together."""


class DiffError(ReviewbotError):
    """Text that is not a unified diff."""


class SourceError(ReviewbotError):
    """A range, file or pull request that can't be read."""


class SettingsError(ReviewbotError):
    """An environment variable that is missing or wrong."""


class PriceError(ReviewbotError):
    """A model without a known price: an error, never $0."""


class EngineError(ReviewbotError):
    """An engine that can't work as configured."""


class PrivacyError(ReviewbotError):
    """Text that must not leave this machine."""


class StoreError(ReviewbotError):
    """The database can't be opened, migrated or written."""


class DocumentError(ReviewbotError):
    """A rule, policy or price file that is wrong; says where, what and the likely fix."""

    def __init__(self, source: str, line: int | None, problem: str, hint: str = "") -> None:
        self.source, self.line, self.problem, self.hint = source, line, problem, hint
        where = f"{source}:{line}" if line else source
        super().__init__(f"{where}: {problem}" + (f" ({hint})" if hint else ""))
