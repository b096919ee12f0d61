"""The sample report in the documentation is what a month comes to, from webhooks to the report."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_sample_month_comes_out_as_documented(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    import sample_report

    markdown, html = sample_report.build(tmp_path)

    documented = (ROOT / "docs" / "sample-report.md").read_text("utf-8")
    assert markdown == documented, "if that is meant: python examples/sample_report.py"
    assert html.startswith("<!doctype html>")
