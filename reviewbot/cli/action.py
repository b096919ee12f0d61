"""`reviewbot action`: what `action.yml` runs in a step of a GitHub workflow."""

import os
import sys

import click


@click.command("action")
def command() -> int:
    """Review the pull request of a GitHub workflow's event. Run by the Action; takes no options.

    Everything comes from the runner's environment: the event (GITHUB_EVENT_PATH), the inputs
    (INPUT_*), settings (REVIEWBOT_*). Nothing of the pull request is checked out or run.

    \b
    Exit codes: 0 done, or nothing to do; 1 the policy or `fail-on` has it fail;
    2 an error, or an event that must not be used; 3 a bug; 130 interrupted.
    """
    from reviewbot.action.step import run_step

    return run_step(os.environ, sys.stdout)
