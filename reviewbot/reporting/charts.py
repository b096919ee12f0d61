"""Charts as inline SVG: no script, no colour of its own but by class, so that the page decides
for light, dark and paper. Each has a title that screen readers say.

Each is drawn for a desk and, `narrow`, for a telephone: text keeps its size.
"""

from collections.abc import Sequence
from html import escape
from math import floor, log10

from reviewbot.privacy.invisible import escape_invisible
from reviewbot.reporting.page import Bar, Bars, Columns, Curves

WIDTH, NARROW = 840, 400
_LABEL, _VALUE, _ROW, _TALL_ROW = 255, 225, 30, 48
#: Characters that fit beside each other on a telephone.
_WORDS = 44
_TOP, _LEFT, _RIGHT, _BOTTOM, _HEIGHT = 14, 64, 16, 44, 300
#: Height of columns, and the part of its place that a column fills.
_COLUMNS, _FILLED = 200, 0.72
#: Widest column, where there are few.
_WIDEST = 72
#: Shown steps of an axis, about.
_STEPS = 5


def bars_svg(chart: Bars, *, narrow: bool = False) -> str:
    """Horizontal bars, each with its value in words and a whisker for its interval."""
    most = max((max(bar.value, bar.high or 0.0) for bar in chart.bars), default=0.0) or 1.0
    scale = (NARROW if narrow else WIDTH - _LABEL - _VALUE) / most
    draw, rows, top = (_tall_bar if narrow else _bar), [], 0
    for index, bar in enumerate(chart.bars):
        drawn, height = draw(bar, top, scale, index % 6 + 1)
        rows.append(drawn)
        top += height
    told = "; ".join(f"{bar.label}: {bar.text}" for bar in chart.bars)
    return _svg(chart.title, told, top + 4, "".join(rows), narrow=narrow)


def curves_svg(chart: Curves, *, narrow: bool = False) -> str:
    """Lines over a common axis from zero, named in a legend below."""
    points = [point for curve in chart.curves for point in curve.points]
    far = max((x for x, _ in points), default=0.0) or 1.0
    high = max((y for _, y in points), default=0.0) or 1.0
    right, low = (NARROW if narrow else WIDTH) - _RIGHT, _TOP + _HEIGHT

    def x_at(x: float) -> float:
        return _LEFT + x / far * (right - _LEFT)

    parts = [_grid(high, right, low, _HEIGHT)]
    parts += [
        f'<text class="axis" x="{x_at(x):.1f}" y="{low + 18}" text-anchor="middle">{x:,.0f}</text>'
        for x in ticks(far)
    ]
    parts.append(
        f'<text class="axis" x="{right}" y="{low + 36}" text-anchor="end">{_safe(chart.x)}</text>'
    )
    for index, curve in enumerate(chart.curves):
        path = " ".join(f"{x_at(x):.1f},{low - y / high * _HEIGHT:.1f}" for x, y in curve.points)
        parts.append(f'<polyline class="curve s{index % 6 + 1}" points="{path}"/>')
    height = low + _BOTTOM
    legend, extra = _legend([curve.label for curve in chart.curves], height)
    return _svg(chart.title, chart.told, height + extra, "".join(parts) + legend, narrow=narrow)


def columns_svg(chart: Columns, *, narrow: bool = False) -> str:
    """Stacked columns over a common axis from zero, named in a legend below."""
    high = max((sum(column.parts) for column in chart.columns), default=0.0) or 1.0
    right, low = (NARROW if narrow else WIDTH) - _RIGHT, _TOP + _COLUMNS
    place = (right - _LEFT) / max(len(chart.columns), 1)
    wide, every = min(place * _FILLED, _WIDEST), max(round(56 / place), 1)
    parts = [_grid(high, right, low, _COLUMNS)]
    for index, column in enumerate(chart.columns):
        left, floor_ = _LEFT + place * (index + 0.5) - wide / 2, float(low)
        for series, value in enumerate(column.parts):
            tall = value / high * _COLUMNS
            floor_ -= tall
            if tall > 0:
                parts.append(
                    f'<rect class="s{series % 6 + 1} flat" x="{left:.1f}" y="{floor_:.1f}" '
                    f'width="{wide:.1f}" height="{max(tall, 0.5):.1f}"/>'
                )
        if index % every == 0:
            parts.append(
                f'<text class="axis" x="{left + wide / 2:.1f}" y="{low + 18}" '
                f'text-anchor="middle">{_safe(column.label)}</text>'
            )
    height = low + _BOTTOM
    legend, extra = _legend(chart.names, height)
    return _svg(chart.title, chart.told, height + extra, "".join(parts) + legend, narrow=narrow)


