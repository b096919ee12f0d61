"""Charts as inline SVG: no script, no colour of its own but by class, so that the page decides
for light, dark and paper. Each has a title that screen readers say."""

from collections.abc import Sequence
from html import escape
from math import floor, log10

from reviewbot.privacy.invisible import escape_invisible
from reviewbot.reporting.page import Bar, Bars, Curve, Curves

WIDTH = 840
_LABEL, _VALUE, _ROW = 255, 225, 30
_TOP, _LEFT, _RIGHT, _BOTTOM, _HEIGHT = 14, 64, 16, 44, 300
#: Shown steps of an axis, about.
_STEPS = 5


def bars_svg(chart: Bars) -> str:
    """Horizontal bars, each with its value in words and a whisker for its interval."""
    most = max((max(bar.value, bar.high or 0.0) for bar in chart.bars), default=0.0) or 1.0
    room = WIDTH - _LABEL - _VALUE
    rows = "".join(
        _bar(bar, index, room / most, index % 6 + 1) for index, bar in enumerate(chart.bars)
    )
    told = "; ".join(f"{bar.label}: {bar.text}" for bar in chart.bars)
    return _svg(chart.title, told, len(chart.bars) * _ROW + 4, rows)


def curves_svg(chart: Curves) -> str:
    """Lines over a common axis from zero, named in a legend below."""
    points = [point for curve in chart.curves for point in curve.points]
    far = max((x for x, _ in points), default=0.0) or 1.0
    high = max((y for _, y in points), default=0.0) or 1.0
    right, low = WIDTH - _RIGHT, _TOP + _HEIGHT

    def x_at(x: float) -> float:
        return _LEFT + x / far * (right - _LEFT)

    def y_at(y: float) -> float:
        return low - y / high * _HEIGHT

    parts = [
        f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{y_at(y):.1f}" y2="{y_at(y):.1f}"/>'
        f'<text class="axis" x="{_LEFT - 8}" y="{y_at(y) + 4:.1f}" text-anchor="end">${y:,.0f}</text>'
        for y in ticks(high)
    ]
    parts += [
        f'<text class="axis" x="{x_at(x):.1f}" y="{low + 18}" text-anchor="middle">{x:,.0f}</text>'
        for x in ticks(far)
    ]
    parts.append(
        f'<text class="axis" x="{right}" y="{low + 36}" text-anchor="end">{_safe(chart.x)}</text>'
    )
    for index, curve in enumerate(chart.curves):
        path = " ".join(f"{x_at(x):.1f},{y_at(y):.1f}" for x, y in curve.points)
        parts.append(f'<polyline class="curve s{index % 6 + 1}" points="{path}"/>')
    height = low + _BOTTOM
    legend, extra = _legend(chart.curves, height)
    return _svg(chart.title, chart.told, height + extra, "".join(parts) + legend)


def ticks(most: float) -> list[float]:
    """About five round numbers from zero to at most `most`."""
    if most <= 0:
        return [0.0]
    raw = most / _STEPS
    power: float = 10 ** floor(log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
    return [step * index for index in range(int(most / step) + 1)]


def _bar(bar: Bar, index: int, scale: float, series: int) -> str:
    top = index * _ROW
    middle = top + _ROW / 2
    width = max(bar.value * scale, 1.0 if bar.value > 0 else 0.0)
    whisker = ""
    if bar.low is not None and bar.high is not None:
        left, right = _LABEL + bar.low * scale, _LABEL + bar.high * scale
        whisker = (
            f'<path class="whisker" d="M{left:.1f} {middle:.1f}H{right:.1f}'
            f'M{left:.1f} {middle - 4:.1f}v8M{right:.1f} {middle - 4:.1f}v8"/>'
        )
    return (
        f'<text class="label" x="{_LABEL - 10}" y="{middle + 4:.1f}" text-anchor="end">'
        f"{_safe(bar.label)}</text>"
        f'<rect class="s{series}" x="{_LABEL}" y="{top + 6}" width="{width:.1f}" height="{_ROW - 12}" rx="2"/>'
        f"{whisker}"
        f'<text class="value" x="{WIDTH}" y="{middle + 4:.1f}" text-anchor="end">{_safe(bar.text)}</text>'
    )


def _legend(curves: Sequence[Curve], top: float) -> tuple[str, float]:
    rows = "".join(
        f'<rect class="s{index % 6 + 1}" x="{_LEFT}" y="{top + index * 20:.1f}" width="14" height="4"/>'
        f'<text class="label" x="{_LEFT + 22}" y="{top + index * 20 + 6:.1f}">{_safe(curve.label)}</text>'
        for index, curve in enumerate(curves)
    )
    return rows, len(curves) * 20


def _safe(text: str) -> str:
    return escape(escape_invisible(text))


def _svg(title: str, told: str, height: float, inside: str) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height:.0f}" role="img">'
        f"<title>{_safe(title)}</title><desc>{_safe(told)}</desc>{inside}</svg>"
    )
