"""Which model runs on this machine: what the operator named, or the best that is downloaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reviewbot.config.settings import Settings
from reviewbot.engines.llama.fit import Candidate, Fit, Wishes, best, fit
from reviewbot.engines.llama.gguf import read_facts
from reviewbot.engines.llama.machine import Machine, llama_installed, usable_machine
from reviewbot.engines.llama.models import CATALOGUE, find_model, model_of
from reviewbot.engines.llama.plan import LoadPlan
from reviewbot.engines.llama.seal import verified
from reviewbot.errors import EngineError


@dataclass(frozen=True)
class Chosen:
    """The plan of the model to load, None without one, and why in words."""

    plan: LoadPlan | None
    note: str


def choose_local(settings: Settings, machine: Machine | None = None) -> Chosen:
    """What `REVIEWBOT_LOCAL_ENGINE` comes to on this machine.

    `llama`: the model that is named, else the best downloaded one. `auto`: the same where
    llama-cpp-python and a model are there; a name that only a server can know, or whatever stands
    in the way, leaves the plan None and is said. The file is checked against its seal.
    Raises EngineError for `llama` where it can't work.
    """
    asked = settings.local_engine == "llama"
    if settings.local_engine not in ("auto", "llama"):
        return Chosen(None, f"not on this machine: REVIEWBOT_LOCAL_ENGINE={settings.local_engine}")
    if not asked and settings.local_model and not _is_ours(settings):
        return Chosen(None, f"{settings.local_model} is a model of {settings.local_url}")
    machine = machine or usable_machine()
    try:
        found = planned(settings, machine)
    except EngineError as error:
        if asked:
            raise
        return Chosen(None, str(error))
    note = f"; {machine.note}" if machine.note else ""
    return Chosen(found.plan, f"local engine: {found.plan.model.stem} {found.words}{note}")


def planned(settings: Settings, machine: Machine) -> Fit:
    """The chosen model, whole and fitting. Raises EngineError for what stands in the way."""
    folder = models_folder(settings)
    there = downloaded(folder)
    if not settings.local_model and not there:
        raise EngineError(f"no model in {folder}: `reviewbot model pull auto` gets one")
    if not llama_installed():
        raise EngineError("llama-cpp-python is not installed: `make llama` builds it")
    if settings.local_model:
        return fitted(locate(settings, settings.local_model), settings, machine)
    found = best(there, machine, wishes(settings))
    if found is None:
        smallest = there[0]
        return fit(smallest.file, smallest.facts, machine, wishes(settings))
    return fitted(found.plan.model, settings, machine)


def fitted(model: Path, settings: Settings, machine: Machine) -> Fit:
    """The plan for one file, checked and by its own header. Raises EngineError."""
    verified(model)
    return fit(model, read_facts(model), machine, wishes(settings))


def locate(settings: Settings, name: str) -> Path:
    """The file of a catalogue name or a path. Raises EngineError if it is not there."""
    if _is_path(name):
        path = Path(name).expanduser()
        if not path.is_file():
            raise EngineError(f"no model file {path}")
        return path
    model = model_of(name)
    path = models_folder(settings) / model.file
    if not path.is_file():
        raise EngineError(f"{model.name} is not downloaded: `reviewbot model pull {model.name}`")
    return path


def models_folder(settings: Settings) -> Path:
    """Where models are downloaded to."""
    return settings.data_dir / "models"


def downloaded(folder: Path) -> Sequence[Candidate]:
    """Models of the catalogue that are in the folder, the smallest first."""
    return [
        Candidate(model.name, folder / model.file, model.facts)
        for model in CATALOGUE
        if (folder / model.file).is_file()
    ]


def catalogue(folder: Path) -> Sequence[Candidate]:
    """All models of the catalogue, there or not."""
    return [Candidate(model.name, folder / model.file, model.facts) for model in CATALOGUE]


def wishes(settings: Settings) -> Wishes:
    """What the operator set of a plan."""
    given = "local_context_tokens" in settings.model_fields_set
    return Wishes(
        context_tokens=settings.local_context_tokens if given else None,
        sequences=settings.local_sequences,
        gpu_layers=settings.local_gpu_layers,
        kv=None if settings.local_kv == "auto" else settings.local_kv,
    )


def _is_ours(settings: Settings) -> bool:
    """Whether the model's name can mean one of this machine: with a server, only a file can."""
    name = settings.local_model
    return _is_path(name) or (not settings.local_url and find_model(name) is not None)


def _is_path(name: str) -> bool:
    return name.lower().endswith(".gguf")
