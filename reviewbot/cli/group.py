"""The command group, and the one place where errors become exit codes."""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import click

from reviewbot import __version__
from reviewbot.errors import ReviewbotError

#: Exit codes: 0 done, 1 findings reach --fail-on, then these.
USAGE, BUG, INTERRUPTED = 2, 3, 130

#: Command → (module, one line for the list); a command's module is imported when it is called.
COMMANDS = {
    "review": ("reviewbot.cli.review", "Review a git range, a diff file or a pull request."),
    "route": ("reviewbot.cli.route", "Only say where a change would go, and why."),
    "rules": ("reviewbot.cli.rules", "Check, test, score and explain risk rules."),
}


class _LazyGroup(click.Group):
    """A group whose commands' modules are imported only when needed: `--help` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Settings are environment variables REVIEWBOT_*; the README lists them.",
)
@click.version_option(__version__, prog_name="reviewbot")
def cli() -> None:
    """Pull-request reviews: a model of your own for most changes, Claude for the risky ones,
    every dollar shown.

    \b
    Examples:
      reviewbot review                      this branch against the default branch
      reviewbot review main...feature       what feature adds to main
      git diff | reviewbot review --diff -  any diff
      reviewbot route HEAD~3..HEAD          only the decision and its reasons
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        result = cli.main(
            args=None if arguments is None else list(arguments),
            prog_name="reviewbot",
            standalone_mode=False,
        )
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        error.show()
        return USAGE
    except ReviewbotError as error:
        click.echo(f"reviewbot: {error}", err=True)
        return USAGE
    except (KeyboardInterrupt, click.Abort):
        _leave(INTERRUPTED)
    except BrokenPipeError:
        # the reader (`| head`) has enough
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - lives until exit
        return 0
    except Exception:  # noqa: BLE001 - the one place where a bug is reported
        traceback.print_exc()
        click.echo("reviewbot: this is a bug; please report it with the lines above", err=True)
        return BUG


def _leave(code: int) -> NoReturn:
    """End at once: threads that wait for a model must not keep the terminal."""
    click.echo("reviewbot: interrupted", err=True)
    sys.stdout.flush()
    os._exit(code)
