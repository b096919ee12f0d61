"""`reviewbot model`: which models there are and fit, getting one, and trying it."""

import json
import sys
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reviewbot.config.settings import Settings
    from reviewbot.engines.llama.fit import Fit
    from reviewbot.engines.llama.machine import Machine
    from reviewbot.engines.llama.trial import Trial

_FORMAT = click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True
)


@click.group("model")
def command() -> None:
    """The model on this machine: list what fits, pull one, check that it works."""


@command.command("list")
@_FORMAT
def list_(format_: str) -> None:
    """Show the models of the catalogue, which of them fit this machine, and why not.

    The one marked * is what `model pull auto` gets: the largest that is all on GPUs, or without
    GPUs the largest that answers in time.
    """
    from reviewbot.config.settings import load_settings
    from reviewbot.engines.llama.machine import usable_machine

    settings, machine = load_settings(), usable_machine()
    rows = _rows(settings, machine)
    if format_ == "json":
        click.echo(json.dumps({"schema": 1, "machine": asdict(machine), "models": rows}, indent=2))
        return
    click.echo(_machine_line(machine))
    for row in rows:
        mark = "*" if row["default"] else " "
        there = "downloaded; " if row["downloaded"] else ""
        click.echo(f"{mark} {row['name']:<20} {row['size']:>8}  {there}{row['why']}")
    if any(row["default"] for row in rows):
        click.echo("* is what `reviewbot model pull auto` gets.")
    others = {row["name"]: row["licence"] for row in rows if row["licence"] != "Apache-2.0"}
    for name, licence in others.items():
        click.echo(f"Licence of {name}: {licence}; of the others: Apache-2.0")


@command.command()
@click.argument("name", metavar="NAME|auto")
def pull(name: str) -> None:
    """Download a model from the Hugging Face hub, checked by its SHA-256.

    `auto` takes what `model list` marks. A download that broke off goes on where it ended.
    HF_TOKEN and HF_ENDPOINT are read.
    """
    from reviewbot.config.settings import load_settings
    from reviewbot.engines.llama.choice import models_folder
    from reviewbot.engines.llama.models import model_of
    from reviewbot.engines.llama.pull import pull as pull_model

    settings = load_settings()
    model = model_of(_best_name(settings) if name == "auto" else name)
    if model.licence != "Apache-2.0":
        click.echo(f"{model.name} has a licence of its own: {model.licence}", err=True)
    with _watching(model.name) as watch:
        path = pull_model(model, models_folder(settings), watch)
    click.echo(str(path))


@command.command()
@click.argument("name", metavar="[NAME|PATH]", required=False)
@_FORMAT
def check(name: str | None, format_: str) -> None:
    """Read a model whole against its SHA-256, load it, and have it review a short change.

    Without NAME, the model that reviews would use. Prints tokens per second, memory and joules.
    """
    from reviewbot.config.settings import load_settings
    from reviewbot.engines.llama import choice
    from reviewbot.engines.llama.machine import usable_machine
    from reviewbot.engines.llama.seal import sha256_of, verified
    from reviewbot.engines.llama.trial import run_trial

    settings, machine = load_settings(), usable_machine()
    if name:
        found = choice.fitted(choice.locate(settings, name), settings, machine)
    else:
        found = choice.planned(settings, machine)
    model = found.plan.model
    with _watching(model.name) as watch:
        sealed = verified(model, thorough=True, watch=watch)
        digest = "" if sealed else sha256_of(model, watch)
    trial = run_trial(
        found.plan,
        timeout=settings.local_timeout_seconds,
        say=lambda text: click.echo(f"{text} …", err=True),
    )
    if format_ == "json":
        click.echo(json.dumps(_check_json(found, trial, digest), indent=2))
    else:
        for line in _check_lines(found, trial, digest):
            click.echo(line)


