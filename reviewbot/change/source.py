"""What a change's source (a range, a diff file, a pull request) gives to the flow."""

from dataclasses import dataclass, field
from typing import NamedTuple

from reviewbot.change.model import Change, FileChange, Kind, Sources


class Document(NamedTuple):
    """A text of the base side: the policy, or a guideline."""

    path: str
    text: str


@dataclass(frozen=True)
class Fetched:
    """A change with all that its host could tell about it. Everything but `change` may be absent."""

    change: Change
    sources: Sources = field(default_factory=Sources)
    policy: Document | None = None
    """`.github/reviewbot.yml` of the default branch (PR) or the base commit (range): never the head's."""
    guidelines: tuple[Document, ...] = ()
    """AGENTS.md, CONTRIBUTING.md … of the base side: untrusted context."""
    author: str = ""
    labels: tuple[str, ...] = ()
    branch: str = ""
    """The head's branch name."""
    draft: bool = False
    closed: bool = False
    repository_id: int | None = None
    """The host's number for the repository, which a rename keeps."""
    notes: tuple[str, ...] = ()
    """What could not be read, for people."""


#: Guidelines looked for on the base side, in this order.
GUIDELINE_PATHS = ("AGENTS.md", "CONTRIBUTING.md", ".github/CONTRIBUTING.md")
POLICY_PATH = ".github/reviewbot.yml"
ATTRIBUTES_PATH = ".gitattributes"
#: Longest file read as context for a review, bytes; longer ones are reviewed from the diff alone.
MAX_SOURCE_BYTES = 1_000_000

_NOT_READ_WHOLE = frozenset((Kind.BINARY, Kind.GENERATED, Kind.LOCKFILE))


def wants_source(file: FileChange) -> bool:
    """Whether the file's whole text helps to review its lines."""
    unreadable = file.is_binary or file.is_submodule or not file.hunks
    return not unreadable and file.kind not in _NOT_READ_WHOLE
