"""A report as plain blocks, before anybody chose whether it is read in a terminal, as Markdown or
in a browser. Texts may hold anything: each writer makes them safe."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Heading:
    """The name of a part."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """One paragraph of plain text."""

    text: str
    strong: bool = False
    """What the reader came for."""


@dataclass(frozen=True)
class Points:
    """A list of sentences."""

    items: Sequence[str]


@dataclass(frozen=True)
class Link:
    """A cell that leads somewhere; only addresses that we have made ourselves."""

    text: str
    url: str


Cell = str | Link


@dataclass(frozen=True)
class Table:
    """Rows under their column names; the first column is text, the others are figures."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    words: frozenset[int] = frozenset()
    """Further columns of text, by index."""


@dataclass(frozen=True)
class Tile:
    """A figure that stands large."""

    what: str
    value: str
    note: str = ""
    tone: Literal["plain", "good", "bad"] = "plain"


@dataclass(frozen=True)
class Tiles:
    """The figures that matter most, side by side."""

    items: Sequence[Tile]


@dataclass(frozen=True)
class Bar:
    """One bar of a chart."""

    label: str
    value: float
    text: str
    """The value in words."""
    low: float | None = None
    high: float | None = None
    """Ends of its interval."""


@dataclass(frozen=True)
class Bars:
    """A bar chart."""

    title: str
    bars: Sequence[Bar]


@dataclass(frozen=True)
class Curve:
    """One straight or bent line of a chart: (x, y) from left to right."""

    label: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Curves:
    """A line chart; a terminal shows only its title and `told`."""

    title: str
    x: str
    """What runs from left to right."""
    curves: Sequence[Curve]
    told: str
    """What it shows, in a sentence."""


@dataclass(frozen=True)
class Column:
    """One stacked column of a chart, from the ground up."""

    label: str
    parts: Sequence[float]


@dataclass(frozen=True)
class Columns:
    """A chart of stacked columns in USD, one for each day; told as `Curves` are."""

    title: str
    names: Sequence[str]
    """What the parts are."""
    columns: Sequence[Column]
    told: str
    numbers: bool = True
    """Whether a browser shows them below; False where a table stands beside."""


Block = Heading | Paragraph | Points | Table | Tiles | Bars | Curves | Columns


def text_of(cell: Cell) -> str:
    """What a cell says."""
    return cell.text if isinstance(cell, Link) else cell


@dataclass(frozen=True)
class Page:
    """A whole report."""

    title: str
    subtitle: str
    blocks: Sequence[Block]
