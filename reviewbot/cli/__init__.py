"""The command line: one module per command, loaded when it is called."""

from reviewbot.cli.group import main

__all__ = ["main"]
