"""Pull requests with the remarks that people made or rejected, one JSON object a line."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from pydantic import BaseModel, ConfigDict, ValidationError

from reviewbot.change.parse import parse_diff
from reviewbot.change.source import Fetched
from reviewbot.errors import DiffError, DocumentError

#: Longest line, characters: a diff of 20 000 lines and its remarks.
MAX_LINE = 64 * 1024 * 1024


class _Line(BaseModel):
    """What is read of a line; other keys do not matter."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Remark(_Line):
    """What a person said of a pull request."""

    file: str
    line: int | None = None
    """Last line that it is about, on `side`; None: the whole file."""
    from_line: int | None = None
    side: str = "right"
    comment: str
    severity: str | None = None

    @property
    def first(self) -> int | None:
        """First line that it is about."""
        return self.line if self.from_line is None else self.from_line


class _Case(_Line):
    pr_url: str
    title: str | None = None
    base: str | None = None
    head: str | None = None
    diff: str
    golden: tuple[Remark, ...]
    rejected: tuple[Remark, ...] = ()


@dataclass(frozen=True)
class Case:
    """One pull request to review, and what is known to be right and wrong of it."""

    id: str
    """Its address."""
    fetched: Fetched = field(repr=False)
    golden: tuple[Remark, ...] = ()
    """Remarks that people stand by. There may be more to say than these."""
    rejected: tuple[Remark, ...] = ()
    """Remarks that people found wrong or worthless."""


def read_corpus(lines: Iterable[str], source: str) -> Iterator[Case]:
    """The cases of a JSONL file. Raises DocumentError with the line's number, also for an address
    that is there twice."""
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        case = _case(line, source, number)
        if case.id in seen:
            raise DocumentError(source, number, f"{case.id} is there twice")
        seen.add(case.id)
        yield case


def _case(line: str, source: str, number: int) -> Case:
    try:
        if len(line) > MAX_LINE:
            raise DocumentError(source, number, f"longer than {MAX_LINE:,} characters")
        read = _Case.model_validate(json.loads(line))
        change = parse_diff(read.diff.encode("utf-8", "surrogateescape"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the line"
        raise DocumentError(source, number, f"{where}: {first['msg']}") from None
    except (ValueError, RecursionError):
        hint = 'a line is {"pr_url": …, "diff": …, "golden": [{"file", "line", "comment"}]}'
        raise DocumentError(source, number, "no JSON object", hint) from None
    except DiffError as error:
        raise DocumentError(source, number, f"diff: {error}") from None
    repository, pull = _address(read.pr_url)
    named = replace(
        change,
        title=read.title or "",
        base=read.base,
        head=read.head,
        repository=repository,
        number=pull,
    )
    return Case(read.pr_url, Fetched(named), read.golden, read.rejected)


def _address(url: str) -> tuple[str | None, int | None]:
    """Repository and number of a pull request's page, as far as the address tells."""
    found = re.search(r"([\w.-]+/[\w.-]+)/pull/(\d{1,9})(?:[/?#].*)?$", url)
    return (found[1], int(found[2])) if found else (None, None)