def ticks(most: float) -> list[float]:
    """About five round numbers from zero to at most `most`."""
    if most <= 0:
        return [0.0]
    raw = most / _STEPS
    power: float = 10 ** floor(log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
    return [step * index for index in range(int(most / step) + 1)]


def _grid(high: float, right: float, low: float, height: float) -> str:
    """Lines at round amounts, named at the left."""
    steps = ticks(high)
    places = max(-floor(log10(steps[1])), 0) if len(steps) > 1 else 0
    return "".join(
        f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="axis" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">${amount:,.{places}f}</text>'
        for amount, y in ((each, low - each / high * height) for each in steps)
    )


def _bar(bar: Bar, top: int, scale: float, series: int) -> tuple[str, int]:
    """The bar between its words, and its height."""
    middle = top + _ROW / 2
    return (
        f'<text class="label" x="{_LABEL - 10}" y="{middle + 4:.1f}" text-anchor="end">'
        f"{_safe(bar.label)}</text>"
        f'<rect class="s{series}" x="{_LABEL}" y="{top + 6}" width="{_width(bar, scale):.1f}" '
        f'height="{_ROW - 12}" rx="2"/>{_whisker(bar, _LABEL, middle, scale)}'
        f'<text class="value" x="{WIDTH}" y="{middle + 4:.1f}" text-anchor="end">{_safe(bar.text)}</text>'
    ), _ROW


def _tall_bar(bar: Bar, top: int, scale: float, series: int) -> tuple[str, int]:
    """Words above, in one line or in two, and the bar below them."""
    line = 0 if len(bar.label) + len(bar.text) <= _WORDS else 18
    return (
        f'<text class="label" x="0" y="{top + 16}">{_safe(bar.label)}</text>'
        f'<text class="value" x="{NARROW}" y="{top + 16 + line}" text-anchor="end">{_safe(bar.text)}</text>'
        f'<rect class="s{series}" x="0" y="{top + 24 + line}" width="{_width(bar, scale):.1f}" '
        f'height="14" rx="2"/>{_whisker(bar, 0, top + 31 + line, scale)}'
    ), _TALL_ROW + line


def _width(bar: Bar, scale: float) -> float:
    return max(bar.value * scale, 1.0 if bar.value > 0 else 0.0)


def _whisker(bar: Bar, left: float, middle: float, scale: float) -> str:
    if bar.low is None or bar.high is None:
        return ""
    low, high = left + bar.low * scale, left + bar.high * scale
    return (
        f'<path class="whisker" d="M{low:.1f} {middle:.1f}H{high:.1f}'
        f'M{low:.1f} {middle - 4:.1f}v8M{high:.1f} {middle - 4:.1f}v8"/>'
    )


def _legend(names: Sequence[str], top: float) -> tuple[str, float]:
    rows = "".join(
        f'<rect class="s{index % 6 + 1}" x="{_LEFT}" y="{top + index * 20:.1f}" width="14" height="4"/>'
        f'<text class="label" x="{_LEFT + 22}" y="{top + index * 20 + 6:.1f}">{_safe(name)}</text>'
        for index, name in enumerate(names)
    )
    return rows, len(names) * 20


def _safe(text: str) -> str:
    return escape(escape_invisible(text))


def _svg(title: str, told: str, height: float, inside: str, *, narrow: bool) -> str:
    width, kind = (NARROW, "chart narrow") if narrow else (WIDTH, "chart")
    return (
        f'<svg class="{kind}" viewBox="0 0 {width} {height:.0f}" role="img">'
        f"<title>{_safe(title)}</title><desc>{_safe(told)}</desc>{inside}</svg>"
    )
