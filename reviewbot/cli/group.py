"""The command group, and the one place where errors become exit codes."""

import difflib
import errno
import io
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

#: A full or failing disk behind `> file`.
DISK_ERRORS = frozenset({errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EDQUOT})

#: Command → (module, one line for the list); a command's module is imported when it is called.
COMMANDS = {
    "review": ("reviewbot.cli.review", "Review a git range, a diff file or a pull request."),
    "route": ("reviewbot.cli.route", "Only say where a change would go, and why."),
    "forecast": (
        "reviewbot.cli.forecast",
        "Say what reviews would cost a month, from merged history.",
    ),
    "report": ("reviewbot.cli.report", "Say what a month cost, and whether it was worth it."),
    "eval": ("reviewbot.cli.eval", "Measure ways to review against remarks that people made."),
    "ledger": ("reviewbot.cli.ledger", "Export the ledger as CSV or JSON."),
    "setup": ("reviewbot.cli.setup", "Create the GitHub App, in a browser."),
    "doctor": ("reviewbot.cli.doctor", "Say whether all that it needs is there, and what to do."),
    "serve": ("reviewbot.cli.serve", "Run the GitHub service: listener and worker."),
    "backup": ("reviewbot.cli.backup", "Copy the databases while the service runs."),
    "web": ("reviewbot.cli.web", "Run its listener alone."),
    "worker": ("reviewbot.cli.worker", "Run a worker alone."),
    "action": ("reviewbot.cli.action", "Review a workflow's pull request: for the GitHub Action."),
    "model": ("reviewbot.cli.model", "List, pull and check the model on this machine."),
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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], COMMANDS, 1)
            if not near:
                raise
            raise click.UsageError(f"{error.message} Did you mean {near[0]!r}?", ctx) from None

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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(
            stream, io.TextIOWrapper
        ):  # a terminal that can't show a character shows \\x…
            stream.reconfigure(errors="backslashreplace")
    try:
        # not click's own main: it answers a closed pipe with exit code 1, which is ours for findings
        given = sys.argv[1:] if arguments is None else list(arguments)
        with cli.make_context("reviewbot", given) as context:
            result = cli.invoke(context)
        sys.stdout.flush()
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
        # the reader (`| head`) has enough; nothing may be flushed into the pipe at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            return _bug()
        click.echo(f"reviewbot: cannot write: {error.strerror}", err=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return USAGE
    except Exception:  # noqa: BLE001 - the one place where a bug is reported
        return _bug()


def _bug() -> int:
    traceback.print_exc()
    click.echo("reviewbot: this is a bug; please report it with the lines above", err=True)
    return BUG


def _leave(code: int) -> NoReturn:
    """End at once: threads that wait for a model must not keep the terminal."""
    click.echo("reviewbot: interrupted", err=True)
    sys.stdout.flush()
    os._exit(code)
