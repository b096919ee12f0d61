"""A last line for build servers: `N passed, N failed, N skipped`, alone and always complete."""

import pytest


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Counts as pytest's own summary has them; an error in a fixture is a failure."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput"):
        return
    counted = {
        name: len(reporter.getreports(name)) for name in ("passed", "failed", "error", "skipped")
    }
    failed = counted["failed"] + counted["error"]
    print(f"{counted['passed']} passed, {failed} failed, {counted['skipped']} skipped")  # noqa: T201