def _rows(settings: "Settings", machine: "Machine") -> list[dict[str, Any]]:
    """One row for each model of the catalogue."""
    from reviewbot.engines.llama import choice
    from reviewbot.engines.llama.fit import best, fit
    from reviewbot.engines.llama.models import CATALOGUE, size
    from reviewbot.errors import EngineError

    folder, wishes = choice.models_folder(settings), choice.wishes(settings)
    default = best(choice.catalogue(folder), machine, wishes)
    rows = []
    for model in CATALOGUE:
        path = folder / model.file
        try:
            found: Fit | None = fit(path, model.facts, machine, wishes)
            why = f"fits {found.words}" if found else ""
        except EngineError as error:
            found, why = None, str(error).partition("does not fit: ")[2] or str(error)
        rows.append(
            {
                "name": model.name,
                "repository": model.repository,
                "file": model.file,
                "bytes": model.file_bytes,
                "size": size(model.file_bytes),
                "licence": model.licence,
                "context_tokens": model.facts.context_tokens,
                "downloaded": path.is_file(),
                "default": default is not None and default.plan.model == path,
                "fits": found is not None,
                "where": found.where if found else None,
                "why": why,
                "plan": _plan_json(found) if found else None,
            }
        )
    return rows


def _best_name(settings: "Settings") -> str:
    """What `auto` means here. Raises EngineError if nothing fits."""
    from reviewbot.engines.llama.machine import usable_machine
    from reviewbot.errors import EngineError

    machine = usable_machine()
    for row in _rows(settings, machine):
        if row["default"]:
            return str(row["name"])
    raise EngineError(f"no model of the catalogue fits. {_machine_line(machine)}")


def _machine_line(machine: "Machine") -> str:
    from reviewbot.engines.llama.models import size

    cards = ", ".join(f"{gpu.name} ({size(gpu.free)} free)" for gpu in machine.gpus) or "no GPU"
    cores = f"{machine.cores} core{'s' if machine.cores > 1 else ''}"
    line = f"This machine: {cores}, {size(machine.ram_available)} of RAM free, {cards}"
    return f"{line}; {machine.note}" if machine.note else line


def _plan_json(found: "Fit") -> dict[str, Any]:
    return {
        **asdict(found.plan),
        "model": str(found.plan.model),
        "vram_bytes": found.vram_bytes,
        "ram_bytes": found.ram_bytes,
    }


def _check_json(found: "Fit", trial: "Trial", digest: str) -> dict[str, Any]:
    return {
        "schema": 1,
        "model": str(found.plan.model),
        "verified": not digest,
        "sha256": digest or None,
        "plan": _plan_json(found),
        "trial": asdict(trial),
    }


def _check_lines(found: "Fit", trial: "Trial", digest: str) -> "Iterator[str]":
    from reviewbot.engines.llama.models import size

    yield f"{found.plan.model}: {trial.description}"
    yield (
        f"file     SHA-256 {digest} (not pulled by reviewbot: nothing to check it against)"
        if (digest)
        else "file     whole: its SHA-256 is what the hub announced"
    )
    yield f"plan     {found.words}"
    yield f"loaded   in {trial.load_seconds:.1f} s"
    yield f"prompt   {trial.prompt_tokens} tokens, {trial.prompt_tokens_per_second:.1f} a second"
    yield f"answer   {trial.answer_tokens} tokens, {trial.answer_tokens_per_second:.1f} a second"
    planned = f"planned {size(found.ram_bytes)} and {size(found.vram_bytes)}"
    yield f"memory   {size(trial.ram_bytes)} of RAM, {size(trial.vram_bytes)} of GPUs ({planned})"
    yield (
        "energy   not measured: no card counts it"
        if trial.joules is None
        else f"energy   {trial.joules:.0f} J"
    )
    yield f"review   {trial.outcome}" + (f": {trial.detail}" if trial.detail else "")


@contextmanager
def _watching(name: str) -> "Iterator[Callable[[str, int, int], None]]":
    """Shows how far a download or a check is: a bar at a terminal, else a line for each tenth."""
    if not sys.stderr.isatty():
        yield _each_tenth(name)
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.progress import TransferSpeedColumn as Speed

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), Speed())
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        tasks: dict[str, Any] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(f"{stage} {name}", total=total)
            progress.update(tasks[stage], completed=done)

        yield show


def _each_tenth(name: str) -> "Callable[[str, int, int], None]":
    told: dict[str, int] = {}

    def show(stage: str, done: int, total: int) -> None:
        tenth = 10 * done // max(total, 1)
        if tenth != told.get(stage):
            told[stage] = tenth
            click.echo(f"{stage} {name}: {10 * tenth} %", err=True)

    return show
